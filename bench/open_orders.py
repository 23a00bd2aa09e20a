"""What ten thousand open orders on one worker cost, and whether one of them still answers as fast."""

import asyncio
import time
from collections import Counter
from datetime import datetime
from statistics import median

from bench.figures import Figure, compared, limited, percentile, say, shown
from bench.life import Life, Milestone, change
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
        await _signal(system, few, 0)
        with_few = [latency for turn in range(1, 7) for latency in await _signal(system, few, turn)]
        empty_mb = system.rss_mb("worker")
        many = product.lives("many", number)
        took = await _place(product, many)
        await settled(system, within_s=120)
        await asyncio.sleep(3)
        say(f"{number} orders open after {took:.0f} s")
        with_many = await _signal(system, many[:: number // _MEASURED], 0)
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


async def _signal(system: System, lives: list[Life], turn: int) -> list[float]:
    """How long it takes until the customer hears of a change, one order after the other."""
    latencies: list[float] = []
    for life in lives:
        told = system.arrivals.count(life.email)
        await system.http.post(*change(life, turn))
        accepted = time.monotonic()
        latencies.append(await system.arrivals.nth(life.email, told + 1, within_s=60) - accepted)
        await asyncio.sleep(0.05)
    return latencies


def _deadlines(system: System) -> tuple[int, float]:
    """How many orders fall due in the busiest second, and over how many seconds all of them do."""
    with system.database.read() as c:
        rows = c.exec_driver_sql("select deadline from orders where deadline is not null").scalars().all()
    instants = [datetime.fromisoformat(str(row)) for row in rows]
    seconds = Counter(instant.replace(microsecond=0) for instant in instants)
    return max(seconds.values()), (max(instants) - min(instants)).total_seconds()
