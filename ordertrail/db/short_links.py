"""Short codes that stand for tracking links in texts, where every character is paid for."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from ordertrail.db.tables import short_links
from ordertrail.db.upsert import Prepared

_PUT = Prepared(short_links, lambda new: new.on_conflict_do_nothing(index_elements=["code"]))
_FIND = select(short_links.c.order_id, short_links.c.role).where(short_links.c.code == bindparam("wanted"))


def put(c: Connection, brand: str, codes: Sequence[tuple[str, str, str]]) -> None:
    """Keep (code, order id, role) of orders of this brand; a code that is known stays as it is."""
    for code, order_id, role in codes:
        c.execute(_PUT.on(c), {"code": code, "brand": brand, "order_id": order_id, "role": role})


def find(c: Connection, code: str) -> tuple[str, str] | None:
    """(order id, role) that a code stands for."""
    row = c.execute(_FIND, {"wanted": code}).one_or_none()
    return (row.order_id, row.role) if row else None
