"""What the console provider wrote down, for the operator's outbox."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, or_, select

from ordertrail.db.tables import console_messages, deliveries, orders


@dataclass(frozen=True, kw_only=True)
class ConsoleMessage:
    """One message as it was handed over; personal data. `document` is its order's read model."""

    id: int
    brand: str
    channel: str
    kind: str
    recipient: str
    recipient_name: str
    message: str
    at: datetime
    order_id: str | None
    document: str | None
    delivery_id: str


def _messages() -> Select[tuple[object, ...]]:
    written = console_messages.c
    return (
        select(
            written.id, written.brand, written.channel, written.kind, written.recipient, written.recipient_name,
            written.message, written.at, deliveries.c.order_id, orders.c.document, written.delivery_id,
        )
        .select_from(console_messages)
        .outerjoin(deliveries, deliveries.c.id == written.delivery_id)
        .outerjoin(orders, orders.c.id == deliveries.c.order_id)
    )  # fmt: skip


def page(
    c: Connection, *, brand: str | None, order: str, before_id: int | None, after_id: int | None, limit: int
) -> list[ConsoleMessage]:
    """Messages, newest first: below `before_id`, or the `limit` next above `after_id`. `order` is an id or a number."""
    statement = _messages().limit(limit)
    if brand is not None:
        statement = statement.where(console_messages.c.brand == brand)
    if order:
        number = orders.c.document.contains(f'"number":"{order}"', autoescape=True)
        statement = statement.where(or_(orders.c.id == order, orders.c.external_id == order, number))
    if after_id is not None:
        statement = statement.where(console_messages.c.id > after_id).order_by(console_messages.c.id)
        return [ConsoleMessage(**row._mapping) for row in c.execute(statement)][::-1]
    if before_id is not None:
        statement = statement.where(console_messages.c.id < before_id)
    return [ConsoleMessage(**row._mapping) for row in c.execute(statement.order_by(console_messages.c.id.desc()))]


def by_id(c: Connection, message_id: int, *, brand: str | None) -> ConsoleMessage | None:
    """One message, of this brand only if one is given."""
    statement = _messages().where(console_messages.c.id == message_id)
    if brand is not None:
        statement = statement.where(console_messages.c.brand == brand)
    row = c.execute(statement).one_or_none()
    return ConsoleMessage(**row._mapping) if row else None
