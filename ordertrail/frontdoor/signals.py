"""Signals sent through Temporal, taken into the same inbox as all else; what is not understood is a dead letter."""

import base64
import hashlib
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Connection

from ordertrail.db import inbox, trackers
from ordertrail.db.inbox import InboxKind, InboxState
from ordertrail.db.trackers import Target
from ordertrail.domain.events import AnyOrderEvent, TrackingEvent
from ordertrail.domain.ids import NaturalKey, tracker_key
from ordertrail.domain.outcome import RawSignal
from ordertrail.frontdoor.acceptance import SameIdOtherBodyError, dead_letter, receive, repeated
from ordertrail.frontdoor.references import is_reference

CONNECTION = "temporal"
NO_BRAND = "-"
"""Brand of what was signalled to a workflow whose id names no order."""
UNREADABLE = 2
"""Priority of a dead letter that a sender must be told about soon."""
_KINDS = {"order_event": InboxKind.ORDER_EVENT, "tracking_event": InboxKind.TRACKING_EVENT}
"""The signals of the contract. Their dead letters are of the same kind as those of HTTP, and are replayed like them."""


def take_signal(c: Connection, brand: str, order_id: str, signal: RawSignal, now: datetime) -> bool:
    """Store one signal; True when something now waits for the order. A signal taken before changes nothing."""
    raw = base64.b64decode(signal.body)
    if signal.cut:
        return _refuse(c, brand, order_id, signal, raw, now, "too_long")
    kind = _KINDS.get(signal.name)
    if kind is None:
        return _refuse(c, brand, order_id, signal, raw, now, "unknown_signal")
    try:
        if kind is InboxKind.ORDER_EVENT:
            event = AnyOrderEvent.validate_json(raw)
            targets, key = [Target(order_id=order_id, shipment_ref="")], ""
        else:
            event = TrackingEvent.model_validate_json(raw)
            targets, key = _targets(c, brand, order_id, event)
    except ValidationError as error:
        return _refuse(c, brand, order_id, signal, raw, now, "not_understood", _detail(error))
    source_id = f"{order_id}|{event.event_id}" if kind is InboxKind.ORDER_EVENT else event.event_id
    received = receive(brand, CONNECTION, source_id, kind, raw, now)
    inbox_id = inbox.insert(
        c, received, state=InboxState.ACCEPTED if targets else InboxState.UNMATCHED,
        canonical=event.model_dump_json(exclude_none=True), match_key=None if targets else key, order_id=order_id,
        reason=None if targets else "unmatched",
    )  # fmt: skip
    if inbox_id is None:
        return _again(c, brand, order_id, signal, raw, now, received)
    for target in targets:
        inbox.hand_off(
            c, inbox_id=inbox_id, brand=brand, connection=CONNECTION, order_id=target.order_id,
            shipment_ref=target.shipment_ref, now=now,
        )  # fmt: skip
    return bool(targets)


def refuse_signal(c: Connection, key: NaturalKey | None, signal: RawSignal, now: datetime) -> None:
    """Keep a signal for an order that does not exist; `key` is what its workflow's id says, None if it says nothing."""
    brand, named = (key.brand, f"{key.channel}:{key.external_id}") if key else (NO_BRAND, "")
    reference = named if is_reference(named) else None
    raw = base64.b64decode(signal.body)
    _refuse(c, brand, None, signal, raw, now, "unknown_order", reference=reference)


def _targets(c: Connection, brand: str, order_id: str, event: TrackingEvent) -> tuple[list[Target], str]:
    if event.tracking_number is None or event.carrier is None:
        return [Target(order_id=order_id, shipment_ref=event.shipment_ref or "")], ""
    key = tracker_key(brand, event.carrier, event.tracking_number)
    return trackers.targets(c, key, occurred_at=event.occurred_at), key


def _again(
    c: Connection, brand: str, order_id: str, signal: RawSignal, raw: bytes, now: datetime, received: inbox.Received
) -> bool:
    try:
        repeated(c, received)
    except SameIdOtherBodyError:
        _refuse(c, brand, order_id, signal, raw, now, "same_id_other_body")
    return False


def _refuse(
    c: Connection, brand: str, order_id: str | None, signal: RawSignal, raw: bytes, now: datetime, reason: str,
    detail: str | None = None, reference: str | None = None,
) -> bool:  # fmt: skip
    identity = hashlib.sha256(signal.name.encode() + b"\x00" + raw).hexdigest()
    about = order_id or reference
    kind = _KINDS.get(signal.name) if about and not signal.cut else None
    source_id = f"signal:{about or ''}:{identity}"
    received = receive(brand, CONNECTION, source_id, kind or InboxKind.SIGNAL, raw, now, about)
    shown = f"signal {signal.name[:60]!r}" + (f": {detail}" if detail else "")
    dead_letter(c, received, reason=reason, detail=_storable(shown), priority=UNREADABLE, order_id=order_id)
    return False


def _storable(text: str) -> str:
    """Without the character that databases refuse; names of unknown fields are the sender's."""
    return text.replace("\x00", "?")


def _detail(error: ValidationError) -> str:
    """Which fields are wrong and how, without their values."""
    problems = error.errors(include_input=False, include_url=False)[:5]
    return "; ".join(f"{'/'.join(str(part) for part in problem['loc'])}: {problem['type']}" for problem in problems)
