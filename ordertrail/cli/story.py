"""One order's whole story, as stored: who knows it, what happened, what was decided, what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from ordertrail.db import orders
from ordertrail.db.orders import OrderRow
from ordertrail.db.tables import cases, decisions, deliveries, timeline
from ordertrail.domain.failures import OrdertrailError
from ordertrail.domain.ids import NaturalKey


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A part of the story: what it shows of which table, in which order. No address, no words of a message."""

    title: str
    table: Table
    columns: tuple[str, ...]
    sort: tuple[str, ...]


CHAPTERS = (
    Chapter(
        title="Timeline",
        table=timeline,
        columns=("occurred_at", "recorded_at", "source", "kind", "shipment_ref", "seq", "event_id"),
        sort=("id",),
    ),
    Chapter(
        title="Decisions",
        table=decisions,
        columns=("at", "seq", "decision", "reason", "message_kind", "shipment_ref", "recipient", "channel"),
        sort=("id",),
    ),
    Chapter(
        title="Deliveries",
        table=deliveries,
        columns=(
            "planned_at", "kind", "occurrence", "shipment_ref", "recipient", "channel", "provider", "state", "reason",
            "attempts", "ambiguous", "accepted_at",
        ),
        sort=("planned_at", "id"),
    ),
    Chapter(
        title="Cases",
        table=cases,
        columns=("opened_at", "kind", "queue", "priority", "state", "reason", "shipment_ref", "due_at"),
        sort=("opened_at", "id"),
    ),
)  # fmt: skip


def find(c: Connection, reference: str, *, brand: str | None = None) -> OrderRow:
    """The order with this minted id, or with this `channel:external id` of a brand. Raises OrdertrailError."""
    if ":" not in reference:
        found = orders.by_id(c, reference, brand=brand)
    elif brand is None:
        raise OrdertrailError("brand", "an order named by channel:external-id needs --brand")
    else:
        channel, external_id = reference.split(":", 1)
        found = orders.by_key(c, NaturalKey(brand=brand, channel=channel, external_id=external_id))
    if found is None:
        raise OrdertrailError("unknown_order", f"there is no order '{reference}'")
    return found


def read(c: Connection, order_id: str, chapter: Chapter) -> Sequence[Row[Any]]:
    """The rows of one chapter."""
    columns = chapter.table.c
    statement = select(*(columns[name] for name in chapter.columns)).where(columns.order_id == order_id)
    return list(c.execute(statement.order_by(*(columns[name] for name in chapter.sort))))
