"""What became of messages: reading deliveries, and moving them by what providers report."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, update

from ordertrail.db.tables import deliveries
from ordertrail.db.types import Utc
from ordertrail.domain.vocabulary import Channel, DeliveryState

_S = DeliveryState
_SENT = (_S.PLANNED, _S.CLAIMED, _S.ACCEPTED, _S.UNKNOWN)
"""States from which a provider's word is news. A planned one may have an attempt behind it whose end nobody saw."""

MOVES: dict[tuple[DeliveryState, DeliveryState], DeliveryState] = {
    **{(state, _S.ACCEPTED): _S.ACCEPTED for state in (_S.PLANNED, _S.CLAIMED, _S.UNKNOWN)},
    # Receipt is the strongest word there is: it resolves an ambiguous send and corrects what we gave up on.
    **{(state, _S.DELIVERED): _S.DELIVERED for state in (*_SENT, _S.FAILED, _S.SUPERSEDED, _S.EXPIRED)},
    # A bounce may follow a receipt: the receiving server took the message and its mailbox refused it later.
    **{(state, _S.FAILED): _S.FAILED for state in (*_SENT, _S.DELIVERED)},
}
"""(state, reported) -> state. A pair that is not here changes nothing: a report never moves a delivery backwards."""

_SETTLED = frozenset({_S.DELIVERED, _S.FAILED})


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """A delivery as receipts need it. `address` is personal data and None once erased."""

    id: str
    brand: str
    order_id: str
    shipment_ref: str | None
    kind: str
    channel: Channel
    state: DeliveryState
    reason: str | None
    address: str | None
    provider: str
    provider_message_id: str | None


_COLUMNS = [deliveries.c[name] for name in DeliveryRow.__annotations__]


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """A delivery as it may be shown: no address and no words of the message."""

    id: str
    kind: str
    channel: str
    state: str
    reason: str | None
    shipment_ref: str | None
    occurrence: int
    recipient: str
    provider: str
    critical: bool
    attempts: int
    ambiguous: int
    overtaken: bool
    not_before: datetime
    not_after: datetime
    planned_at: datetime
    claimed_at: datetime | None
    accepted_at: datetime | None
    settled_at: datetime | None


_VIEW = [deliveries.c[name] for name in DeliveryView.__annotations__]


def of_order(c: Connection, order_id: str) -> list[DeliveryView]:
    """All deliveries of an order, in the order in which they were decided."""
    statement = select(*_VIEW).where(deliveries.c.order_id == order_id)
    return [
        DeliveryView(**row._mapping) for row in c.execute(statement.order_by(deliveries.c.planned_at, deliveries.c.id))
    ]


def counts(c: Connection) -> dict[tuple[str, str], int]:
    """How many deliveries there are by (channel, state)."""
    statement = select(deliveries.c.channel, deliveries.c.state, func.count())
    rows = c.execute(statement.group_by(deliveries.c.channel, deliveries.c.state))
    return {(channel, state): number for channel, state, number in rows}


def unclear_counts(c: Connection) -> dict[str, tuple[int, int]]:
    """Per provider: attempts whose end nobody saw, and how many of them were followed by another with nobody to ask."""
    statement = select(
        deliveries.c.provider, func.sum(deliveries.c.ambiguous), func.sum(deliveries.c.unresolved)
    ).group_by(deliveries.c.provider)
    return {provider: (int(unclear), int(unresolved)) for provider, unclear, unresolved in c.execute(statement)}


def locate(
    c: Connection, *, delivery_id: str | None, provider: str, provider_message_id: str | None, lock: bool = False
) -> DeliveryRow | None:
    """The delivery a report is about: by our id, else by the provider's. `lock` holds the row for this transaction."""
    if delivery_id:
        wanted = deliveries.c.id == delivery_id
    elif provider_message_id:
        wanted = (deliveries.c.provider == provider) & (deliveries.c.provider_message_id == provider_message_id)
    else:
        return None
    statement = select(*_COLUMNS).where(wanted).order_by(deliveries.c.id).limit(1)
    row = c.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        return None
    values = {**row._mapping, "channel": Channel(row.channel), "state": DeliveryState(row.state)}
    return DeliveryRow(**values)


def rendered(c: Connection, delivery_id: str, *, brand: str) -> str | None:
    """What was sent, a Rendered as JSON; personal data. None if it is unknown, not rendered yet, or erased."""
    statement = select(deliveries.c.rendered).where(deliveries.c.id == delivery_id, deliveries.c.brand == brand)
    return c.execute(statement).scalar_one_or_none()


def apply_receipt(
    c: Connection, row: DeliveryRow, *, reported: DeliveryState, reason: str, provider_message_id: str | None,
    now: datetime,
) -> DeliveryState | None:  # fmt: skip
    """Move a delivery by the table above; the state it is in now, or None when the report changes nothing.

    `row` was located with `lock` in this transaction. A failure becomes one the order has not yet answered.
    """
    moved = MOVES.get((row.state, reported))
    if moved is None:
        return None
    values: dict[str, object] = {
        "state": moved,
        "unclear_since": None,
        "reason": reason if moved is _S.FAILED else None,
    }
    if provider_message_id and row.provider_message_id is None:
        values["provider_message_id"] = provider_message_id
    values["accepted_at"] = (
        func.coalesce(deliveries.c.accepted_at, literal(now, Utc))
        if moved is not _S.FAILED
        else deliveries.c.accepted_at
    )
    if moved in _SETTLED:
        values |= {"settled_at": now, "receipt_due_at": None, "handled": False}
    c.execute(update(deliveries).where(deliveries.c.id == row.id).values(**values))
    return moved


__all__ = ["MOVES", "DeliveryRow", "DeliveryView", "apply_receipt", "counts", "locate", "of_order", "rendered"]
