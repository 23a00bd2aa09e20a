"""Brands as stored, and a short-lived copy in memory for those who need one at each step."""

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from ordertrail.db.tables import brands
from ordertrail.db.upsert import insert_for
from ordertrail.domain.brand import Brand
from ordertrail.domain.failures import OrdertrailError


class UnknownBrand(OrdertrailError):
    """No brand with this id has been imported."""


def put(c: Connection, brand: Brand, now: datetime) -> None:
    """Store a brand or replace it."""
    statement = insert_for(c, brands).values(id=brand.id, document=brand.model_dump_json(), updated_at=now)
    c.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"document": statement.excluded.document, "updated_at": now}
        )
    )


def listing(c: Connection) -> list[Brand]:
    """All brands."""
    return [Brand.model_validate_json(text) for (text,) in c.execute(select(brands.c.document).order_by(brands.c.id))]


@dataclass(frozen=True)
class KnownBrand:
    """A brand and the version of its policy, for decision records."""

    brand: Brand
    version: str


class Brands:
    """Brands by id; re-read after `ttl_s`, so that an import takes effect without a restart. Thread-safe."""

    def __init__(self, *, ttl_s: float = 10.0) -> None:
        self._ttl_s = ttl_s
        self._known: dict[str, tuple[float, KnownBrand]] = {}
        self._lock = threading.Lock()

    def get(self, c: Connection, brand_id: str) -> KnownBrand:
        """The brand. Raises UnknownBrand."""
        now = time.monotonic()
        cached = self._known.get(brand_id)
        if cached is not None and now - cached[0] < self._ttl_s:
            return cached[1]
        text = c.execute(select(brands.c.document).where(brands.c.id == brand_id)).scalar_one_or_none()
        if text is None:
            raise UnknownBrand("unknown_brand", "this brand has not been imported")
        known = KnownBrand(Brand.model_validate_json(text), hashlib.sha256(text.encode()).hexdigest()[:12])
        with self._lock:
            self._known[brand_id] = (now, known)
        return known
