"""The product on a server whose time is driven: weeks pass in a moment, and its clock is the server's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.workflows.server import BINARIES
from tests.workflows.system import Order, System, assembled, eventually

_TYPES = {
    "OrdertrailBrand": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OrdertrailStatus": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OrdertrailConditions": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "OrdertrailQueue": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OrdertrailPromise": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


@dataclass(kw_only=True)
class Travel:
    """A server whose time is driven, and the product on it; its clock is the server's."""

    env: WorkflowEnvironment
    system: System
    clock: "EnvClock"

    async def place(self, **changes: Any) -> Order:
        await self.clock.look()
        order = self.system.place(**changes)
        await self.hand_on(order)
        return order

    async def tell(self, order: Order, what: Callable[[], None]) -> None:
        """Something is reported now."""
        await self.clock.look()
        what()
        await self.hand_on(order)

    async def hand_on(self, order: Order) -> None:
        before = order.seq
        await self.system.hand_on(order)
        await eventually(lambda: order.seq > before and order.is_settled(), "the step is taken")

    async def pass_time(self, span: timedelta) -> None:
        await self.env.sleep(span)
        await self.clock.look()

    async def until(self, moment: datetime) -> None:
        await self.pass_time(moment - await self.env.get_current_time())

    async def told(self, order: Order, messages: list[str]) -> None:
        """Exactly these messages have been sent by now."""
        await eventually(lambda: len(order.messages()) >= len(messages) and order.is_settled(), f"{messages}")
        assert sorted(order.messages()) == sorted(messages)


class EnvClock:
    """The server's time, asked for from the activities' threads; the test itself looks at it between steps."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env
        self._loop = asyncio.get_running_loop()
        self._seen = datetime.now(UTC)

    async def look(self) -> None:
        self._seen = await self._env.get_current_time()

    def __call__(self) -> datetime:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            now: Awaitable[datetime] = self._env.get_current_time()
            return asyncio.run_coroutine_threadsafe(now, self._loop).result(timeout=20)  # type: ignore[arg-type]
        return self._seen


@asynccontextmanager
async def travelling(url: str, **more: Any) -> AsyncIterator[Travel]:
    binary = str(BINARIES / "temporal-test-server")
    env = await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=binary
    )
    async with env:
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes=_TYPES)
        )
        clock = EnvClock(env)
        await clock.look()
        async with assembled(env.client, url, dispatch=False, clock=clock, **more) as system:
            yield Travel(env=env, system=system, clock=clock)
