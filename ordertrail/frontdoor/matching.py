"""Rows that came before their order or shipment was known, handed over once it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ordertrail.db import inbox, trackers
from ordertrail.db.inbox import InboxKind, InboxRow, InboxState
from ordertrail.db.trackers import Target
from ordertrail.domain.events import TrackingEvent
from ordertrail.domain.ids import NaturalKey, natural_match_key


def match_order(c: Connection, key: NaturalKey, order_id: str, now: datetime) -> int:
    """An order has appeared: hand it every event that waited for it. How many."""
    rows = inbox.unmatched(c, [natural_match_key(key)])
    for row in rows:
        _hand_over(c, row, [Target(order_id=order_id, shipment_ref=_shipment_ref(row))], now)
    return len(rows)


def rematch(c: Connection, tracker_keys: Sequence[str], now: datetime) -> int:
    """Trackers have appeared: hand their shipments every scan that waited for them. How many."""
    matched = 0
    for row in inbox.unmatched(c, tracker_keys):
        event = TrackingEvent.model_validate_json(row.canonical or "{}")
        if found := trackers.targets(c, row.match_key or "", occurred_at=event.occurred_at):
            _hand_over(c, row, found, now)
            matched += 1
    return matched


def _hand_over(c: Connection, row: InboxRow, targets: Sequence[Target], now: datetime) -> None:
    inbox.settle(c, row.id, InboxState.ACCEPTED, order_id=targets[0].order_id)
    for target in targets:
        inbox.hand_off(
            c, inbox_id=row.id, brand=row.brand, connection=row.connection, order_id=target.order_id,
            shipment_ref=target.shipment_ref, now=now, grace=timedelta(0),
        )  # fmt: skip


def _shipment_ref(row: InboxRow) -> str:
    if row.kind != InboxKind.TRACKING_EVENT or row.canonical is None:
        return ""
    return TrackingEvent.model_validate_json(row.canonical).shipment_ref or ""
