"""Streams: what is committed arrives within two seconds, and a reconnection misses nothing."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ordertrail.db import outbox
from ordertrail.db.engine import Database
from ordertrail.messages.links import Links
from ordertrail.settings import Settings
from tests.api.bodies import order
from tests.api.conftest import MakeKey
from tests.conftest import DrivenClock


@pytest.fixture
def header(make_key: MakeKey) -> dict[str, str]:
    return make_key()


@pytest.fixture
def order_id(served: str, header: dict[str, str]) -> str:
    placed: str = httpx.post(f"{served}/v1/orders", json=order(), headers=header).json()["order_id"]
    return placed


def tell(database: Database, clock: DrivenClock, order_id: str, number: int) -> None:
    with database.write() as c:
        outbox.append(c, "acme", order_id, "order.updated", {"number": number}, clock())


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Events of a stream; the one without data is the greeting."""
    fields: dict[str, Any] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            yield fields
            fields = {}


def test_an_event_arrives_within_two_seconds(
    served: str, header: dict[str, str], database: Database, clock: DrivenClock, order_id: str
) -> None:
    with httpx.stream("GET", f"{served}/v1/orders/{order_id}/stream", headers=header, timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = events(answer)
        assert "retry" in next(stream)
        tell(database, clock, "ord_of_somebody_else", 0)
        tell(database, clock, order_id, 1)
        committed = time.monotonic()
        event = next(stream)
        assert time.monotonic() - committed < 2
    assert event["event"] == "order.updated"
    data = json.loads(event["data"])
    assert (data["order_id"], data["data"]) == (order_id, {"number": 1})


def test_a_reconnection_gets_what_it_missed_once(
    served: str, header: dict[str, str], database: Database, clock: DrivenClock, order_id: str
) -> None:
    for number in range(4):
        tell(database, clock, order_id, number)
    url, resume = f"{served}/v1/orders/{order_id}/stream", {**header, "last-event-id": "1"}
    with httpx.stream("GET", url, headers=resume, timeout=10) as answer:
        stream = events(answer)
        next(stream)
        missed = [json.loads(next(stream)["data"])["data"]["number"] for _ in range(3)]
        tell(database, clock, order_id, 4)
        live = json.loads(next(stream)["data"])["data"]["number"]
    assert (missed, live) == ([1, 2, 3], 4)


def test_many_listeners_share_one_poller(
    served: str, header: dict[str, str], database: Database, clock: DrivenClock, order_id: str
) -> None:
    ready, got = threading.Barrier(9), []

    def listen() -> None:
        with httpx.stream("GET", f"{served}/v1/orders/{order_id}/stream", headers=header, timeout=20) as answer:
            stream = events(answer)
            next(stream)
            ready.wait(15)
            got.append(next(stream)["id"])

    threads = [threading.Thread(target=listen) for _ in range(8)]
    for thread in threads:
        thread.start()
    ready.wait(15)
    tell(database, clock, order_id, 1)
    for thread in threads:
        thread.join(15)
    assert len(got) == 8
    assert len(set(got)) == 1


def test_the_customers_stream_tells_that_and_not_what(
    served: str, settings: Settings, database: Database, clock: DrivenClock, order_id: str
) -> None:
    path = Links(settings.secret(), "").tracking_path(order_id)
    with httpx.stream("GET", f"{served}{path}/stream", timeout=10) as answer:
        stream = events(answer)
        next(stream)
        tell(database, clock, order_id, 1)
        event = next(stream)
    assert (event["event"], event["data"]) == ("update", "{}")
    assert httpx.get(f"{served}/t/forged/stream").status_code == 204
