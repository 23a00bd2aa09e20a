"""Orders and the people on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from ordertrail.db.tables import orders, people
from ordertrail.db.upsert import insert_for
from ordertrail.domain.ids import NaturalKey


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


_COLUMNS = [orders.c[name] for name in OrderRow.__annotations__]


def insert(c: Connection, **values: Any) -> bool:
    """Store a new order; False when its natural key is taken."""
    statement = (
        insert_for(c, orders)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["brand", "channel", "external_id"])
        .returning(orders.c.id)
    )
    return c.execute(statement).scalar_one_or_none() is not None


def by_key(c: Connection, key: NaturalKey, *, lock: bool = False) -> OrderRow | None:
    """The order of this natural key, or None. `lock` holds the row until the transaction ends."""
    statement = select(*_COLUMNS).where(
        orders.c.brand == key.brand, orders.c.channel == key.channel, orders.c.external_id == key.external_id
    )
    row = c.execute(statement.with_for_update() if lock else statement).one_or_none()
    return OrderRow(**row._mapping) if row else None


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
    statement = update(orders).where(orders.c.id == order_id, orders.c.seq == expected_seq).values(**values)
    return c.execute(statement).rowcount == 1


def open_keys(c: Connection, *, brand: str | None = None) -> list[tuple[str, NaturalKey]]:
    """All orders that are not closed, for a rebuild."""
    statement = select(orders.c.id, orders.c.brand, orders.c.channel, orders.c.external_id).where(orders.c.open)
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
    statement = insert_for(c, people).values(
        id=person_id, brand=brand, person_key=person_key, customer_ref=customer_ref, document=document, updated_at=now
    )
    statement = statement.on_conflict_do_update(
        index_elements=["brand", "person_key"],
        set_={"document": document, "customer_ref": customer_ref, "updated_at": now},
    )
    return str(c.execute(statement.returning(people.c.id)).scalar_one())


def lock_people(c: Connection, person_ids: Sequence[str]) -> None:
    """Hold the recipients' rows, always in the same order: two orders of one customer meet here."""
    c.execute(
        select(people.c.id).where(people.c.id.in_(sorted(set(person_ids)))).order_by(people.c.id).with_for_update()
    )
