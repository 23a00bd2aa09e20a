"""Outbox events: what others must learn, written in the transaction that changed it and numbered by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from ordertrail.db.tables import outbox_events


@dataclass(frozen=True, kw_only=True)
class OutboxEvent:
    """One event. `data` holds facts and ids, no personal data."""

    id: int
    brand: str
    order_id: str
    type: str
    data: Mapping[str, Any]
    at: datetime


_APPEND = insert(outbox_events)
_COLUMNS = [outbox_events.c[name] for name in OutboxEvent.__annotations__]


def append(
    c: Connection,
    brand: str,
    order_id: str,
    type: str,  # noqa: A002
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    """Tell others. `type` is `<thing>.<past participle>`, such as `delivery.updated`; no personal data in `data`."""
    c.execute(_APPEND, {"brand": brand, "order_id": order_id, "type": type, "data": dict(data), "at": now})


def append_all(c: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell others several things at once; each row has the columns brand, order_id, type, data and at."""
    if rows:
        c.execute(_APPEND, rows)


def latest_id(c: Connection) -> int:
    """The highest number given so far; 0 before the first event."""
    latest: int | None = c.execute(select(func.max(outbox_events.c.id))).scalar_one()
    return latest or 0


def after(c: Connection, event_id: int, *, order_id: str | None = None, limit: int = 500) -> list[OutboxEvent]:
    """Events with a higher number, of one order or of all, ascending."""
    statement = select(*_COLUMNS).where(outbox_events.c.id > event_id).order_by(outbox_events.c.id).limit(limit)
    if order_id is not None:
        statement = statement.where(outbox_events.c.order_id == order_id)
    return [OutboxEvent(**row._mapping) for row in c.execute(statement)]


def among(c: Connection, ids: Sequence[int]) -> list[OutboxEvent]:
    """Those of these numbers that exist, ascending."""
    statement = select(*_COLUMNS).where(outbox_events.c.id.in_(ids)).order_by(outbox_events.c.id)
    return [OutboxEvent(**row._mapping) for row in c.execute(statement)]
