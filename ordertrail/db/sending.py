"""The send side of a delivery's state machine: claim, then send, then mark; each a transaction of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from ordertrail.db import contacts, outbox
from ordertrail.db.tables import deliveries
from ordertrail.domain.vocabulary import Channel, DeliveryState

_S = DeliveryState


@dataclass(frozen=True, kw_only=True)
class SendRow:
    """A delivery as its sender needs it; personal data inside."""

    id: str
    key: str
    brand: str
    order_id: str
    shipment_ref: str | None
    kind: str
    channel: str
    critical: bool
    provider: str
    state: str
    reason: str | None
    facts: str
    address: str | None
    rendered: str | None
    not_after: datetime
    claimed_at: datetime | None
    unclear_since: datetime | None
    attempts: int
    overtaken: bool


_COLUMNS = [deliveries.c[name] for name in SendRow.__annotations__]
_LOAD = select(*_COLUMNS)


def load(c: Connection, delivery_id: str, *, lock: bool = False) -> SendRow | None:
    """One delivery, or None. `lock` holds it until the transaction ends."""
    statement = _LOAD.where(deliveries.c.id == delivery_id)
    row = c.execute(statement.with_for_update() if lock else statement).one_or_none()
    return SendRow(**row._mapping) if row else None


def claim(c: Connection, row: SendRow, *, rendered: str, now: datetime) -> None:
    """From here on an attempt may be at the provider. The rendered bytes are kept and re-sent as they are."""
    _set(
        c, row.id, from_states=(_S.PLANNED, _S.CLAIMED), state=_S.CLAIMED, rendered=rendered, claimed_at=now,
        unclear_since=None, attempts=deliveries.c.attempts + 1,
    )  # fmt: skip


def release(c: Connection, delivery_id: str) -> None:
    """The attempt certainly did not get through; the next one is a first one again."""
    _set(c, delivery_id, from_states=(_S.CLAIMED,), state=_S.PLANNED, unclear_since=None)


def mark_unclear(c: Connection, delivery_id: str, *, now: datetime) -> None:
    """An attempt's end was not seen; counted once per attempt."""
    c.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == _S.CLAIMED, deliveries.c.unclear_since.is_(None))
        .values(unclear_since=now, ambiguous=deliveries.c.ambiguous + 1)
    )


def mark_accepted(c: Connection, row: SendRow, *, provider_id: str, now: datetime) -> None:
    """The provider has it. A receipt that was faster is not undone."""
    moved = _set(
        c, row.id, from_states=(_S.PLANNED, _S.CLAIMED), state=_S.ACCEPTED, accepted_at=now, unclear_since=None,
        provider_message_id=provider_id,
    )  # fmt: skip
    if moved:
        _tell(c, row, _S.ACCEPTED, None, now)
    else:
        c.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.provider_message_id.is_(None))
            .values(provider_message_id=provider_id, unclear_since=None)
        )


def settle(c: Connection, row: SendRow, state: DeliveryState, *, reason: str, now: datetime) -> bool:
    """End a delivery without acceptance; False when it has moved on in the meantime."""
    moved = _set(
        c, row.id, from_states=(_S.PLANNED, _S.CLAIMED), state=state, reason=reason, settled_at=now, unclear_since=None
    )
    if moved:
        _tell(c, row, state, reason, now)
    return moved


def close_contact(c: Connection, row: SendRow, *, address_key: str, reason: str, now: datetime) -> None:
    """This address must not be used again on this channel."""
    contacts.set_state(
        c, brand=row.brand, channel=Channel(row.channel), address_key=address_key, closed=True, reason=reason,
        source=row.provider, now=now,
    )  # fmt: skip


def _set(c: Connection, delivery_id: str, *, from_states: tuple[DeliveryState, ...], **values: Any) -> bool:
    statement = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.state.in_(from_states))
    return c.execute(statement.values(**values)).rowcount == 1


def _tell(c: Connection, row: SendRow, state: DeliveryState, reason: str | None, now: datetime) -> None:
    data = {"delivery_id": row.id, "kind": row.kind, "channel": row.channel, "state": state.value, "reason": reason}
    outbox.append(c, row.brand, row.order_id, "delivery.updated", data, now)
