"""Trackers: what scans arrive for, linked to shipments many-to-many."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, or_, select, update
from ulid import ULID

from ordertrail.db.tables import shipments, tracker_shipments, trackers
from ordertrail.db.types import Utc
from ordertrail.db.upsert import hold, insert_for
from ordertrail.domain.ids import normal_tracking_number, tracker_key
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT

REUSE_AFTER = timedelta(days=60)
"""Carriers give a number out again after months; a finished tracker this old gives way to a new one."""
SCAN_SLACK = timedelta(days=30)
"""How long before the shipment was known its scans may have happened."""


@dataclass(frozen=True, kw_only=True)
class Target:
    order_id: str
    shipment_ref: str


_TARGETS = (
    select(tracker_shipments.c.order_id, tracker_shipments.c.shipment_ref)
    .join(trackers, trackers.c.id == tracker_shipments.c.tracker_id)
    .where(
        trackers.c.match_key == bindparam("key"),
        trackers.c.valid_from <= bindparam("begun_by", type_=Utc),
        or_(trackers.c.valid_to.is_(None), trackers.c.valid_to > bindparam("at", type_=Utc)),
    )
    .order_by(tracker_shipments.c.order_id, tracker_shipments.c.shipment_ref)
)
_CURRENT = (
    select(trackers.c.id)
    .where(trackers.c.match_key == bindparam("key"), trackers.c.valid_to.is_(None))
    .with_for_update()
)


def targets(c: Connection, match_key: str, *, occurred_at: datetime) -> list[Target]:
    """The shipments a scan with this key belongs to, at the time it happened."""
    values = {"key": match_key, "begun_by": occurred_at + timedelta(days=1), "at": occurred_at}
    rows = c.execute(_TARGETS, values)
    return [Target(order_id=row.order_id, shipment_ref=row.shipment_ref) for row in rows]


def link(
    c: Connection, *, brand: str, carrier: str, tracking_number: str, order_id: str, shipment_ref: str, now: datetime
) -> str | None:
    """Link a shipment to its tracker, creating or retiring trackers as needed. The match key if the link is new."""
    key = tracker_key(brand, carrier, tracking_number)
    current = c.execute(_CURRENT, {"key": key}).scalar_one_or_none()
    if current is not None and _used_up(c, current, order_id, now):
        c.execute(update(trackers).where(trackers.c.id == current).values(valid_to=now - SCAN_SLACK))
        current = None
    if current is None:
        # Two orders in one parcel may be linked at this very moment: the second takes the first one's tracker.
        hold(c, key)
        current = c.execute(_CURRENT, {"key": key}).scalar_one_or_none()
    if current is None:
        current = f"trk_{ULID()!s}".lower()
        c.execute(
            insert_for(c, trackers).values(
                id=current, brand=brand, carrier=carrier, tracking_number=normal_tracking_number(tracking_number),
                match_key=key, valid_from=now - SCAN_SLACK,
            )
        )  # fmt: skip
    created = c.execute(
        insert_for(c, tracker_shipments)
        .values(tracker_id=current, order_id=order_id, shipment_ref=shipment_ref, brand=brand)
        .on_conflict_do_nothing()
        .returning(tracker_shipments.c.tracker_id)
    ).scalar_one_or_none()
    return key if created else None


def _used_up(c: Connection, tracker_id: str, order_id: str, now: datetime) -> bool:
    """Whether every other shipment on this tracker finished long ago."""
    others = (
        select(func.count())
        .select_from(tracker_shipments)
        .join(
            shipments,
            (shipments.c.order_id == tracker_shipments.c.order_id)
            & (shipments.c.ref == tracker_shipments.c.shipment_ref),
        )
        .where(tracker_shipments.c.tracker_id == tracker_id, tracker_shipments.c.order_id != order_id)
    )
    total = c.execute(others).scalar_one()
    fresh = c.execute(
        others.where(
            or_(shipments.c.status.not_in(sorted(TERMINAL_SHIPMENT)), shipments.c.updated_at > now - REUSE_AFTER)
        )
    ).scalar_one()
    return total > 0 and fresh == 0
