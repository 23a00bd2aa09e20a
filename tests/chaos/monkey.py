"""The monkey: a seeded plan of what is killed, locked and broken when, and its execution."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251  seeded: the same seed gives the same plan

from tests.chaos.providers import SENDGRID, TWILIO
from tests.chaos.system import PROVIDER_TIMEOUT_S, WINDOW_S, System
from tests.fakes.faults import Fault

_KILLS = ("kill worker", "kill api", "kill temporal")
_DATABASE = "database"
_FAULTS = (f"faults at {SENDGRID}", f"faults at {TWILIO}")
_CALLBACKS = ("callbacks late", "callbacks lost", "callbacks well")
_WEIGHTS = {**dict.fromkeys(_KILLS, 2), _DATABASE: 4, **dict.fromkeys(_FAULTS, 5), **dict.fromkeys(_CALLBACKS, 2)}

FAULTS: dict[str, Fault] = {
    "429": Fault.too_many(retry_after="1"),
    "500": Fault.server_error(),
    "hangs, taken": Fault.hang(PROVIDER_TIMEOUT_S + 1.5, accepts=True),
    "hangs, not taken": Fault.hang(PROVIDER_TIMEOUT_S + 1.5, accepts=False),
    "taken, connection dropped": Fault.drop_after_accept(),
    "connection dropped": Fault.refuse(),
}


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing done, `at` seconds after the beginning. `seconds`: how long, where it lasts; `faults` by name."""

    at: float
    what: str
    how: str = ""
    seconds: float = 0
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        details = [self.how, f"{self.seconds:.1f} s" if self.seconds else "", ", ".join(self.faults)]
        return " ".join([self.what, *(detail for detail in details if detail)])


def plan(seed: int, *, acts: int, seconds: float, outages: tuple[str, ...], longest_outage: float) -> list[Act]:
    """This many acts within `seconds`: everything at least once if there are enough, the rest at random."""
    rng = Random(seed ^ 0x5EED)
    every = [*_KILLS, _DATABASE, *_FAULTS, *_CALLBACKS]
    rng.shuffle(every)
    more = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=max(0, acts - len(every)))
    chosen = (every + more)[:acts]
    rng.shuffle(chosen)
    times = sorted(rng.uniform(1.5, seconds) for _ in chosen)
    return [_act(rng, at, what, outages, longest_outage) for at, what in zip(times, chosen, strict=True)]


def _act(rng: Random, at: float, what: str, outages: tuple[str, ...], longest: float) -> Act:
    if what == _DATABASE:
        return Act(at=at, what=what, how=rng.choice(outages), seconds=rng.uniform(0.5, longest))
    if what in _FAULTS:
        return Act(at=at, what=what, faults=tuple(rng.choices(list(FAULTS), k=rng.randint(1, 4))))
    return Act(at=at, what=what)


async def unleash(system: System, acts: list[Act]) -> None:
    """Carry the plan out; returns when the last act is over. What is down is killed as soon as it is up again."""
    begun = asyncio.get_running_loop().time()
    one_at_a_time = asyncio.Lock()  # the database is away once at a time; all else may coincide
    async with asyncio.TaskGroup() as group:
        for act in acts:
            await asyncio.sleep(max(0.0, begun + act.at - asyncio.get_running_loop().time()))
            system.note(str(act))
            group.create_task(_carry_out(system, act, one_at_a_time))


async def _carry_out(system: System, act: Act, one_at_a_time: asyncio.Lock) -> None:
    if act.what in _KILLS:
        await system.kill(act.what.removeprefix("kill "))
    elif act.what == _DATABASE:
        async with one_at_a_time:
            await system.database.away(act.how, act.seconds)
    elif act.what in _FAULTS:
        provider = system.providers[act.what.removeprefix("faults at ")]
        await provider.push(*(FAULTS[name] for name in act.faults))
    else:
        await _CALLBACK_REGIMES[act.what](system)


async def _late(system: System) -> None:
    """Texts are reported late, emails so late that nobody waits for them any more."""
    await system.providers[SENDGRID].settings(callback_delay=WINDOW_S + 2, callback_loss=0)
    await system.providers[TWILIO].settings(callback_delay=3, callback_loss=0)


async def _lost(system: System) -> None:
    for provider in system.providers.values():
        await provider.settings(callback_delay=0, callback_loss=0.4)


async def _well(system: System) -> None:
    for provider in system.providers.values():
        await provider.settings(callback_delay=0, callback_loss=0)


_CALLBACK_REGIMES: dict[str, Callable[[System], Awaitable[None]]] = dict(
    zip(_CALLBACKS, (_late, _lost, _well), strict=True)
)
