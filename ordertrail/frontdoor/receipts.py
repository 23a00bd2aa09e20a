"""Providers' reports on messages: stored first, then the delivery moves, and its order hears of it if it must act."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ordertrail.channels.base import Receipt
from ordertrail.channels.receipts import Ignored, Unreadable
from ordertrail.db import contacts, deliveries, inbox, orders, outbox
from ordertrail.db.deliveries import MOVES, DeliveryRow
from ordertrail.db.engine import Database
from ordertrail.db.inbox import InboxKind, InboxState
from ordertrail.domain.events import DeliveryReport
from ordertrail.domain.ids import TRIAL_PREFIX
from ordertrail.domain.vocabulary import DeliveryState
from ordertrail.frontdoor.acceptance import Wake, dead_letter, receive
from ordertrail.frontdoor.callbacks import Callback

NO_BRAND = "-"
"""Brand of what cannot be put down to a delivery of ours."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a batch. `stored` counts events not seen before, `dead` those among them not understood."""

    stored: int
    dead: int
    wakes: tuple[Wake, ...]


class Receipts:
    """Takes callbacks that are already verified; safe to repeat. One transaction per event, so a batch may be resumed.

    Raises Transient while the database is away; what was stored before stays stored.
    """

    def __init__(self, database: Database, *, secret: bytes) -> None:
        self._database = database
        self._secret = secret

    def take(
        self, connection: str, callbacks: Sequence[Callback], now: datetime, *, replay_of: int | None = None
    ) -> Taken:
        """Store and apply each event. `connection` is the provider's name, `replay_of` the dead letter re-read."""
        stored = dead = 0
        wakes: list[Wake] = []
        for callback in callbacks:
            with self._database.write() as c:
                kept = _Kept(c=c, secret=self._secret, connection=connection, callback=callback, now=now)
                outcome = kept.take(replay_of)
            stored += outcome.stored
            dead += outcome.dead
            wakes += outcome.wakes
        return Taken(stored=stored, dead=dead, wakes=tuple(wakes))


_NOTHING = Taken(stored=0, dead=0, wakes=())
_STORED = Taken(stored=1, dead=0, wakes=())
_DEAD = Taken(stored=1, dead=1, wakes=())


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """One event inside its transaction."""

    c: Connection
    secret: bytes
    connection: str
    callback: Callback
    now: datetime

    def take(self, replay_of: int | None) -> Taken:
        suffix = f"~replay:{replay_of}" if replay_of is not None else ""
        match self.callback.report:
            case Receipt() as receipt:
                return self._receipt(receipt, suffix)
            case Ignored(event_id=event_id, reason=reason):
                return self._ignore(event_id + suffix, reason)
            case Unreadable(reason=reason, event_id=event_id):
                digest = hashlib.sha256(self.callback.payload).hexdigest()
                return self._dead((event_id or f"unreadable:{digest}") + suffix, reason)

    def _receipt(self, receipt: Receipt, suffix: str) -> Taken:
        row = deliveries.locate(
            self.c,
            delivery_id=receipt.delivery_id,
            provider=self.connection,
            provider_message_id=receipt.provider_id,
            lock=True,
        )
        event_id = receipt.event_id + suffix
        if row is None and receipt.delivery_id is None:
            return self._ignore(event_id, "not_ours")
        if row is None and (receipt.delivery_id or "").startswith(TRIAL_PREFIX):
            return self._ignore(event_id, "trial")
        if row is None:
            return self._dead(event_id, "unknown_delivery")
        must_act = MOVES.get((row.state, receipt.state)) is DeliveryState.FAILED
        report = self._report(row, receipt) if must_act else None
        kind = InboxKind.DELIVERY_REPORT if must_act else InboxKind.RECEIPT
        inbox_id = inbox.insert(
            self.c,
            receive(row.brand, self.connection, event_id, kind, self.callback.payload, self.now),
            state=InboxState.ACCEPTED,
            canonical=report.model_dump_json(exclude_none=True) if report else None,
            order_id=row.order_id,
        )
        if inbox_id is None:
            return _NOTHING
        self._apply(row, receipt)
        return Taken(stored=1, dead=0, wakes=self._hand_on(row, inbox_id) if must_act else ())

    def _apply(self, row: DeliveryRow, receipt: Receipt) -> None:
        if receipt.closes_channel and row.address:
            contacts.set_state(
                self.c,
                brand=row.brand,
                channel=row.channel,
                address_key=contacts.address_key(self.secret, row.brand, row.channel, row.address),
                closed=True,
                reason=receipt.reason,
                source=self.connection,
                now=self.now,
            )
        moved = deliveries.apply_receipt(
            self.c,
            row,
            reported=receipt.state,
            reason=receipt.reason,
            provider_message_id=receipt.provider_id,
            now=self.now,
        )
        if moved is not None:
            data = {
                "delivery_id": row.id,
                "kind": row.kind,
                "channel": row.channel,
                "state": moved,
                "reason": receipt.reason if moved is DeliveryState.FAILED else None,
            }
            outbox.append(self.c, row.brand, row.order_id, "delivery.updated", data, self.now)

    def _report(self, row: DeliveryRow, receipt: Receipt) -> DeliveryReport:
        # The provider's clock is its own: an instant that makes no sense is replaced by ours.
        told = receipt.occurred_at
        plausible = told is not None and 1990 <= told.year <= self.now.year + 1
        return DeliveryReport(
            event_id=receipt.event_id[:200],
            occurred_at=told if told is not None and plausible else self.now,
            delivery_id=row.id,
            channel=row.channel,
            state=receipt.state,
            reason=receipt.reason,
        )

    def _hand_on(self, row: DeliveryRow, inbox_id: int) -> tuple[Wake, ...]:
        inbox.hand_off(
            self.c,
            inbox_id=inbox_id,
            brand=row.brand,
            connection=self.connection,
            order_id=row.order_id,
            shipment_ref=row.shipment_ref or "",
            now=self.now,
        )
        order = orders.by_id(self.c, row.order_id)
        return (Wake(order_id=order.id, key=order.key, inbox_id=inbox_id),) if order else ()

    def _ignore(self, event_id: str, reason: str) -> Taken:
        received = receive(NO_BRAND, self.connection, event_id, InboxKind.RECEIPT, self.callback.payload, self.now)
        inbox_id = inbox.insert(self.c, received, state=InboxState.IGNORED, reason=reason)
        return _STORED if inbox_id is not None else _NOTHING

    def _dead(self, event_id: str, reason: str) -> Taken:
        received = receive(
            NO_BRAND,
            self.connection,
            event_id,
            InboxKind.RECEIPT,
            self.callback.payload,
            self.now,
            self.callback.reference,
        )
        dead_letter(self.c, received, reason=reason)
        return _DEAD
