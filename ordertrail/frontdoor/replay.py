"""Dead letters given another chance: the raw payload is read again with today's code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import ValidationError
from sqlalchemy import Connection

from ordertrail.db import inbox, orders
from ordertrail.db.engine import Database
from ordertrail.db.inbox import InboxKind, InboxRow, InboxState
from ordertrail.domain.failures import OrdertrailError, Transient
from ordertrail.domain.ids import parse_order_workflow_id
from ordertrail.frontdoor.acceptance import Acceptance, Wake
from ordertrail.frontdoor.callbacks import READERS
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.frontdoor.matching import match_order, rematch
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.frontdoor.rejections import Rejection, rejection_of


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """It was understood this time. `acceptance.wakes` go to the dispatcher."""

    acceptance: Acceptance
    kind: Literal["replayed"] = "replayed"


@dataclass(frozen=True, kw_only=True)
class StillDead:
    """It is not understood today either, or what it waits for is still missing."""

    reason: str
    kind: Literal["still_dead"] = "still_dead"


@dataclass(frozen=True, kw_only=True)
class NotDead:
    """There is no dead letter with this id; `state` is what the row is, None where there is no row."""

    state: str | None
    kind: Literal["not_dead"] = "not_dead"


Outcome = Replayed | StillDead | NotDead
Reader = Callable[[InboxRow, datetime], Acceptance]


class Replay:
    """Reads dead letters again, exactly as if they had just come in. Safe to repeat.

    `others`: readers of kinds that do not come in over HTTP, by kind.
    """

    def __init__(
        self,
        database: Database,
        front_door: FrontDoor,
        receipts: Receipts,
        *,
        others: Mapping[str, Reader] | None = None,
    ) -> None:
        self._database = database
        self._front_door = front_door
        self._receipts = receipts
        self._readers: dict[str, Reader] = {
            InboxKind.ORDER: lambda row, now: front_door.order(row.brand, row.connection, row.payload, now),
            InboxKind.ORDER_EVENT: self._order_event,
            InboxKind.TRACKING_EVENT: self._tracking_event,
            InboxKind.RECEIPT: self._receipt,
            **(others or {}),
        }

    def replay(self, inbox_id: int, now: datetime, *, brand: str | None = None) -> Outcome:
        """Read one dead letter again, of `brand` only if one is given. Raises Transient without a database."""
        with self._database.read() as c:
            row = inbox.by_id(c, inbox_id)
        if row is None or (brand is not None and row.brand != brand):
            return NotDead(state=None)
        if row.state != InboxState.DEAD:
            return NotDead(state=row.state)
        if row.canonical is not None:
            return self._match_again(row, now)
        return self._read_again(row, now)

    def _read_again(self, row: InboxRow, now: datetime) -> Outcome:
        reader = self._readers.get(row.kind)
        if reader is None:
            return StillDead(reason="kind_cannot_be_replayed")  # and the row keeps the reason it was buried for
        try:
            acceptance = reader(row, now)
        except Transient:
            raise
        except ValidationError as error:
            return self._bury(row, rejection_of(error, row.payload))
        except OrdertrailError as error:
            return self._bury(row, Rejection(reason=error.code, detail=""))
        with self._database.write() as c:
            inbox.settle(c, row.id, InboxState.REPLAYED, reason=row.reason, match_key=row.match_key, replayed=True)
        return Replayed(acceptance=acceptance)

    def _bury(self, row: InboxRow, why: Rejection) -> StillDead:
        with self._database.write() as c:
            inbox.settle(
                c,
                row.id,
                InboxState.DEAD,
                reason=why.reason,
                detail=why.detail or row.detail,
                match_key=row.match_key,
                replayed=True,
            )
        return StillDead(reason=why.reason)

    def _match_again(self, row: InboxRow, now: datetime) -> Outcome:
        """It was understood when it came and waited in vain for its order or shipment: look for it once more."""
        with self._database.write() as c:
            inbox.settle(c, row.id, InboxState.UNMATCHED, reason="unmatched", match_key=row.match_key, replayed=True)
            if not _match(c, row.match_key or "", now):
                inbox.settle(c, row.id, InboxState.DEAD, reason=row.reason, detail=row.detail, match_key=row.match_key)
                return StillDead(reason=row.reason or "unmatched")
            matched = inbox.by_id(c, row.id)
            order = orders.by_id(c, matched.order_id) if matched and matched.order_id else None
        wakes = (Wake(order_id=order.id, key=order.key, inbox_id=row.id),) if order else ()
        return Replayed(acceptance=Acceptance(answer={"inbox_id": row.id, "status": "accepted"}, wakes=wakes))

    def _order_event(self, row: InboxRow, now: datetime) -> Acceptance:
        return self._front_door.order_event(row.brand, row.connection, row.match_key or "", row.payload, now)

    def _tracking_event(self, row: InboxRow, now: datetime) -> Acceptance:
        return self._front_door.tracking_event(row.brand, row.connection, row.payload, now, reference=row.match_key)

    def _receipt(self, row: InboxRow, now: datetime) -> Acceptance:
        callbacks = READERS[row.connection](row.payload, row.match_key)
        taken = self._receipts.take(row.connection, callbacks, now, replay_of=row.id)
        if taken.dead:
            raise OrdertrailError(row.reason or "unreadable")
        return Acceptance(answer={"inbox_id": row.id, "status": "accepted"}, wakes=taken.wakes)


def _match(c: Connection, match_key: str, now: datetime) -> int:
    key = parse_order_workflow_id(match_key)
    if key is None:
        return rematch(c, [match_key], now)
    order = orders.by_key(c, key)
    return match_order(c, key, order.id, now) if order else 0
