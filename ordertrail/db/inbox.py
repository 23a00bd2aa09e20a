"""The inbox and its handoffs: everything received, raw and first, and what of it still has to reach its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, and_, bindparam, delete, func, select, update

from ordertrail.db.tables import handoffs, inbox, orders, trackers
from ordertrail.db.upsert import Prepared

HAND_ON_GRACE = timedelta(seconds=2)
"""The process that accepted a row hands it on itself; the sweep takes over what is older."""


class InboxState(StrEnum):
    ACCEPTED = "accepted"
    UNMATCHED = "unmatched"
    DEAD = "dead"
    REPLAYED = "replayed"
    IGNORED = "ignored"


class InboxKind(StrEnum):
    ORDER = "order"
    ORDER_EVENT = "order_event"
    TRACKING_EVENT = "tracking_event"
    RECEIPT = "receipt"
    DELIVERY_REPORT = "delivery_report"
    SIGNAL = "signal"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One inbound payload, before anything is decided about it. `connection` is who sent it."""

    brand: str
    connection: str
    source_event_id: str
    kind: InboxKind
    payload: bytes
    body_sha256: str
    received_at: datetime
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    id: int
    brand: str
    connection: str
    source_event_id: str
    kind: str
    state: str
    reason: str | None
    detail: str | None
    priority: int
    order_id: str | None
    received_at: datetime
    replays: int
    body_sha256: str
    payload: bytes
    canonical: str | None
    answer: str | None
    match_key: str | None


_COLUMNS = [inbox.c[name] for name in InboxRow.__annotations__]
_INSERT = Prepared(
    inbox,
    lambda new: new.on_conflict_do_nothing(index_elements=["brand", "connection", "source_event_id"]).returning(
        inbox.c.id
    ),
)
_SET_ANSWER = update(inbox).where(inbox.c.id == bindparam("answered")).values(answer=bindparam("given"))
_HAND_OFF = Prepared(
    handoffs, lambda new: new.on_conflict_do_nothing(index_elements=["inbox_id", "order_id", "shipment_ref"])
)
_UNMATCHED = (
    select(*_COLUMNS)
    .where(inbox.c.state == InboxState.UNMATCHED, inbox.c.match_key.in_(bindparam("keys", expanding=True)))
    .order_by(inbox.c.id)
)


def insert(
    c: Connection,
    received: Received,
    *,
    state: InboxState,
    canonical: str | None = None,
    reason: str | None = None,
    detail: str | None = None,
    priority: int = 5,
    match_key: str | None = None,
    order_id: str | None = None,
) -> int | None:
    """Store one payload. Its id, or None when this (brand, connection, source event id) is already there."""
    values = {
        "brand": received.brand, "connection": received.connection, "source_event_id": received.source_event_id,
        "kind": received.kind, "body_sha256": received.body_sha256, "payload": received.payload,
        "received_at": received.received_at, "state": state, "canonical": canonical, "reason": reason,
        "detail": detail, "priority": priority, "match_key": match_key, "order_id": order_id,
    }  # fmt: skip
    found: int | None = c.execute(_INSERT.on(c), values).scalar_one_or_none()
    return found


def by_source(c: Connection, received: Received) -> InboxRow:
    """The row stored earlier under the same source event id."""
    row = c.execute(
        select(*_COLUMNS).where(
            inbox.c.brand == received.brand,
            inbox.c.connection == received.connection,
            inbox.c.source_event_id == received.source_event_id,
        )
    ).one()
    return InboxRow(**row._mapping)


def by_id(c: Connection, inbox_id: int) -> InboxRow | None:
    """One row, or None."""
    row = c.execute(select(*_COLUMNS).where(inbox.c.id == inbox_id)).one_or_none()
    return InboxRow(**row._mapping) if row else None


def listing(
    c: Connection,
    *,
    states: Sequence[InboxState],
    brand: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[InboxRow]:
    """Rows in these states, most urgent first, then newest."""
    statement = (
        select(*_COLUMNS).where(inbox.c.state.in_(states)).order_by(inbox.c.priority, inbox.c.id.desc()).limit(limit)
    )
    if brand:
        statement = statement.where(inbox.c.brand == brand)
    if before_id:
        statement = statement.where(inbox.c.id < before_id)
    return [InboxRow(**row._mapping) for row in c.execute(statement)]


def set_answer(c: Connection, inbox_id: int, answer: str) -> None:
    """Keep the answer given, so that a repeated request gets the same one."""
    c.execute(_SET_ANSWER, {"answered": inbox_id, "given": answer})


def settle(
    c: Connection, inbox_id: int, state: InboxState, *, reason: str | None = None, detail: str | None = None,
    order_id: str | None = None, canonical: str | None = None, match_key: str | None = None, replayed: bool = False,
) -> None:  # fmt: skip
    """Move a row to another state."""
    values: dict[str, object] = {"state": state, "reason": reason, "detail": detail, "match_key": match_key}
    if order_id is not None:
        values["order_id"] = order_id
    if canonical is not None:
        values["canonical"] = canonical
    if replayed:
        values["replays"] = inbox.c.replays + 1
    c.execute(update(inbox).where(inbox.c.id == inbox_id).values(**values))


def hand_off(
    c: Connection, *, inbox_id: int, brand: str, connection: str, order_id: str, shipment_ref: str = "", now: datetime,
    grace: timedelta = HAND_ON_GRACE,
) -> None:  # fmt: skip
    """Queue an accepted row for its order."""
    values = {
        "inbox_id": inbox_id, "brand": brand, "connection": connection, "order_id": order_id,
        "shipment_ref": shipment_ref, "stored_at": now, "due_at": now + grace,
    }  # fmt: skip
    c.execute(_HAND_OFF.on(c), values)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A handoff together with what it carries."""

    id: int
    inbox_id: int
    connection: str
    kind: str
    shipment_ref: str
    canonical: str
    received_at: datetime


def waiting_for(c: Connection, order_id: str, *, limit: int = 200) -> list[Waiting]:
    """What has been accepted for an order and not yet consumed by it, oldest first."""
    return [Waiting(**row._mapping) for row in c.execute(_WAITING, {"of_order": order_id, "at_most": limit})]


def consume(c: Connection, handoff_ids: Sequence[int]) -> None:
    """The order has taken these; they need not be handed on again."""
    if handoff_ids:
        c.execute(_CONSUME, {"taken": list(handoff_ids)})


_WAITING = (
    select(
        handoffs.c.id, handoffs.c.inbox_id, handoffs.c.connection, inbox.c.kind, handoffs.c.shipment_ref,
        inbox.c.canonical, inbox.c.received_at,
    )
    .join(inbox, inbox.c.id == handoffs.c.inbox_id)
    .where(handoffs.c.order_id == bindparam("of_order"))
    .order_by(handoffs.c.id)
    .limit(bindparam("at_most"))
)  # fmt: skip
_CONSUME = delete(handoffs).where(handoffs.c.id.in_(bindparam("taken", expanding=True)))


@dataclass(frozen=True, kw_only=True)
class Due:
    """An order that must be woken, and the newest row it is woken for."""

    handoff_id: int
    inbox_id: int
    order_id: str
    brand: str
    channel: str
    external_id: str


def due_handoffs(c: Connection, *, now: datetime, limit: int) -> list[Due]:
    """The oldest unforwarded handoff of each order that is due, taking brands and connections in turns.

    One wake-up is enough for all rows of an order, because an advance consumes everything that waits for it.
    """
    wanted = and_(handoffs.c.forwarded_at.is_(None), handoffs.c.due_at <= now)
    oldest = select(func.min(handoffs.c.id).label("id")).where(wanted).group_by(handoffs.c.order_id).subquery()
    turn = func.row_number().over(partition_by=(handoffs.c.brand, handoffs.c.connection), order_by=handoffs.c.id)
    statement = (
        select(
            handoffs.c.id.label("handoff_id"), handoffs.c.inbox_id, handoffs.c.order_id, orders.c.brand,
            orders.c.channel, orders.c.external_id,
        )
        .join(oldest, oldest.c.id == handoffs.c.id)
        .join(orders, orders.c.id == handoffs.c.order_id)
        .order_by(turn, handoffs.c.id)
        .limit(limit)
    )  # fmt: skip
    return [Due(**row._mapping) for row in c.execute(statement)]


def lease(c: Connection, order_ids: Sequence[str], *, until: datetime) -> None:
    """Keep other sweeps from the same orders for a while; a crash lets the lease run out."""
    if order_ids:
        c.execute(
            update(handoffs)
            .where(handoffs.c.order_id.in_(order_ids), handoffs.c.forwarded_at.is_(None))
            .values(due_at=until, attempts=handoffs.c.attempts + 1)
        )


def mark_forwarded(c: Connection, marks: Mapping[str, int], *, now: datetime) -> None:
    """Temporal has the wake-ups: for each order id, of every handoff up to this inbox id."""
    for order_id, up_to in marks.items():
        c.execute(_MARK, {"of_order": order_id, "up_to": up_to, "at": now})


_MARK = (
    update(handoffs)
    .where(
        handoffs.c.order_id == bindparam("of_order"),
        handoffs.c.inbox_id <= bindparam("up_to"),
        handoffs.c.forwarded_at.is_(None),
    )
    .values(forwarded_at=bindparam("at"))
)


def has_forgotten(c: Connection, *, older_than: datetime) -> bool:
    """Whether any handoff was forwarded before this and never consumed."""
    return c.execute(select(handoffs.c.id).where(handoffs.c.forwarded_at < older_than).limit(1)).first() is not None


def forget_forwarded(c: Connection, *, older_than: datetime) -> int:
    """Make handoffs due again that were forwarded long ago and never consumed (Temporal lost them). Their number."""
    result = c.execute(
        update(handoffs)
        .where(handoffs.c.forwarded_at.is_not(None), handoffs.c.forwarded_at < older_than)
        .values(forwarded_at=None)
    )
    return result.rowcount


def unmatched(c: Connection, keys: Sequence[str]) -> list[InboxRow]:
    """Rows waiting for one of these keys, oldest first."""
    if not keys:
        return []
    return [InboxRow(**row._mapping) for row in c.execute(_UNMATCHED, {"keys": list(keys)})]


def unmatched_with_tracker(c: Connection, *, since: datetime, limit: int = 100) -> list[str]:
    """Keys for which both a waiting row and its tracker exist: the two came at once and missed each other.

    Newest first, and none received before `since`: a scan from outside its tracker's time waits as well, and never
    matches; those must not stand in the way of the others.
    """
    statement = (
        select(inbox.c.match_key)
        .join(trackers, trackers.c.match_key == inbox.c.match_key)
        .where(inbox.c.state == InboxState.UNMATCHED, inbox.c.received_at >= since)
        .group_by(inbox.c.match_key)
        .order_by(func.max(inbox.c.id).desc())
        .limit(limit)
    )
    return [key for (key,) in c.execute(statement)]


def bury_unmatched(c: Connection, *, older_than: datetime) -> int:
    """What nobody claimed for so long becomes dead letters. How many."""
    statement = (
        update(inbox)
        .where(inbox.c.state == InboxState.UNMATCHED, inbox.c.received_at < older_than)
        .values(state=InboxState.DEAD, reason="never_matched")
    )
    return c.execute(statement).rowcount


def counts(c: Connection) -> dict[str, int]:
    """Rows per state that need somebody's eye: unmatched and dead."""
    states = (InboxState.UNMATCHED, InboxState.DEAD)
    statement = select(inbox.c.state, func.count()).where(inbox.c.state.in_(states)).group_by(inbox.c.state)
    return {str(row[0]): int(row[1]) for row in c.execute(statement)}


def backlog(c: Connection, *, now: datetime) -> tuple[int, float]:
    """How many handoffs wait, and the age of the oldest in seconds."""
    number, oldest = c.execute(select(func.count(), func.min(handoffs.c.stored_at))).one()
    return number, (now - oldest).total_seconds() if oldest else 0.0
