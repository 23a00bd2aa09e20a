"""Hands stored rows on to their orders' workflows; runs in every api process, any number of them may run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from temporalio.client import Client, RPCError
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from ordertrail.db import inbox, orders
from ordertrail.db.engine import Database
from ordertrail.domain.failures import Transient
from ordertrail.domain.ids import NaturalKey, order_workflow_id
from ordertrail.domain.outcome import OrderStart
from ordertrail.frontdoor.acceptance import Wake
from ordertrail.frontdoor.matching import rematch

log = structlog.get_logger(__name__)

WORKFLOW = "OrderWorkflow"
BRAND_ATTRIBUTE = SearchAttributeKey.for_keyword("OrdertrailBrand")
SWEEP_EVERY_S = 1.0
BURY_EVERY_S = 600.0
SWEEP_LIMIT = 200
LEASE = timedelta(seconds=15)
FORGOTTEN_AFTER = timedelta(minutes=3)
"""Forwarded so long ago and still not consumed: Temporal lost it (its own data was lost), so it is handed on again."""
MISSED_WITHIN = timedelta(days=1)
"""How long a scan that came in the same moment as its tracker is looked for; also the longest pause of all sweeps."""
AT_ONCE = 24
"""Concurrent start requests; more only lengthens the tail."""


class Dispatcher:
    """Wakes orders. `wake` hands on what the caller just stored; a sweep takes what crashed processes left behind.

    `connect` is called until it succeeds; while Temporal is away rows wait and nothing is lost. `clock` gives aware
    UTC. A wake-up that is sent twice is harmless, because an order consumes whatever waits for it.
    """

    def __init__(
        self, database: Database, connect: Callable[[], Awaitable[Client]], *, task_queue: str,
        clock: Callable[[], datetime], unmatched_for: timedelta = timedelta(days=30),
    ) -> None:  # fmt: skip
        self._database = database
        self._connect = connect
        self._task_queue = task_queue
        self._clock = clock
        self._unmatched_for = unmatched_for
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: dict[str, Wake] = {}
        self._forwarded: dict[str, int] = {}
        self._wanted = asyncio.Event()
        self.healthy = False

    def wake(self, wakes: Sequence[Wake]) -> None:
        """Hand on soon; returns at once, from any thread."""
        if wakes and self._loop is not None:
            self._loop.call_soon_threadsafe(self._add, tuple(wakes))

    def _add(self, wakes: Sequence[Wake]) -> None:
        for wake in wakes:
            self._pending[wake.order_id] = wake
        self._wanted.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self._loop = asyncio.get_running_loop()
        workers = [asyncio.create_task(self._hand_on_loop()) for _ in range(AT_ONCE)]
        workers += [
            asyncio.create_task(self._forever(self._connect_early)),
            asyncio.create_task(self._forever(self._mark)),
            asyncio.create_task(self._forever(self._sweep)),
            asyncio.create_task(self._forever(self._bury, every_s=BURY_EVERY_S)),
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _hand_on_loop(self) -> None:
        while True:
            while not self._pending:
                self._wanted.clear()
                await self._wanted.wait()
            order_id = next(iter(self._pending))
            await self._hand_on(self._pending.pop(order_id))

    async def _hand_on(self, wake: Wake) -> None:
        try:
            await start_order(await self._connected(), self._task_queue, wake.key, inbox_id=wake.inbox_id)
        except (RPCError, RuntimeError) as error:
            # RuntimeError: no connection could be made at all. The row stays stored and the sweep comes back to it.
            self.healthy = False
            status = error.status.name if isinstance(error, RPCError) else "UNCONNECTED"
            log.warning("temporal_unavailable", order_id=wake.order_id, inbox_id=wake.inbox_id, status=status)
            return
        except Exception as error:  # one order's trouble must not end the handing on of all
            self.healthy = False
            log.error("hand_on_failed", order_id=wake.order_id, inbox_id=wake.inbox_id, error=type(error).__name__)
            return
        self.healthy = True
        self._forwarded[wake.order_id] = max(wake.inbox_id, self._forwarded.get(wake.order_id, 0))

    async def _connected(self) -> Client:
        if self._client is not None:
            return self._client
        async with self._connecting:  # all loops want it at once, and one client serves them all
            if self._client is None:
                self._client = await self._connect()
                self.healthy = True
            return self._client

    async def _connect_early(self) -> None:
        """So that the first order need not wait for it, and a process without orders knows that Temporal is there."""
        with suppress(RuntimeError):
            await self._connected()

    async def _bury(self) -> None:
        """What waited too long for its order or shipment becomes a dead letter."""

        def bury() -> int:
            with self._database.write() as c:
                return inbox.bury_unmatched(c, older_than=self._clock() - self._unmatched_for)

        if buried := await asyncio.to_thread(bury):
            log.warning("unmatched_given_up", rows=buried)

    async def _forever(self, step: Callable[[], Awaitable[None]], *, every_s: float = SWEEP_EVERY_S) -> None:
        while True:
            try:
                await step()
            except Transient as error:
                log.warning("dispatcher_waits", code=error.code)
            except Exception as error:  # the loop must survive whatever one round meets
                log.error("dispatcher_round_failed", error=type(error).__name__)
            await asyncio.sleep(every_s)

    async def _mark(self) -> None:
        """Marks are written in batches: a lost mark costs one harmless repeated wake-up."""
        if not self._forwarded:
            return
        marks, self._forwarded = self._forwarded, {}
        try:
            await asyncio.to_thread(self._write_marks, marks)
        except Transient:
            self._forwarded = marks | self._forwarded
            raise

    def _write_marks(self, marks: dict[str, int]) -> None:
        with self._database.write() as c:
            inbox.mark_forwarded(c, marks, now=self._clock())

    async def _sweep(self) -> None:
        now = self._clock()
        due = await asyncio.to_thread(self._take_due, now)
        self._add([Wake(order_id=d.order_id, key=_key(d), inbox_id=d.inbox_id) for d in due])

    def _take_due(self, now: datetime) -> list[inbox.Due]:
        with self._database.read() as c:
            missed = inbox.unmatched_with_tracker(c, since=now - MISSED_WITHIN)
            due = inbox.due_handoffs(c, now=now, limit=SWEEP_LIMIT)
            forgotten = inbox.has_forgotten(c, older_than=now - FORGOTTEN_AFTER)
        if not (missed or due or forgotten):
            return []
        with self._database.write() as c:
            rematch(c, missed, now)
            inbox.forget_forwarded(c, older_than=now - FORGOTTEN_AFTER)
            due = inbox.due_handoffs(c, now=now, limit=SWEEP_LIMIT)
            inbox.lease(c, [d.order_id for d in due], until=now + LEASE)
        return due


def _key(due: inbox.Due) -> NaturalKey:
    return NaturalKey(brand=due.brand, channel=due.channel, external_id=due.external_id)


async def start_order(client: Client, task_queue: str, key: NaturalKey, *, inbox_id: int) -> None:
    """Wake an order's run, starting one if none is open. Raises RPCError when Temporal cannot take it."""
    await client.start_workflow(
        WORKFLOW,
        OrderStart(),
        id=order_workflow_id(key),
        task_queue=task_queue,
        start_signal="inbox",
        start_signal_args=[inbox_id],
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=TypedSearchAttributes([SearchAttributePair(BRAND_ATTRIBUTE, key.brand)]),
        static_summary=f"Order {key.external_id} of {key.brand}, sold on {key.channel}",
        rpc_timeout=timedelta(seconds=10),
    )


async def rebuild(database: Database, client: Client, task_queue: str, brand: str | None = None) -> int:
    """Start a run for every open order that has none (Temporal's own data was lost). How many orders were woken."""

    def keys() -> list[tuple[str, NaturalKey]]:
        with database.read() as c:
            return orders.open_keys(c, brand=brand)

    found = await asyncio.to_thread(keys)
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(key: NaturalKey) -> None:
        async with limit:
            await start_order(client, task_queue, key, inbox_id=0)

    await asyncio.gather(*(one(key) for _, key in found))
    return len(found)
