"""Trackers: one per tracking number in use, however many orders name it at once; scans from outside its time wait."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from ordertrail.db import inbox, trackers
from ordertrail.db.engine import Database
from ordertrail.db.tables import trackers as table
from ordertrail.domain.brand import Brand
from ordertrail.frontdoor.door import FrontDoor
from tests.api.bodies import order, scan
from tests.conftest import DrivenClock

NUMBER = "JD014600003"


def place(database: Database, clock: DrivenClock, external_id: str) -> str:
    door = FrontDoor(database, secret=b"not a secret")
    answer = door.order("acme", "api:oms", json.dumps(order(external_id=external_id)).encode(), clock()).answer
    return str(answer["order_id"])


def link(c: Connection, order_id: str, now: datetime) -> str | None:
    return trackers.link(
        c, brand="acme", carrier="dhl", tracking_number=NUMBER, order_id=order_id, shipment_ref="S1", now=now
    )


def test_two_orders_in_one_parcel_share_a_tracker_even_at_once(
    database: Database, stored_brand: Brand, clock: DrivenClock
) -> None:
    first, second = (place(database, clock, external_id) for external_id in ("1", "2"))
    linked = threading.Event()

    def other() -> str | None:
        linked.wait(5)
        with database.write() as c:
            return link(c, second, clock() + timedelta(seconds=1))

    with ThreadPoolExecutor() as pool:
        with database.write() as c:
            assert link(c, first, clock())
            waiting = pool.submit(other)
            linked.set()
            threading.Event().wait(0.2)  # the other one is in the middle of it by now
        assert waiting.result(10)
    with database.write() as c:
        assert len(c.execute(select(table.c.id)).all()) == 1
        key = link(c, first, clock()) or f"tracker:acme:dhl:{NUMBER}"
        assert {target.order_id for target in trackers.targets(c, key, occurred_at=clock())} == {first, second}


def test_scans_that_never_match_do_not_stand_before_one_that_was_missed(
    database: Database, stored_brand: Brand, clock: DrivenClock
) -> None:
    order_id = place(database, clock, "1")
    door = FrontDoor(database, secret=b"not a secret")
    numbers = [f"OLD{number:07}" for number in range(3)] + [NUMBER]
    for number in numbers:
        if number == NUMBER:
            clock.advance(timedelta(days=2))
        report = scan(carrier="dhl", tracking_number=number, event_id=number)
        assert (
            door.tracking_event("acme", "api:oms", json.dumps(report).encode(), clock()).answer["status"] == "unmatched"
        )
    with database.write() as c:
        for number in numbers:
            trackers.link(
                c, brand="acme", carrier="dhl", tracking_number=number, order_id=order_id, shipment_ref=number,
                now=clock() + timedelta(days=300),
            )  # fmt: skip
    with database.read() as c:
        missed = inbox.unmatched_with_tracker(c, since=clock() - timedelta(days=1), limit=1)
    assert missed == [f"tracker:acme:dhl:{NUMBER}"]
