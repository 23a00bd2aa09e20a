"""What ten thousand open orders on one worker cost, and whether one of them still answers as fast."""

import asyncio
import time
from collections import Counter
from datetime import datetime
from statistics import median

from bench.figures import Figure, compared, limited, percentile, say, shown
from bench.life import Life, Milestone
from bench.subjects import Product, Subject
from bench.system import System, running, settled

_STEADY = 60.0
"""Orders a second at most: a burst of starts would starve the dispatch of all else."""
_IN_HAND = 24
_MEASURED = 60


async def measure(*, quick: bool) -> list[Figure]:
    """With ten orders open, then with ten thousand (or a thousand)."""
    number = 1000 if quick else 10_000
    async with running("open orders") as system:
        product = Product(system)
        few = product.lives("few", 10)
        await _place(product, few)
        with_few = [*await _reach(product, few, Milestone.PROCESSING), *await _reach(product, few, Milestone.PACKED)]
        with_few += await _signals(product, product.lives("probe", _MEASURED))
        empty_mb = system.rss_mb("worker")
        many = product.lives("many", number)
        took = await _place(product, many)
        await settled(system, within_s=120)
        await asyncio.sleep(3)
        say(f"{number} orders open after {took:.0f} s")
        with_many = await _reach(product, many[:: number // _MEASURED], Milestone.PROCESSING)
        busiest, span = _deadlines(system)
        return [
            limited("open.worker_rss", system.rss_mb("worker"), "MB", most=400, floor=empty_mb),
            compared("open.signal_p50", median(with_many) * 1000, median(with_few) * 1000, "ms", most=2.0),
            shown("open.signal_p99", percentile(with_many, 0.99) * 1000, "ms", percentile(with_few, 0.99) * 1000),
            limited("open.deadlines_busiest_second", busiest, f"of {number} orders", most=max(number / 100, 60)),
            shown("open.deadlines_span", span, "s"),
            shown("open.temporal_rss", system.rss_mb("temporal"), "MB"),
            shown("open.created_per_s", number / took, "orders/s"),
        ]


async def _place(subject: Subject, lives: list[Life]) -> float:
    """Place orders, each heard of before the next of its lane, at a bounded rate. The seconds it took."""
    lanes = asyncio.Semaphore(_IN_HAND)
    began = time.monotonic()

    async def one(life: Life) -> None:
        async with lanes:
            await subject.tell(life, Milestone.PLACED)
            await subject.heard(life, Milestone.PLACED, {})

    tasks = []
    for place, life in enumerate(lives):
        await asyncio.sleep(max(began + place / _STEADY - time.monotonic(), 0))
        async with lanes:
            tasks.append(asyncio.create_task(one(life)))
    await asyncio.gather(*tasks)
    return time.monotonic() - began


async def _reach(subject: Subject, lives: list[Life], milestone: Milestone) -> list[float]:
    """How long the messages of a milestone took, one order after the other."""
    latencies: list[float] = []
    for life in lives:
        sent = {life.email: subject.system.arrivals.count(life.email)}
        began = await subject.tell(life, milestone)
        latencies += [at - began for at in await subject.heard(life, milestone, sent)]
        await asyncio.sleep(0.05)
    return latencies


async def _signals(subject: Subject, lives: list[Life]) -> list[float]:
    """The same with few orders open: each is placed, signalled, and cancelled out of the way by its delivery."""
    latencies: list[float] = []
    for life in lives:
        await _place(subject, [life])
        latencies += await _reach(subject, [life], Milestone.PROCESSING)
    return latencies


def _deadlines(system: System) -> tuple[int, float]:
    """How many orders fall due in the busiest second, and over how many seconds all of them do."""
    with system.database.read() as c:
        rows = c.exec_driver_sql("select deadline from orders where deadline is not null").scalars().all()
    instants = [datetime.fromisoformat(str(row)) for row in rows]
    seconds = Counter(instant.replace(microsecond=0) for instant in instants)
    return max(seconds.values()), (max(instants) - min(instants)).total_seconds()
