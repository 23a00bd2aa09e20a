"""One run of the suite: play all lives while the monkey is loose, make everything well, let it settle, count."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.client import Senders
from tests.chaos.databases import make
from tests.chaos.evidence import Evidence, at_work, gather, unsettled
from tests.chaos.judging import Verdict, judge
from tests.chaos.lives import Life, lives
from tests.chaos.monkey import Act, plan, unleash
from tests.chaos.people import bad_numbers
from tests.chaos.providers import heal
from tests.chaos.system import KILLABLE, System

_CALM_S = 2.5
"""Nothing must be left to do for this long."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How much of it. Orders begin within `seconds`, each lives `life_seconds`; the monkey acts `acts` times."""

    orders: int
    seconds: float
    life_seconds: float
    acts: int
    longest_outage: float
    settle_seconds: float
    database: str = "sqlite"
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one run came to. `timings`: seconds by phase."""

    form: Form
    evidence: Evidence
    verdict: Verdict
    incidents: tuple[str, ...]
    kills: Counter[str]
    acts: tuple[Act, ...]
    timings: dict[str, float]


async def run(form: Form, directory: Path) -> Result:
    """Run once; all processes are gone when this returns. Logs and data stay in `directory`."""
    played = lives(
        form.seed, orders=form.orders, seconds=form.seconds, life_seconds=form.life_seconds, now=datetime.now(UTC)
    )
    system = System(directory, make(form.database, directory), seed=form.seed)
    acts = plan(
        form.seed, acts=form.acts, seconds=form.seconds + form.life_seconds * 0.5, outages=system.database.outages,
        longest_outage=form.longest_outage,
    )  # fmt: skip
    watch = _Watch()
    try:
        await system.start(bad_numbers([life.order["customer"] for life in played]))
        watch.lap("start")
        senders = Senders(system.url, system.api_keys)
        try:
            await _play(system, senders, played, acts)
        finally:
            await senders.close()
        watch.lap("play")
        await heal(list(system.providers.values()))
        await system.up(*KILLABLE)
        left = await _settled(system, form.settle_seconds)
        watch.lap("settle")
        evidence = await gather(system, played, senders.ledger, left)
        watch.lap("count")
    finally:
        await system.stop()
    return Result(
        form=form, evidence=evidence, verdict=judge(evidence), incidents=tuple(system.incidents), kills=system.kills,
        acts=tuple(acts), timings=watch.laps,
    )  # fmt: skip


async def _play(system: System, senders: Senders, played: list[Life], acts: list[Act]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(unleash(system, acts))
        for life in played:
            group.create_task(senders.play(life))
        for life in played[:2]:
            group.create_task(senders.provoke(life))


async def _settled(system: System, seconds: float) -> str:
    """Wait until nothing is left to do, for `seconds` at most. What is left then."""
    give_up = time.monotonic() + seconds
    client = await system.temporal()
    calm_since: float | None = None
    left = "nothing was looked at"
    while time.monotonic() < give_up:
        left = await asyncio.to_thread(unsettled, system)
        calm_since = None if left else calm_since or time.monotonic()
        calm = calm_since is not None and time.monotonic() - calm_since >= _CALM_S
        if calm and not await at_work(client):
            return ""
        await asyncio.sleep(0.5)
    return left


class _Watch:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name], self._since = now - self._since, now
