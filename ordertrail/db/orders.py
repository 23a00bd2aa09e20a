"""Orders and the people on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from ordertrail.db.tables import deliveries, orders, people
from ordertrail.db.upsert import Prepared
from ordertrail.domain.ids import NaturalKey
from ordertrail.domain.vocabulary import DeliveryState


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """An order as `advance` needs it."""

    id: str
    brand: str
    channel: str
    external_id: str
    person_id: str
    recipient_id: str
    canonical: str
    created_at: datetime
    seq: int
    memory: str
    document: str
    open: bool
    queue: str | None

    @property
    def key(self) -> NaturalKey:
        """Its natural key."""
        return NaturalKey(brand=self.brand, channel=self.channel, external_id=self.external_id)


_UNSENT = (DeliveryState.HELD, DeliveryState.PLANNED, DeliveryState.CLAIMED)
_COLUMNS = [orders.c[name] for name in OrderRow.__annotations__]
_WITH_KEY = (
    orders.c.brand == bindparam("brand"),
    orders.c.channel == bindparam("channel"),
    orders.c.external_id == bindparam("external_id"),
)
_BY_KEY = select(*_COLUMNS).where(*_WITH_KEY)
_BY_KEY_LOCKED = _BY_KEY.with_for_update()
_ID_BY_KEY = select(orders.c.id).where(*_WITH_KEY)
_KEY_BY_ID = select(orders.c.brand, orders.c.channel, orders.c.external_id).where(orders.c.id == bindparam("order_id"))
_INSERT = Prepared(
    orders,
    lambda new: new.on_conflict_do_nothing(index_elements=["brand", "channel", "external_id"]).returning(orders.c.id),
)
_SAVE = update(orders).where(orders.c.id == bindparam("saved_id"), orders.c.seq == bindparam("expected_seq"))
_UPSERT_PERSON = Prepared(
    people,
    lambda new: new.on_conflict_do_update(
        index_elements=["brand", "person_key"],
        set_={name: new.excluded[name] for name in ("document", "customer_ref", "updated_at")},
    ).returning(people.c.id),
)
_LOCK_PEOPLE = (
    select(people.c.id)
    .where(people.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(people.c.person_key)
    .with_for_update()
)


def insert(c: Connection, **values: Any) -> bool:
    """Store a new order; False when its natural key is taken."""
    return c.execute(_INSERT.on(c), values).scalar_one_or_none() is not None


def by_key(c: Connection, key: NaturalKey, *, lock: bool = False) -> OrderRow | None:
    """The order of this natural key, or None. `lock` holds the row until the transaction ends."""
    values = {"brand": key.brand, "channel": key.channel, "external_id": key.external_id}
    row = c.execute(_BY_KEY_LOCKED if lock else _BY_KEY, values).one_or_none()
    return OrderRow(**row._mapping) if row else None


def id_of(c: Connection, key: NaturalKey) -> str | None:
    """The id of the order with this natural key, or None."""
    values = {"brand": key.brand, "channel": key.channel, "external_id": key.external_id}
    found: str | None = c.execute(_ID_BY_KEY, values).scalar_one_or_none()
    return found


def key_of(c: Connection, order_id: str) -> NaturalKey | None:
    """The natural key of the order with this id, or None."""
    row = c.execute(_KEY_BY_ID, {"order_id": order_id}).one_or_none()
    return NaturalKey(brand=row.brand, channel=row.channel, external_id=row.external_id) if row else None


def by_id(c: Connection, order_id: str, *, brand: str | None = None, lock: bool = False) -> OrderRow | None:
    """The order of this id (within a brand), or None. `lock` holds the row until the transaction ends."""
    statement = select(*_COLUMNS).where(orders.c.id == order_id)
    if brand is not None:
        statement = statement.where(orders.c.brand == brand)
    if lock:
        statement = statement.with_for_update()
    row = c.execute(statement).one_or_none()
    return OrderRow(**row._mapping) if row else None


def save(c: Connection, order_id: str, *, expected_seq: int, values: dict[str, Any]) -> bool:
    """Write an advance's result on top of the state it was computed from; False when another one came in between."""
    return c.execute(_SAVE, {**values, "saved_id": order_id, "expected_seq": expected_seq}).rowcount == 1


def open_keys(c: Connection, *, brand: str | None = None) -> list[tuple[str, NaturalKey]]:
    """Orders that need a run, for a rebuild: those not closed, and closed ones whose last message is not out yet."""
    unsent = select(deliveries.c.order_id).where(deliveries.c.state.in_(_UNSENT)).scalar_subquery()
    statement = select(orders.c.id, orders.c.brand, orders.c.channel, orders.c.external_id)
    statement = statement.where(or_(orders.c.open, orders.c.id.in_(unsent)))
    if brand:
        statement = statement.where(orders.c.brand == brand)
    return [
        (row.id, NaturalKey(brand=row.brand, channel=row.channel, external_id=row.external_id))
        for row in c.execute(statement.order_by(orders.c.id))
    ]


def upsert_person(
    c: Connection,
    *,
    person_id: str,
    brand: str,
    person_key: str,
    customer_ref: str | None,
    document: str,
    now: datetime,
) -> str:
    """Store or refresh a person; the id under which they are known."""
    values = {
        "id": person_id, "brand": brand, "person_key": person_key, "customer_ref": customer_ref, "document": document,
        "updated_at": now,
    }  # fmt: skip
    return str(c.execute(_UPSERT_PERSON.on(c), values).scalar_one())


def lock_people(c: Connection, person_ids: Sequence[str]) -> None:
    """Hold people's rows in the order in which the front door stores them: two orders of one customer meet here."""
    if c.dialect.name != "sqlite":  # whose writers follow one another anyway
        c.execute(_LOCK_PEOPLE, {"ids": sorted(set(person_ids))})
