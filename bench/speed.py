"""How soon a customer hears, and how many orders a second there can be."""

import asyncio
import time
from statistics import median

from bench.figures import Figure, compared, limited, percentile, say, shown
from bench.life import MILESTONES, Life
from bench.subjects import Floor, Product, Subject
from bench.system import System, running, settled, waiting

_IN_HAND = 24
"""Orders that are being told of at the same time; more only lengthens the tail."""


async def measure(*, quick: bool) -> list[Figure]:
    """Latency at five events a second, orders a second, and latency at half of that."""
    async with running("speed") as system:
        product, floor = Product(system), Floor(system)
        for subject in (product, floor):
            await _as_fast_as_possible(subject, "warm", 12)
        figures = await _calm(product, floor, 30 if quick else 60)
        peak, rates = await _peak(product, floor, orders=40 if quick else 64, rounds=1 if quick else 7)
        figures += rates
        figures += await _half_peak(product, peak / 2, 30 if quick else 300)
    return figures


async def _calm(product: Subject, floor: Subject, seconds: float) -> list[Figure]:
    say(f"latency at five events a second, {seconds:.0f} s each")
    found: dict[str, list[float]] = {"o": [], "f": []}
    for turn in range(2):
        for subject in (product, floor):
            await _steadily(subject, f"calm{turn}", 5, seconds / 2, found[subject.name])
    ours, floors = found["o"], found["f"]
    ms = [value * 1000 for value in ours], [value * 1000 for value in floors]
    return [
        compared("latency.p50", median(ms[0]), median(ms[1]), "ms", most=2.2),
        limited("latency.p99", percentile(ms[0], 0.99), "ms", most=100, floor=percentile(ms[1], 0.99)),
    ]


async def _steadily(
    subject: Subject, series: str, events_per_s: float, seconds: float, latencies: list[float]
) -> tuple[int, int]:
    """New orders at a steady rate, whatever becomes of the earlier ones. The queue at half time and at the end."""
    every = len(MILESTONES) / events_per_s
    orders = max(int(seconds / every), 1)
    gap = min(1.0, seconds / 10)
    tasks: list[asyncio.Task[None]] = []
    began = time.monotonic()
    queue = [0, 0]
    for life in subject.lives(series, orders):
        await asyncio.sleep(max(began + life.number * every - time.monotonic(), 0))
        tasks.append(asyncio.create_task(subject.live(life, gap_s=gap, latencies=latencies)))
        if life.number in (orders // 2, orders - 1):
            queue[life.number == orders - 1] = sum(not task.done() for task in tasks)
    await asyncio.gather(*tasks)
    return queue[0], queue[1]


async def _peak(product: Subject, floor: Subject, *, orders: int, rounds: int) -> tuple[float, list[Figure]]:
    step: dict[str, list[float]] = {"o": [], "f": []}
    burst: dict[str, list[float]] = {"o": [], "f": []}
    sends: list[float] = []
    system = product.system
    for turn in range(rounds):
        for subject in (product, floor):
            say(f"orders a second, {'product' if subject is product else 'floor'}, {turn + 1} of {rounds}")
            cpu = _cpu(system)
            step[subject.name].append(await _as_fast_as_possible(subject, f"step{turn}", orders))
            _tell_cpu(system, cpu, orders)
            before = system.arrivals.total
            burst[subject.name].append(await _as_fast_as_possible(subject, f"burst{turn}", orders, burst=True))
            if subject is product:
                sends.append((system.arrivals.total - before) / orders)
    ours, floors = median(step["o"]), median(step["f"])
    return ours, [
        compared("orders.per_s", ours, floors, "orders/s", least=0.4),
        compared("orders.per_s_burst", median(burst["o"]), median(burst["f"]), "orders/s", least=0.4),
        shown("orders.burst_sends", median(sends), "sends/order", 8.0),
    ]


async def _as_fast_as_possible(subject: Subject, series: str, number: int, *, burst: bool = False) -> float:
    """Orders a second. Each milestone follows as soon as the last one was heard of, or in a burst at once."""
    limit = asyncio.Semaphore(_IN_HAND)

    async def one(life: Life) -> None:
        async with limit:
            if burst:
                for milestone in MILESTONES:
                    await subject.tell(life, milestone)
            else:
                await subject.live(life, gap_s=0)
            await subject.ended(life)

    began = time.monotonic()
    await asyncio.gather(*(one(life) for life in subject.lives(series, number)))
    return number / (time.monotonic() - began)


async def _half_peak(product: Subject, orders_per_s: float, seconds: float) -> list[Figure]:
    say(f"{orders_per_s:.1f} orders a second for {seconds:.0f} s")
    latencies: list[float] = []
    await settled(product.system)
    half, end = await _steadily(product, "half", orders_per_s * len(MILESTONES), seconds, latencies)
    await settled(product.system)
    growth = end / half if half else float(end > 0)
    say(f"orders in hand {half} at half time, {end} at the end; {waiting(product.system)} events left")
    return [
        limited("sustained.p99", percentile(latencies, 0.99) * 1000, "ms", most=1000),
        shown("sustained.p50", median(latencies) * 1000, "ms"),
        shown("sustained.orders_per_s", orders_per_s, "orders/s"),
        limited("sustained.queue_growth", growth, "x from half time to end", most=1.5),
    ]


def _cpu(system: System) -> dict[str, float]:
    return {name: system.cpu_s(name) for name in ("temporal", "api", "worker", "floor")}


def _tell_cpu(system: System, before: dict[str, float], orders: int) -> None:
    used = {name: (value - before[name]) / orders * 1000 for name, value in _cpu(system).items()}
    say("processor ms an order: " + ", ".join(f"{name} {ms:.0f}" for name, ms in used.items()))
