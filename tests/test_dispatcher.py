"""The dispatcher's loops share one connection to Temporal."""

import asyncio
from typing import cast

from temporalio.client import Client

from ordertrail.db.engine import Database
from ordertrail.dispatcher import Dispatcher
from ordertrail.domain.clock import system_clock


def test_loops_that_want_a_client_at_once_open_one() -> None:
    opened: list[Client] = []

    async def connect() -> Client:
        await asyncio.sleep(0)
        opened.append(cast("Client", object()))
        return opened[-1]

    async def story() -> list[Client]:
        dispatcher = Dispatcher(Database("sqlite://"), connect, task_queue="nobody", clock=system_clock)
        return await asyncio.gather(*(dispatcher._connected() for _ in range(5)))

    assert asyncio.run(story()) == opened * 5
    assert len(opened) == 1
