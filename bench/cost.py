"""What an order costs in history events and Temporal actions."""

import asyncio
import re
import urllib.request
from statistics import mean

from bench.actions import count_actions
from bench.figures import Figure, compared, say, shown
from bench.life import Life
from bench.subjects import Floor, Product, Subject
from bench.system import System, running

_GAP_S = 0.4
"""Long enough that each send's end is a workflow task of its own, as with events that come hours apart."""
_HEARTBEATS = re.compile(r'^temporal_request\{[^}]*operation="RecordActivityTaskHeartbeat"[^}]*\} (\d+)', re.MULTILINE)


async def measure(*, quick: bool) -> list[Figure]:
    """Lives of twelve orders, or of six, of each kind."""
    number = 6 if quick else 12
    async with running("cost") as system:
        product, floor = Product(system), Floor(system)
        await _live(product, product.lives("warm", 2))
        before = _heartbeats(system)
        lives = product.lives("cost", number), floor.lives("cost", number)
        await asyncio.gather(_live(product, lives[0]), _live(floor, lives[1]))
        heartbeats = (_heartbeats(system) - before) / number
        events, actions, tasks = await _histories(product, lives[0])
        floor_events, floor_actions, floor_tasks = await _histories(floor, lives[1])
    say(f"an order: {mean(events):.1f} events; floor {mean(floor_events):.1f}")
    return [
        compared("cost.events", mean(events), mean(floor_events), "events/order", most=1.35),
        compared("cost.actions", mean(actions) + heartbeats, mean(floor_actions), "actions/order", most=2.0),
        shown("cost.heartbeats", heartbeats, "actions/order"),
        shown("cost.workflow_tasks", mean(tasks), "tasks/order", mean(floor_tasks)),
    ]


async def _live(subject: Subject, lives: list[Life]) -> None:
    limit = asyncio.Semaphore(3)

    async def one(life: Life) -> None:
        async with limit:
            await subject.live(life, gap_s=_GAP_S)
            await subject.ended(life)

    await asyncio.gather(*(one(life) for life in lives))


async def _histories(subject: Subject, lives: list[Life]) -> tuple[list[int], list[int], list[int]]:
    """Events, actions and workflow tasks of each order."""
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    for life in lives:
        handle = subject.system.temporal.get_workflow_handle(subject.workflow_id(life))
        events = [event async for event in handle.fetch_history_events()]
        tasks = sum(event.HasField("workflow_task_completed_event_attributes") for event in events)
        for kept, value in zip(found, (len(events), count_actions(events), tasks), strict=True):
            kept.append(value)
    return found


def _heartbeats(system: System) -> int:
    """Heartbeats the product's worker has sent so far: actions that no history shows."""
    with urllib.request.urlopen(f"http://127.0.0.1:{system.metrics_port}/metrics", timeout=5) as answer:
        return sum(int(number) for number in _HEARTBEATS.findall(answer.read().decode()))
