"""What the API reads: the read model by page. Nothing here writes, and nothing asks Temporal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, bindparam, cast, literal, or_, select

from ordertrail.db.inbox import InboxState
from ordertrail.db.tables import cases, decisions, inbox, orders, people, timeline
from ordertrail.db.types import Utc
from ordertrail.domain.ids import NaturalKey

_DOCUMENT_BY_ID = select(orders.c.document).where(orders.c.id == bindparam("id"), orders.c.brand == bindparam("brand"))
_DOCUMENT_BY_KEY = select(orders.c.document).where(
    orders.c.brand == bindparam("brand"),
    orders.c.channel == bindparam("channel"),
    orders.c.external_id == bindparam("external_id"),
)
_PUBLIC = select(orders.c.brand, orders.c.document).where(orders.c.id == bindparam("id"))


def document(c: Connection, *, brand: str, order_id: str) -> str | None:
    """The ready JSON document of an order of this brand."""
    return c.execute(_DOCUMENT_BY_ID, {"id": order_id, "brand": brand}).scalar_one_or_none()


def document_by_key(c: Connection, key: NaturalKey) -> str | None:
    """The ready JSON document of the order with this natural key."""
    values = {"brand": key.brand, "channel": key.channel, "external_id": key.external_id}
    return c.execute(_DOCUMENT_BY_KEY, values).scalar_one_or_none()


def public_document(c: Connection, order_id: str) -> tuple[str, str] | None:
    """(brand, document) of an order whose id came out of a signed link."""
    row = c.execute(_PUBLIC, {"id": order_id}).one_or_none()
    return (row.brand, row.document) if row else None


def order_id_of(c: Connection, brand: str, reference: str | NaturalKey) -> str | None:
    """The id of the order of this brand that an id or a natural key names."""
    statement = select(orders.c.id).where(orders.c.brand == brand)
    if isinstance(reference, str):
        statement = statement.where(orders.c.id == reference)
    else:
        statement = statement.where(
            orders.c.channel == reference.channel, orders.c.external_id == reference.external_id
        )
    return c.execute(statement).scalar_one_or_none()


@dataclass(frozen=True, kw_only=True)
class OrderFilter:
    """Which orders are wanted; None does not filter. Instants are aware; `placed_to` is exclusive."""

    customer: str | None = None
    channel: str | None = None
    external_id: str | None = None
    status: str | None = None
    condition: str | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None


_SUMMARY = [
    orders.c[name]
    for name in (
        "id", "channel", "external_id", "status", "conditions", "placed_at", "updated_at", "promise_ends_at", "queue",
        "open",
    )
]  # fmt: skip


def order_page(
    c: Connection, brand: str, wanted: OrderFilter, *, before_id: str | None, limit: int
) -> list[Mapping[str, Any]]:
    """Summaries of a brand's orders, newest first, beginning below `before_id`."""
    statement = select(*_SUMMARY).where(orders.c.brand == brand).order_by(orders.c.id.desc()).limit(limit)
    if wanted.customer is not None:
        person = select(people.c.id).where(people.c.brand == brand, people.c.customer_ref == wanted.customer)
        statement = statement.where(orders.c.person_id.in_(person))
    if wanted.condition is not None:
        # A closed set of plain words, so the JSON text is enough, and means the same on both databases.
        statement = statement.where(cast(orders.c.conditions, Text).contains(f'"{wanted.condition}"'))
    for column, value in (
        (orders.c.channel, wanted.channel),
        (orders.c.external_id, wanted.external_id),
        (orders.c.status, wanted.status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.placed_from is not None:
        statement = statement.where(orders.c.placed_at >= wanted.placed_from)
    if wanted.placed_to is not None:
        statement = statement.where(orders.c.placed_at < wanted.placed_to)
    if before_id is not None:
        statement = statement.where(orders.c.id < before_id)
    return _rows(c, statement)


def timeline_page(c: Connection, order_id: str, *, after_id: int, limit: int) -> list[tuple[int, str]]:
    """(row id, envelope as JSON) of an order's timeline in the order in which it was recorded."""
    statement = (
        select(timeline.c.id, timeline.c.envelope)
        .where(timeline.c.order_id == order_id, timeline.c.id > after_id)
        .order_by(timeline.c.id)
        .limit(limit)
    )
    return [(row.id, row.envelope) for row in c.execute(statement)]


_DECISION = [
    decisions.c[name]
    for name in (
        "id", "seq", "decision", "reason", "message_kind", "shipment_ref", "occurrence", "recipient", "channel",
        "event_ids", "inputs", "versions", "at",
    )
]  # fmt: skip


def decision_page(c: Connection, order_id: str, *, after_id: int, limit: int) -> list[Mapping[str, Any]]:
    """An order's decisions with what they were based on, oldest first."""
    statement = select(*_DECISION).where(decisions.c.order_id == order_id, decisions.c.id > after_id)
    return _rows(c, statement.order_by(decisions.c.id).limit(limit))


_CASE = [
    cases.c[name]
    for name in (
        "id", "order_id", "shipment_ref", "kind", "occurrence", "queue", "priority", "state", "reason", "facts",
        "opened_at", "due_at", "escalated_at", "acknowledged_at", "closed_at", "outcome",
    )
]  # fmt: skip


def case_page(
    c: Connection,
    brand: str,
    *,
    queue: str | None,
    state: str | None,
    priority: str | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Mapping[str, Any]]:
    """A brand's cases, newest first, beginning below `before` (opened_at, id)."""
    statement = (
        select(*_CASE).where(cases.c.brand == brand).order_by(cases.c.opened_at.desc(), cases.c.id.desc()).limit(limit)
    )
    for column, value in ((cases.c.queue, queue), (cases.c.state, state), (cases.c.priority, priority)):
        if value is not None:
            statement = statement.where(column == value)
    if before is not None:
        opened_at = literal(before[0], Utc)
        statement = statement.where(
            or_(cases.c.opened_at < opened_at, and_(cases.c.opened_at == opened_at, cases.c.id < before[1]))
        )
    return _rows(c, statement)


_DEAD_LETTER = [
    inbox.c[name] for name in ("id", "kind", "connection", "reason", "priority", "received_at", "order_id", "replays")
]


def dead_letter_page(
    c: Connection, brand: str, *, kinds: Sequence[str] = (), after: tuple[int, int] | None, limit: int
) -> list[Mapping[str, Any]]:
    """A brand's dead letters without their payloads, most urgent first, then newest, below `after` (priority, id)."""
    statement = (
        select(*_DEAD_LETTER)
        .where(inbox.c.brand == brand, inbox.c.state == InboxState.DEAD)
        .order_by(inbox.c.priority, inbox.c.id.desc())
        .limit(limit)
    )
    if kinds:
        statement = statement.where(inbox.c.kind.in_(kinds))
    if after is not None:
        priority, inbox_id = after
        statement = statement.where(
            or_(inbox.c.priority > priority, and_(inbox.c.priority == priority, inbox.c.id < inbox_id))
        )
    return _rows(c, statement)


def _rows(c: Connection, statement: Select[Any]) -> list[Mapping[str, Any]]:
    return [dict(row._mapping) for row in c.execute(statement)]
