"""The front door: one transaction per payload stores it raw and what it was understood as; accepted means durable."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from ulid import ULID

from ordertrail.db import inbox, orders, trackers
from ordertrail.db.engine import Database
from ordertrail.db.inbox import InboxKind, InboxState, Received
from ordertrail.db.trackers import Target
from ordertrail.db.upsert import hold
from ordertrail.domain.events import AnyOrderEvent, TrackingEvent
from ordertrail.domain.failures import OrdertrailError
from ordertrail.domain.ids import NaturalKey, keyed_hash, natural_match_key, tracker_key
from ordertrail.domain.order import CanonicalOrder, Person
from ordertrail.domain.read_model import initial_document
from ordertrail.domain.vocabulary import OrderStatus
from ordertrail.frontdoor.acceptance import (
    Acceptance,
    Conflict,
    SameIdOtherBodyError,
    UnacceptableField,
    Wake,
    dead_letter,
    receive,
    repeated,
)
from ordertrail.frontdoor.matching import match_order
from ordertrail.frontdoor.references import TrackingReport, natural_key
from ordertrail.messages.links import Links


class UnknownOrder(OrdertrailError):
    """An event names an order id that was never minted here."""


class FrontDoor:
    """Takes payloads that are already authenticated. Every method is one transaction and safe to repeat.

    Raises Conflict for a known id with another body, ValidationError (pydantic) for a body that is not understood
    (call `reject` to keep it), UnknownOrder, and Transient while the database is away.
    """

    def __init__(self, database: Database, *, secret: bytes) -> None:
        self._database = database
        self._secret = secret
        self._links = Links(secret, "")

    def order(self, brand: str, connection: str, raw: bytes, now: datetime) -> Acceptance:
        """A canonical order. Answers its minted id; the same order again gets the same answer."""
        order = CanonicalOrder.model_validate_json(raw)
        if order.brand != brand:
            raise UnacceptableField("brand_mismatch", "the API key belongs to another brand", pointer="/brand")
        source_id = f"order:{order.channel}:{order.external_id}"
        received = receive(brand, connection, source_id, InboxKind.ORDER, raw, now)
        return self._once(received, lambda c: self._store_order(c, received, order))

    def order_event(self, brand: str, connection: str, reference: str, raw: bytes, now: datetime) -> Acceptance:
        """An order event for `reference`: a minted order id, or `channel:external id` (which may not be known yet)."""
        event = AnyOrderEvent.validate_json(raw)
        received = receive(
            brand, connection, f"{reference}|{event.event_id}", InboxKind.ORDER_EVENT, raw, now, reference
        )
        canonical = event.model_dump_json(exclude_none=True)

        def store(c: Connection) -> Acceptance:
            order_id, waits_for = _resolve(c, brand, reference)
            targets = [Target(order_id=order_id, shipment_ref="")] if order_id else []
            return self._store_event(c, received, canonical, targets, waits_for)

        return self._once(received, store)

    def tracking_event(
        self, brand: str, connection: str, raw: bytes, now: datetime, *, reference: str | None = None,
        event: TrackingEvent | None = None,
    ) -> Acceptance:  # fmt: skip
        """A tracking event, by (carrier, tracking number) or by its order and `shipment_ref`.

        The order is named in the body or by `reference`; the body's word goes first.
        """
        if event is None:
            event = report = TrackingReport.model_validate_json(raw)
            reference = report.order or reference
        received = receive(brand, connection, event.event_id, InboxKind.TRACKING_EVENT, raw, now, reference)
        canonical = event.model_dump_json(exclude_none=True, exclude={"order"})

        def store(c: Connection) -> Acceptance:
            targets, waits_for = _tracking_targets(c, brand, event, reference)
            return self._store_event(c, received, canonical, targets, waits_for)

        return self._once(received, store)

    def reject(
        self, brand: str, connection: str, kind: InboxKind, raw: bytes, now: datetime, *, reason: str, detail: str,
        priority: int = 5, reference: str | None = None,
    ) -> int:  # fmt: skip
        """Keep a payload that was not understood as a dead letter; its id. Kept once, however often it comes.

        `reference` is the order the request named beside the body; a replay needs it.
        """
        digest = hashlib.sha256(raw + b"|" + (reference or "").encode()).hexdigest()
        received = receive(brand, connection, f"invalid:{kind}:{digest}", kind, raw, now, reference)
        with self._database.write() as c:
            return dead_letter(c, received, reason=reason, detail=detail, priority=priority)

    def _once(self, received: Received, store: Callable[[Connection], Acceptance]) -> Acceptance:
        try:
            with self._database.write() as c:
                return store(c)
        except SameIdOtherBodyError as error:
            raise self._conflict(received, "the same id was sent before with another body", error.earlier_id) from None

    def _conflict(self, received: Received, message: str, earlier_id: int) -> Conflict:
        kept = Received(
            **{**received.__dict__, "source_event_id": f"{received.source_event_id[:180]}~{received.body_sha256}"}
        )
        with self._database.write() as c:
            dead_id = dead_letter(c, kept, reason="same_id_other_body", detail=f"earlier: {earlier_id}", priority=3)
        return Conflict("same_id_other_body", message, dead_letter=dead_id)

    def _store_order(self, c: Connection, received: Received, order: CanonicalOrder) -> Acceptance:
        canonical = order.model_dump_json(exclude_none=True)
        order_id = f"ord_{ULID.from_datetime(received.received_at)!s}".lower()
        inbox_id = inbox.insert(c, received, state=InboxState.ACCEPTED, canonical=canonical, order_id=order_id)
        if inbox_id is None:
            return repeated(c, received)
        key = NaturalKey(brand=order.brand, channel=order.channel, external_id=order.external_id)
        hold(c, natural_match_key(key))
        person, recipient = self._people(c, order, received.received_at)
        stored = orders.insert(
            c, id=order_id, brand=order.brand, channel=order.channel, external_id=order.external_id, person_id=person,
            recipient_id=recipient, canonical=canonical, placed_at=order.placed_at, created_at=received.received_at,
            updated_at=received.received_at, seq=0, status=OrderStatus.PLACED, conditions=[], open=True, memory="{}",
            document=initial_document(
                order_id, order, received.received_at, tracking_page=self._links.tracking_path(order_id)
            ).model_dump_json(exclude_none=True),
        )  # fmt: skip
        if not stored:
            return self._other_connection(c, received, key, canonical)
        inbox.hand_off(
            c, inbox_id=inbox_id, brand=order.brand, connection=received.connection, order_id=order_id,
            now=received.received_at,
        )  # fmt: skip
        match_order(c, key, order_id, received.received_at)
        answer = {"order_id": order_id, "inbox_id": inbox_id, "status": "accepted"}
        inbox.set_answer(c, inbox_id, json.dumps(answer))
        return Acceptance(answer=answer, wakes=(Wake(order_id=order_id, key=key, inbox_id=inbox_id),))

    def _other_connection(self, c: Connection, received: Received, key: NaturalKey, canonical: str) -> Acceptance:
        """The order is known from another connection: fine if it is the same order, a conflict if it is not."""
        existing = orders.by_key(c, key)
        if existing is None or existing.canonical != canonical:
            raise SameIdOtherBodyError(0)
        row = inbox.by_source(c, received)
        answer = {"order_id": existing.id, "inbox_id": row.id, "status": "accepted"}
        inbox.settle(c, row.id, InboxState.IGNORED, reason="already_known", order_id=existing.id)
        inbox.set_answer(c, row.id, json.dumps(answer))
        return Acceptance(answer=answer, repeated=True)

    def _people(self, c: Connection, order: CanonicalOrder, now: datetime) -> tuple[str, str]:
        """The ids of an order's customer and recipient, stored in the order of their keys.

        Two people who send each other gifts at the same moment would otherwise wait for each other's rows.
        """
        both = [order.customer, *([order.recipient] if order.recipient else [])]
        keys = [self._person_key(order.brand, person) for person in both]
        ids = {
            key: orders.upsert_person(
                c, person_id=f"per_{ULID.from_datetime(now)!s}".lower(), brand=order.brand, person_key=key,
                customer_ref=person.id, document=person.model_dump_json(exclude_none=True), now=now,
            )
            for key, person in sorted(zip(keys, both, strict=True), key=lambda pair: pair[0])
        }  # fmt: skip
        return ids[keys[0]], ids[keys[-1]]

    def _person_key(self, brand: str, person: Person) -> str:
        """Who somebody is: the shop's customer id decides, else the email, else the phone."""
        identity = person.id or person.email or person.phone or f"anonymous:{ULID()!s}"
        return keyed_hash(self._secret, "person", brand, identity.lower())

    def _store_event(
        self, c: Connection, received: Received, canonical: str, targets: list[Target], waits_for: str
    ) -> Acceptance:
        state = InboxState.ACCEPTED if targets else InboxState.UNMATCHED
        inbox_id = inbox.insert(
            c, received, state=state, canonical=canonical, match_key=None if targets else waits_for,
            reason=None if targets else "unmatched", order_id=targets[0].order_id if targets else None,
        )  # fmt: skip
        if inbox_id is None:
            return repeated(c, received)
        answer: dict[str, Any] = {"inbox_id": inbox_id, "status": state.value}
        if targets:
            answer["order_ids"] = sorted({target.order_id for target in targets})
        inbox.set_answer(c, inbox_id, json.dumps(answer))
        return Acceptance(answer=answer, wakes=self._hand_off(c, inbox_id, received, targets))

    def _hand_off(self, c: Connection, inbox_id: int, received: Received, targets: list[Target]) -> tuple[Wake, ...]:
        wakes: dict[str, Wake] = {}
        for target in targets:
            inbox.hand_off(
                c, inbox_id=inbox_id, brand=received.brand, connection=received.connection, order_id=target.order_id,
                shipment_ref=target.shipment_ref, now=received.received_at,
            )  # fmt: skip
            key = orders.key_of(c, target.order_id)
            if key is not None:
                wakes[target.order_id] = Wake(order_id=target.order_id, key=key, inbox_id=inbox_id)
        return tuple(wakes.values())


def _resolve(c: Connection, brand: str, reference: str) -> tuple[str | None, str]:
    """The id of the order a reference names, and what to wait for if it is not there yet.

    Raises UnknownOrder for a minted id that does not exist: those are only ever given out by us.
    """
    if ":" in reference:
        key = natural_key(brand, reference)
        if key is None:
            raise UnknownOrder("unknown_order", "no order can have this reference")
        # The order may be on its way in at this very moment: one of the two transactions must see the other.
        hold(c, natural_match_key(key))
        return orders.id_of(c, key), natural_match_key(key)
    found = orders.key_of(c, reference)
    if found is None or found.brand != brand:
        raise UnknownOrder("unknown_order", "no order has this id")
    return reference, ""


def _tracking_targets(
    c: Connection, brand: str, event: TrackingEvent, reference: str | None
) -> tuple[list[Target], str]:
    if event.tracking_number is not None and event.carrier is not None:
        key = tracker_key(brand, event.carrier, event.tracking_number)
        return trackers.targets(c, key, occurred_at=event.occurred_at), key
    if reference is None or event.shipment_ref is None:
        raise UnacceptableField("order_missing", "a shipment_ref needs the order it belongs to", pointer="/order")
    order_id, waits_for = _resolve(c, brand, reference)
    if order_id is None:
        return [], waits_for
    return [Target(order_id=order_id, shipment_ref=event.shipment_ref)], ""
