"""Temporal away, the database locked, a commit whose acknowledgement is lost: nothing is lost, nothing doubled."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError

from ordertrail.db import brands
from ordertrail.db.engine import Database
from ordertrail.db.tables import advances, deliveries, orders, timeline
from ordertrail.dispatcher import Dispatcher
from ordertrail.domain.clock import system_clock
from ordertrail.domain.failures import Transient
from ordertrail.frontdoor.door import FrontDoor
from tests.workflows import scenarios, shop, system
from tests.workflows.server import DevServer
from tests.workflows.steps import Steps, placed
from tests.workflows.system import assembled, brand_of, eventually, run


def test_what_is_accepted_while_temporal_is_away_is_handed_on_when_it_is_back(tmp_path: Path, sqlite_url: str) -> None:
    server = DevServer(tmp_path)
    server.start()

    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as running:
            before = running.place()
            await before.settled()
            server.stop()
            before.event("processing")
            meanwhile = [running.place() for _ in range(5)]
            for order in meanwhile:
                order.event("processing")
            await asyncio.sleep(0.5)
            assert all(order.seq == 0 for order in meanwhile)
            server.start()
            for order in (before, *meanwhile):
                await order.settled()
                assert Counter(order.messages()) == {"order_confirmation/email": 1, "order_update/email": 1}

    try:
        run(story())
    finally:
        server.stop()


def test_a_dispatcher_that_starts_before_temporal_waits_for_it(tmp_path: Path, sqlite_url: str) -> None:
    server = DevServer(tmp_path)

    async def connect() -> Client:
        return await Client.connect(server.target, data_converter=pydantic_data_converter)

    async def story() -> None:
        database = Database(sqlite_url)
        with database.write() as c:
            brands.put(c, brand_of("early"), system_clock())
        dispatcher = Dispatcher(database, connect, task_queue="nobody", clock=system_clock)
        working = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0)
        payload = shop.body(shop.order("early", "1", system_clock()))
        dispatcher.wake(FrontDoor(database, secret=b"x").order("early", "api", payload, system_clock()).wakes)
        await asyncio.sleep(0.5)
        assert not dispatcher.healthy
        assert not working.done()
        server.start()
        client = await server.connect()
        handle = client.get_workflow_handle("order:early:web:1")

        async def is_started() -> bool:
            try:
                return (await handle.describe()).id == handle.id
            except Exception:
                return False

        await eventually(is_started, "the order is handed on")
        working.cancel()
        database.close()

    try:
        run(story())
    finally:
        server.stop()


def test_a_locked_database_is_outlived_by_the_regular_activity(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as running:
            order = running.place()
            await order.settled()
            with scenarios.locked(sqlite_url):
                event = shop.order_event("in the dark", "processing", running.now())
                await order.handle.signal("order_event", event)

                async def is_taken_over() -> bool:
                    return await scenarios.regular_advances(order) == 1

                await eventually(is_taken_over, "the regular activity takes over")
            await eventually(lambda: len(order.messages()) == 2, "the step is done after all")
            await order.settled()
            assert order.rows(timeline.c.event_id).count("in the dark") == 1
            assert order.messages() == ["order_confirmation/email", "order_update/email"]
            assert order.rows(advances.c.seq) == list(range(1, order.seq + 1))
            order.event("cancelled")
            await order.closed()

    run(story())


class Forgetful(Database):
    """A database whose acknowledgement of a commit is lost as often as `losses` says."""

    losses = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
        if self.losses:
            self.losses -= 1
            raise Transient("database_unavailable")


def test_a_step_whose_commit_was_not_acknowledged_finds_its_own_outcome(
    server: DevServer, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "Database", Forgetful)

    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as running:
            order = running.place()
            await order.settled()
            assert isinstance(running.database, Forgetful)
            running.database.losses = 2  # the local activity's commit, and the regular one's first look at it
            await order.handle.signal("order_event", shop.order_event("lost word", "processing", running.now()))
            await eventually(lambda: len(order.messages()) == 2, "it is told")
            await order.settled()
            assert order.seq == 2
            assert await scenarios.regular_advances(order) == 1
            assert order.messages() == ["order_confirmation/email", "order_update/email"]

    run(story())


def test_attempts_of_one_step_that_race_come_to_one_outcome(database: Database) -> None:
    steps = placed(database)
    first = steps.step("run:1")
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(steps.run, [first] * 4))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0].sends
    with database.read() as c:
        assert c.execute(select(orders.c.seq)).scalar_one() == 1
        assert len(c.execute(select(deliveries.c.id)).all()) == len(outcomes[0].sends)


def test_an_attempt_from_a_state_that_has_passed_is_refused_and_changes_nothing(database: Database) -> None:
    steps = placed(database)
    assert steps.run(steps.step("run:1")).seq == 1
    assert steps.run(steps.step("run:2", expected_seq=1)).seq == 2
    with pytest.raises(ApplicationError) as refused:
        steps.run(steps.step("other run:7", expected_seq=1))
    assert (refused.value.type, refused.value.non_retryable) == ("stale_advance", True)
    assert steps.run(steps.step("run:1")).seq == 1  # a late retry still gets what it decided then
    with database.read() as c:
        assert c.execute(select(orders.c.seq)).scalar_one() == 2


def test_a_run_that_was_passed_by_attaches_anew_and_sends_what_the_other_decided(
    server: DevServer, sqlite_url: str
) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as running:
            order = running.place()
            await order.settled()
            order.system.dispatcher = None  # the next event reaches SQL and not the run
            order.event("processing")
            zombie = Steps(running.database, order.key)
            outcome = await asyncio.to_thread(zombie.run, zombie.step("an ended run:5"))
            assert len(outcome.sends) == 1
            assert order.messages() == ["order_confirmation/email"]
            await running.hand_on(order)
            await eventually(lambda: len(order.messages()) == 2, "the zombie's message is sent")
            order.event("cancelled")
            await running.hand_on(order)
            await order.closed()
            assert Counter(order.messages()) == {
                "order_confirmation/email": 1, "order_update/email": 1, "cancelled/email": 1, "cancelled/sms": 1,
            }  # fmt: skip
            assert await scenarios.regular_advances(order) == 0

    run(story())
