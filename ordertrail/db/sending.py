"""The send side of a delivery's state machine: claim, then send, then mark; each a transaction of its own."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, bindparam, select, update

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
_LOAD = select(*_COLUMNS).where(deliveries.c.id == bindparam("wanted"))
_LOAD_LOCKED = _LOAD.with_for_update()
_OPEN = (_S.PLANNED, _S.CLAIMED)
_CLAIM = update(deliveries).where(
    deliveries.c.id == bindparam("wanted"),
    deliveries.c.state.in_(_OPEN),
    deliveries.c.attempts == bindparam("attempts_before"),
    deliveries.c.overtaken == bindparam("overtaken_before"),
)
_END = update(deliveries).where(deliveries.c.id == bindparam("wanted"), deliveries.c.state.in_(_OPEN))


def load(c: Connection, delivery_id: str, *, lock: bool = False) -> SendRow | None:
    """One delivery, or None. `lock` holds it until the transaction ends."""
    row = c.execute(_LOAD_LOCKED if lock else _LOAD, {"wanted": delivery_id}).one_or_none()
    return SendRow(**row._mapping) if row else None


def claim(c: Connection, row: SendRow, *, rendered: str, now: datetime) -> SendRow | None:
    """From here on an attempt may be at the provider. The rendered bytes are kept and re-sent as they are.

    The row as this attempt has claimed it; None when it is no longer as `row` says, so that of two attempts one wins.
    """
    claimed: dict[str, Any] = {
        "state": _S.CLAIMED, "rendered": rendered, "claimed_at": now, "unclear_since": None,
        "attempts": row.attempts + 1,
    }  # fmt: skip
    as_known = {"wanted": row.id, "attempts_before": row.attempts, "overtaken_before": row.overtaken}
    won = c.execute(_CLAIM, {**claimed, **as_known}).rowcount == 1
    return replace(row, **claimed) if won else None


def release(c: Connection, row: SendRow) -> None:
    """The claimed attempt certainly did not get through; the next one is a first one again."""
    c.execute(_claimed_by(row).values(state=_S.PLANNED, unclear_since=None))


def mark_unclear(c: Connection, row: SendRow, *, now: datetime) -> None:
    """The claimed attempt's end was not seen; counted once per attempt."""
    c.execute(
        _claimed_by(row)
        .where(deliveries.c.unclear_since.is_(None))
        .values(unclear_since=now, ambiguous=deliveries.c.ambiguous + 1)
    )


def count_unresolved(c: Connection, row: SendRow) -> None:
    """An unclear attempt nobody could tell about is followed by another: the only way a message can be doubled."""
    c.execute(_claimed_by(row).values(unresolved=deliveries.c.unresolved + 1))


def _claimed_by(row: SendRow) -> Update:
    """The delivery as long as nobody has claimed it after `row`."""
    return update(deliveries).where(
        deliveries.c.id == row.id, deliveries.c.state == _S.CLAIMED, deliveries.c.attempts == row.attempts
    )


def mark_accepted(c: Connection, row: SendRow, *, provider_id: str, now: datetime) -> None:
    """The provider has it. A receipt that was faster is not undone."""
    moved = _end(c, row.id, state=_S.ACCEPTED, accepted_at=now, unclear_since=None, provider_message_id=provider_id)
    if moved:
        _tell(c, row, _S.ACCEPTED, None, now)
    else:
        c.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.provider_message_id.is_(None))
            .values(provider_message_id=provider_id, unclear_since=None)
        )


def others_of_order(c: Connection, row: SendRow) -> frozenset[str]:
    """The provider's ids of the order's other messages on this channel."""
    found = c.execute(
        select(deliveries.c.provider_message_id).where(
            deliveries.c.order_id == row.order_id,
            deliveries.c.channel == row.channel,
            deliveries.c.id != row.id,
            deliveries.c.provider_message_id.is_not(None),
        )
    )
    return frozenset(found.scalars())


def settle(c: Connection, row: SendRow, state: DeliveryState, *, reason: str, now: datetime) -> bool:
    """End a delivery without acceptance; False when it has moved on in the meantime."""
    moved = _end(c, row.id, state=state, reason=reason, settled_at=now, unclear_since=None)
    if moved:
        _tell(c, row, state, reason, now)
    return moved


def close_contact(c: Connection, row: SendRow, *, address_key: str, reason: str, now: datetime) -> None:
    """This address must not be used again on this channel."""
    contacts.set_state(
        c, brand=row.brand, channel=Channel(row.channel), address_key=address_key, closed=True, reason=reason,
        source=row.provider, now=now,
    )  # fmt: skip


def _end(c: Connection, delivery_id: str, **values: Any) -> bool:
    return c.execute(_END, {**values, "wanted": delivery_id}).rowcount == 1


def _tell(c: Connection, row: SendRow, state: DeliveryState, reason: str | None, now: datetime) -> None:
    data = {"delivery_id": row.id, "kind": row.kind, "channel": row.channel, "state": state.value, "reason": reason}
    outbox.append(c, row.brand, row.order_id, "delivery.updated", data, now)
