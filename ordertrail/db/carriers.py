"""Carrier-wide questions, answered from the shipments' read model."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from ordertrail.db.tables import shipments


def moving_by_carrier(
    c: Connection, brand: str, *, statuses: Sequence[str], silent_since: datetime
) -> dict[str, tuple[int, int]]:
    """Per carrier of a brand: how many of its shipments are in `statuses`, and how many of those have not been
    scanned after `silent_since`."""
    silent = func.sum(case((shipments.c.last_scan_at < silent_since, 1), else_=0))
    rows = c.execute(
        select(shipments.c.carrier, func.count(), silent)
        .where(
            shipments.c.brand == brand,
            shipments.c.carrier.is_not(None),
            shipments.c.status.in_(statuses),
            shipments.c.last_scan_at.is_not(None),
        )
        .group_by(shipments.c.carrier)
    )
    return {carrier: (total, int(quiet)) for carrier, total, quiet in rows}
