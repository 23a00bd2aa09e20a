"""Server-sent events from the outbox events: one poller per process, however many listen."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from ordertrail.db import outbox
from ordertrail.db.engine import Database
from ordertrail.db.outbox import OutboxEvent
from ordertrail.domain.failures import Transient

T = TypeVar("T")
log = structlog.get_logger(__name__)

POLL_EVERY_S = 0.5
HEARTBEAT_S = 15.0
_QUEUE = 200
_BATCH = 500
_GAP_POLLS = 20
"""For how many polls a number that was skipped is still looked for: its transaction may commit after a later one's."""
_GAPS_MAX = 1000
_LOOK_BACK = 100
"""How many numbers before the newest are looked at for such gaps when polling begins."""


class Subscription:
    """The events of one order, as they come. `None` in the queue ends it: the listener is too slow or we shut down."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[OutboxEvent | None] = asyncio.Queue(_QUEUE)

    def put(self, event: OutboxEvent) -> None:
        """Pass an event on; a listener that does not keep up is cut off, and resumes by the last id it saw."""
        if self.queue.full():
            self.close()
        else:
            self.queue.put_nowait(event)

    def close(self) -> None:
        """End the stream, dropping what is still queued."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Hub:
    """Polls the outbox events while somebody listens and passes each on to those who follow its order."""

    def __init__(self, database: Database, *, poll_every_s: float = POLL_EVERY_S) -> None:
        self._database = database
        self._poll_every_s = poll_every_s
        self._followers: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._position: int | None = None
        self._gaps: dict[int, int] = {}
        self._wanted = asyncio.Event()

    @contextmanager
    def follow(self, order_id: str) -> Iterator[Subscription]:
        """Listen to one order for the length of the block."""
        subscription = Subscription()
        self._followers[order_id].add(subscription)
        self._wanted.set()
        try:
            yield subscription
        finally:
            followers = self._followers[order_id]
            followers.discard(subscription)
            if not followers:
                del self._followers[order_id]

    async def run(self) -> None:
        """Poll until cancelled; survives a database that is away."""
        try:
            while True:
                await self._wanted.wait()
                await self._round()
                await asyncio.sleep(self._poll_every_s)
        finally:
            for followers in self._followers.values():
                for subscription in followers:
                    subscription.close()

    async def positioned(self) -> None:
        """Make sure that whatever is committed from now on will be passed on. Raises Transient."""
        if self._position is None:
            latest, missing = await run_in_threadpool(self._read, _standing)
            if self._position is None:
                self._position = latest
                self._gaps = dict.fromkeys(missing, _GAP_POLLS)

    async def since(self, order_id: str, event_id: int) -> list[OutboxEvent]:
        """An order's events after this one, at most a batch. Raises Transient."""
        return await run_in_threadpool(self._read, lambda c: outbox.after(c, event_id, order_id=order_id, limit=_BATCH))

    async def _round(self) -> None:
        if not self._followers:
            self._wanted.clear()
            self._position = None
            self._gaps.clear()
            return
        try:
            await self.positioned()
            for event in await run_in_threadpool(self._read, self._news):
                for subscription in tuple(self._followers.get(event.order_id, ())):
                    subscription.put(event)
        except Transient as error:
            log.warning("stream_waits", code=error.code)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._database.read() as c:
            return work(c)

    def _news(self, c: Connection) -> list[OutboxEvent]:
        late = outbox.among(c, list(self._gaps)) if self._gaps else []
        fresh = outbox.after(c, self._position or 0, limit=_BATCH)
        self._gaps = {number: polls - 1 for number, polls in self._gaps.items() if polls > 1}
        for event in late:
            self._gaps.pop(event.id, None)
        for event in fresh:
            room = max(0, _GAPS_MAX - len(self._gaps))
            skipped = range(max((self._position or 0) + 1, event.id - room), event.id)
            self._gaps.update(dict.fromkeys(skipped, _GAP_POLLS))
            self._position = event.id
        return [*late, *fresh]


def _standing(c: Connection) -> tuple[int, list[int]]:
    """The newest number, and those shortly before it whose transactions may still be about to commit."""
    latest = outbox.latest_id(c)
    before = range(max(1, latest - _LOOK_BACK), latest)
    there = {event.id for event in outbox.among(c, before)}
    return latest, [number for number in before if number not in there]


async def listen(
    hub: Hub, order_id: str, last_event_id: int | None, render: Callable[[OutboxEvent], str]
) -> AsyncIterator[str]:
    """The text of an event stream: what came after `last_event_id`, then what comes, and heartbeats in between."""
    with hub.follow(order_id) as subscription:
        await hub.positioned()
        yield "retry: 2000\n\n"
        caught_up: set[int] = set()
        batch = [] if last_event_id is None else await hub.since(order_id, last_event_id)
        while batch:
            for event in batch:
                caught_up.add(event.id)
                yield render(event)
            batch = await hub.since(order_id, batch[-1].id)
        while True:
            try:
                event_or_end = await asyncio.wait_for(subscription.queue.get(), HEARTBEAT_S)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event_or_end is None:
                return
            if event_or_end.id not in caught_up:
                yield render(event_or_end)


def whole_event(event: OutboxEvent) -> str:
    """For those who know the order: the type and the facts."""
    data = {"type": event.type, "order_id": event.order_id, "at": event.at.isoformat(), "data": event.data}
    return f"id: {event.id}\nevent: {event.type}\ndata: {json.dumps(data)}\n\n"


def bare_event(event: OutboxEvent) -> str:
    """For the customer's page: that something changed, and nothing else."""
    return f"id: {event.id}\nevent: update\ndata: {{}}\n\n"
