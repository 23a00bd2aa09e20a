"""The poller: numbers that are committed out of order, listeners that do not keep up, heartbeats."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert

from api import streams
from api.streams import Hub, listen, whole_event
from ordertrail.db.engine import Database
from ordertrail.db.outbox import OutboxEvent
from ordertrail.db.tables import outbox_events
from tests.conftest import DrivenClock


def tell(database: Database, clock: DrivenClock, number: int) -> None:
    values = {"id": number, "brand": "acme", "order_id": "o", "type": "order.updated", "data": {}, "at": clock()}
    with database.write() as c:
        c.execute(insert(outbox_events).values(**values))


def run(scenario: Any) -> None:
    asyncio.run(asyncio.wait_for(scenario, 20))


def test_a_number_committed_late_is_not_missed(database: Database, clock: DrivenClock) -> None:
    async def scenario() -> None:
        hub = Hub(database, poll_every_s=0.02)
        poller = asyncio.create_task(hub.run())
        with hub.follow("o") as subscription:
            await hub.positioned()
            tell(database, clock, 3)
            assert (await subscription.queue.get()).id == 3  # type: ignore[union-attr]
            tell(database, clock, 2)
            assert (await subscription.queue.get()).id == 2  # type: ignore[union-attr]
        poller.cancel()

    run(scenario())


def test_a_number_skipped_just_before_polling_began_is_not_missed(database: Database, clock: DrivenClock) -> None:
    async def scenario() -> None:
        tell(database, clock, 3)
        hub = Hub(database, poll_every_s=0.02)
        with hub.follow("o") as subscription:
            await hub.positioned()
            poller = asyncio.create_task(hub.run())
            tell(database, clock, 2)
            assert (await subscription.queue.get()).id == 2  # type: ignore[union-attr]
        poller.cancel()

    run(scenario())


def test_a_listener_that_does_not_keep_up_is_cut_off(database: Database, clock: DrivenClock) -> None:
    async def scenario() -> None:
        hub = Hub(database)
        with hub.follow("o") as subscription:
            for number in range(streams._QUEUE + 1):
                event = OutboxEvent(id=number, brand="acme", order_id="o", type="t", data={}, at=clock())
                subscription.put(event)
            assert await subscription.queue.get() is None

    run(scenario())


def test_silence_is_filled_with_heartbeats(
    database: Database, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)

    async def scenario() -> None:
        hub = Hub(database)
        stream = listen(hub, "o", None, whole_event)
        assert [await anext(stream), await anext(stream)] == ["retry: 2000\n\n", ": still here\n\n"]
        await stream.aclose()  # type: ignore[attr-defined]
        assert not hub._followers

    run(scenario())


def test_an_end_of_the_poller_ends_the_streams(database: Database) -> None:
    async def scenario() -> None:
        hub = Hub(database, poll_every_s=0.02)
        poller = asyncio.create_task(hub.run())
        stream = listen(hub, "o", None, whole_event)
        await anext(stream)
        poller.cancel()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(scenario())
