"""Stories that several tests need: they are asserted on, recorded for replay, and searched for personal data."""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from temporalio.api.enums.v1 import EventType

from ordertrail.db.tables import deliveries
from tests.workflows import shop
from tests.workflows.system import Order, System, eventually


async def straight_line(system: System) -> Order:
    """Placed to delivered, by email and SMS."""
    order = system.place()
    await order.settled()
    order.event("processing")
    await order.settled()
    order.ship()
    await order.settled()
    order.scan("out_for_delivery")
    await order.settled()
    order.scan("delivered", left_at=shop.LEFT_AT)
    await order.closed()
    return order


async def delay_and_case(system: System) -> Order:
    """The shop moves the date, a parcel is damaged, and it arrives after all."""
    order = system.place()
    order.ship()
    await order.settled()
    order.event("promise_changed", promise=shop.promise_in(system.now(), days=9), reason_code="weather")
    await order.settled()
    order.scan("exception", reason_code="damaged")
    await order.settled()
    order.scan("in_transit", milestone="local_facility")
    await order.settled()
    order.scan("delivered")
    await order.settled()
    return order


async def raw_signals(system: System) -> Order:
    """An OMS that talks to Temporal itself, well and badly."""
    order = system.place()
    await order.settled()
    now = system.now()
    await order.handle.signal("order_event", shop.order_event("raw-1", "processing", now))
    await order.handle.signal("order_event", shop.order_event("raw-1", "processing", now))
    await order.handle.signal("order_event", {"event_id": "raw-2"})
    await order.handle.signal("order_evnt", {"event_id": "raw-3"})
    await order.handle.signal("order_event")
    await eventually(lambda: len(order.dead_letters()) == 3, "three dead letters")
    order.event("cancelled")
    await order.closed()
    return order


async def continued_as_new(system: System) -> Order:
    """So many signals that the run continues as new, and the order ends in a later run."""
    order = system.place()
    await order.settled()
    first = (await order.handle.describe()).run_id
    for number in range(130):
        await order.handle.signal("order_event", shop.order_event(f"can-{number}", "changed", system.now(), changes=[
            {"what": "other", "after": str(number)}]))  # fmt: skip
        if number % 10 == 0:
            await eventually(order.is_settled, "the queue is worked off")
    await until_continued(order, first)
    order.event("cancelled")
    await order.closed()
    return order


async def until_continued(order: Order, first: str | None) -> None:
    """Wake the run, which continues as new when it has nothing in flight, until it is no longer the first."""

    async def is_another() -> bool:
        await order.handle.signal("inbox")
        return (await order.handle.describe()).run_id != first

    await eventually(is_another, "the run continues as new")


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process holds SQLite's one write lock."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def regular_advances(order: Order) -> int:
    """How many steps were taken over by the regular activity."""
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    return len(
        [
            event
            async for event in order.handle.fetch_history_events()
            if event.event_type == scheduled
            and event.activity_task_scheduled_event_attributes.activity_type.name == "advance"
        ]
    )


async def fallen_back(system: System) -> Order:
    """The database is locked for so long that the regular activity takes over a step."""
    order = system.place()
    await order.settled()
    with locked(system.settings.database_url):
        await order.handle.signal("order_event", shop.order_event("in the dark", "processing", system.now()))

        async def is_taken_over() -> bool:
            return await regular_advances(order) == 1

        await eventually(is_taken_over, "the regular activity takes over")
    await eventually(lambda: len(order.messages()) == 2, "the step is done after all")
    order.event("cancelled")
    await order.closed()
    return order


async def cancelled_send(system: System) -> Order:
    """An email provider that cannot be reached; what waits for it is overtaken, and its send is cancelled."""
    order = system.place()
    order.event("processing")

    def states() -> dict[str, str]:
        return dict(order.rows(deliveries.c.kind, deliveries.c.state))

    await eventually(lambda: order.rows(deliveries.c.attempts) == [1, 1], "both sends have been tried")
    order.event("cancelled")
    await eventually(lambda: states().get("order_update") == "superseded", "the update is overtaken")

    async def is_cancelled() -> bool:
        wanted = EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED
        return any([event.event_type == wanted async for event in order.handle.fetch_history_events()])

    await eventually(is_cancelled, "its send is cancelled")
    await order.handle.terminate("the other sends would be retried for days")
    return order


@dataclass(frozen=True, kw_only=True)
class Scenario:
    play: Callable[[System], Awaitable[Order]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)


NOWHERE = "http://127.0.0.1:9"
SCENARIOS: Mapping[str, Scenario] = {
    "straight_line": Scenario(play=straight_line),
    "delay_and_case": Scenario(play=delay_and_case),
    "raw_signals": Scenario(play=raw_signals),
    "continued_as_new": Scenario(play=continued_as_new),
    "fallen_back": Scenario(play=fallen_back),
    "cancelled_send": Scenario(
        play=cancelled_send,
        settings={"email_provider": "sendgrid", "sendgrid_api_key": "SG.x", "sendgrid_base_url": NOWHERE},
    ),
}


def bodies(order: Order) -> list[str]:
    """The rendered subjects and texts of an order's messages."""
    with order.system.database.read() as c:
        rows = c.execute(select(deliveries.c.rendered).where(deliveries.c.order_id == order.id)).scalars()
        rendered = [json.loads(row) for row in rows if row]
    return [text for message in rendered for text in (message.get("subject"), message["text"]) if text]
