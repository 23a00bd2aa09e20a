"""A carrier that falls silent as a whole is noticed from the shipments' read model."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from activities.carrier_watch import ENOUGH, CarrierWatch
from ordertrail.db import advancing, migrate
from ordertrail.db.engine import Database
from ordertrail.db.tables import orders
from ordertrail.domain.vocabulary import ShipmentStatus
from tests.policy.simulator import START, brand

NOW = START + timedelta(days=10)
LONG_AGO, JUST_NOW = NOW - timedelta(days=4), NOW - timedelta(hours=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'x.db'}")
    migrate.upgrade(opened)
    yield opened
    opened.close()


def store(database: Database, carrier: str, scanned_at: list[datetime], *, status=ShipmentStatus.IN_TRANSIT) -> None:
    with database.write() as c:
        for number, at in enumerate(scanned_at):
            order_id = f"ord_{carrier}_{status}_{number}"
            c.execute(
                orders.insert().values(
                    id=order_id, brand="acme", channel="web", external_id=order_id, person_id="p", recipient_id="p",
                    canonical="{}", placed_at=START, created_at=START, updated_at=START, status="shipped",
                    conditions=[], memory="{}", document="{}",
                )
            )  # fmt: skip
            row = {
                "order_id": order_id, "ref": "S1", "brand": "acme", "carrier": carrier, "tracking_number": None,
                "status": status, "conditions": [], "promise_ends_at": None, "last_scan_at": at, "updated_at": NOW,
            }  # fmt: skip
            advancing.save_shipments(c, [row])


def silent(database: Database, watch: CarrierWatch, now: datetime = NOW) -> frozenset[str]:
    with database.read() as c:
        return watch.silent(c, brand(), now)


def test_a_carrier_is_silent_when_nearly_all_its_shipments_are(database: Database) -> None:
    store(database, "ups", [LONG_AGO] * 17 + [JUST_NOW] * 3)
    store(database, "dhl", [LONG_AGO] * 16 + [JUST_NOW] * 4)  # exactly four in five
    store(database, "gls", [LONG_AGO] * (ENOUGH - 1))  # too few to tell
    store(database, "dpd", [LONG_AGO] * 30, status=ShipmentStatus.DELIVERED)
    assert silent(database, CarrierWatch()) == {"ups"}
    assert REGISTRY.get_sample_value("ordertrail_carrier_silent", {"brand": "acme", "carrier": "ups"}) == 1


def test_it_is_looked_up_once_a_minute_and_taken_back(database: Database) -> None:
    watch = CarrierWatch()
    store(database, "ups", [LONG_AGO] * 20)
    assert silent(database, watch) == {"ups"}
    with database.write() as c:
        c.exec_driver_sql("update shipments set last_scan_at = (select max(updated_at) from shipments)")
    assert silent(database, watch, NOW + timedelta(seconds=59)) == {"ups"}
    assert silent(database, watch, NOW + timedelta(seconds=61)) == frozenset()
    assert REGISTRY.get_sample_value("ordertrail_carrier_silent", {"brand": "acme", "carrier": "ups"}) == 0
