"""The whole product in one process: front door, dispatcher, workers and a real Temporal server."""

import asyncio
import inspect
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, overload

from pydantic import SecretStr
from sqlalchemy import func, select
from temporalio.client import Client, WorkflowHandle

from ordertrail.db import brands
from ordertrail.db.engine import Database
from ordertrail.db.tables import cases, console_messages, decisions, deliveries, handoffs, inbox, orders
from ordertrail.dispatcher import Dispatcher, start_order
from ordertrail.domain.brand import Brand
from ordertrail.domain.clock import Clock, system_clock
from ordertrail.domain.ids import NaturalKey, order_workflow_id
from ordertrail.domain.vocabulary import DeliveryState
from ordertrail.frontdoor.acceptance import Acceptance
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.settings import Settings
from ordertrail.wiring.worker import build_workers
from tests.workflows import shop

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds after which something that should have happened counts as missing; never waited for when all is well."""
SECRET = "not a secret, only long enough for one"
_UNSENT = (DeliveryState.PLANNED, DeliveryState.CLAIMED)
_UNANSWERED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.UNKNOWN)
_numbers = itertools.count(1)

SWIFT: dict[str, Any] = {"imminence_hold": "PT0S", "quiet_hours": None, "jitter": "PT0S"}
"""A policy under which nothing waits, for tests that are not about waiting."""


def brand_of(brand_id: str, **policy: Any) -> Brand:
    return Brand.model_validate(
        {
            "id": brand_id,
            "name": "North Lamps",
            "zone": "Europe/Berlin",
            "sender": {"email": "shop@north-lamps.com", "name": "North Lamps", "sms_from": "+15005550006"},
            "support": {"email": "help@north-lamps.com"},
            "policy": SWIFT | policy,
        }
    )


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine; one that hangs fails instead of holding up the suite."""
    return asyncio.run(asyncio.wait_for(work, 120))


@overload
async def eventually(check: Callable[[], Coroutine[Any, Any, T]], what: str) -> T: ...


@overload
async def eventually(check: Callable[[], T], what: str) -> T: ...


async def eventually(check: Callable[[], Any], what: str) -> Any:
    """What `check` gives, as soon as it is true."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        found = check()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"did not happen: {what}; last seen: {value!r}")
        await asyncio.sleep(0.04)


@dataclass(kw_only=True)
class Order:
    """One order, from its shop's and its carrier's side, and as the database and Temporal show it."""

    system: "System"
    id: str
    key: NaturalKey
    number: str
    events: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.system.client.get_workflow_handle(order_workflow_id(self.key))

    def event(self, kind: str, *, event_id: str | None = None, at: datetime | None = None, **facts: Any) -> None:
        """The shop reports something."""
        now = self.system.now()
        payload = shop.order_event(event_id or f"e{next(self.events)}", kind, at or now, **facts)
        self.system.take(
            self.system.door.order_event(
                self.key.brand, "api:oms", f"web:{self.key.external_id}", shop.body(payload), now
            )
        )

    def scan(self, status: str, *, event_id: str | None = None, at: datetime | None = None, **facts: Any) -> None:
        """The carrier reports something."""
        now = self.system.now()
        identity = event_id or f"{self.key.external_id}-s{next(self.events)}"
        payload = shop.scan(identity, status, at or now, number=self.number, **facts)
        self.system.take(self.system.door.tracking_event(self.key.brand, "api:dhl", shop.body(payload), now))

    def ship(self, **facts: Any) -> None:
        self.event("shipped", shipment=shop.shipment(number=self.number, **facts))

    def rows(self, *columns: Any) -> list[Any]:
        """Rows about this order of the table the columns are of."""
        table = columns[0].table
        which = table.c.id if table is orders else table.c.order_id
        with self.system.database.read() as c:
            found = c.execute(select(*columns).where(which == self.id).order_by(*table.primary_key.columns)).all()
        return [row[0] if len(columns) == 1 else tuple(row) for row in found]

    @property
    def seq(self) -> int:
        return int(self.rows(orders.c.seq)[0])

    def messages(self) -> list[str]:
        """What reached the console provider, as `kind/channel`, in the order of arrival."""
        with self.system.database.read() as c:
            rows = c.execute(
                select(console_messages.c.kind, console_messages.c.channel)
                .join(deliveries, deliveries.c.id == console_messages.c.delivery_id)
                .where(deliveries.c.order_id == self.id)
                .order_by(console_messages.c.id)
            )
            return [f"{kind}/{channel}" for kind, channel in rows]

    def cases(self) -> list[Any]:
        return self.rows(cases.c.kind, cases.c.priority)

    def reasons(self) -> list[Any]:
        return self.rows(decisions.c.decision, decisions.c.reason, decisions.c.message_kind)

    def dead_letters(self) -> list[Any]:
        found = self.rows(inbox.c.state, inbox.c.reason)
        return [reason for state, reason in found if state == "dead"]

    def is_settled(self) -> bool:
        """Nothing waits for the order, nothing is to be sent, and no failure is unanswered."""
        with self.system.database.read() as c:
            waiting = c.execute(select(func.count()).where(handoffs.c.order_id == self.id)).scalar_one()
            states = c.execute(
                select(deliveries.c.state, deliveries.c.handled).where(deliveries.c.order_id == self.id)
            ).all()
        busy = any(state in _UNSENT or (state in _UNANSWERED and not handled) for state, handled in states)
        return waiting == 0 and not busy and self.seq > 0

    async def settled(self) -> None:
        await eventually(self.is_settled, f"{self.key.external_id} settles")

    async def closed(self) -> None:
        """Settled, and its run has ended."""
        await self.settled()

        async def is_closed() -> bool:
            status = (await self.handle.describe()).status
            return status is not None and status.name == "COMPLETED"

        await eventually(is_closed, f"{self.key.external_id} ends its run")


@dataclass(kw_only=True)
class System:
    """The product's parts, and a shop that places orders with it."""

    database: Database
    client: Client
    settings: Settings
    brand: Brand
    door: FrontDoor
    dispatcher: Dispatcher | None
    now: Clock = system_clock

    def take(self, acceptance: Acceptance) -> None:
        """What an api process does with an acceptance."""
        if self.dispatcher is not None:
            self.dispatcher.wake(acceptance.wakes)

    async def hand_on(self, order: "Order") -> None:
        """Hand on without a dispatcher."""
        await start_order(self.client, self.settings.task_queue, order.key, inbox_id=0)

    def place(self, **changes: Any) -> Order:
        number = next(_numbers)
        external_id = str(changes.pop("external_id", f"{number:04}"))
        now = self.now()
        payload = shop.order(self.brand.id, external_id, now, **changes)
        acceptance = self.door.order(self.brand.id, "api:oms", shop.body(payload), now)
        self.take(acceptance)
        key = NaturalKey(brand=self.brand.id, channel="web", external_id=external_id)
        return Order(system=self, id=str(acceptance.answer["order_id"]), key=key, number=f"JD{number:010}")


def settings_for(database_url: str, **changes: Any) -> Settings:
    queue = f"test-{uuid.uuid4().hex[:8]}"
    return Settings(secret_key=SecretStr(SECRET), database_url=database_url, task_queue=queue, **changes)


@asynccontextmanager
async def assembled(
    client: Client, database_url: str, *, policy: dict[str, Any] | None = None, dispatch: bool = True,
    clock: Clock = system_clock, connect: Callable[[], Awaitable[Client]] | None = None, **settings: Any,
) -> AsyncIterator[System]:  # fmt: skip
    """Everything running; the database must be migrated."""
    told = settings_for(database_url, **settings)
    database = Database(told.sqlalchemy_url)
    brand = brand_of(f"b{uuid.uuid4().hex[:8]}", **(policy or {}))
    with database.write() as c:
        brands.put(c, brand, system_clock())

    async def connected() -> Client:
        return client

    dispatcher = Dispatcher(database, connect or connected, task_queue=told.task_queue, clock=system_clock)
    door = FrontDoor(database, secret=told.secret())
    async with AsyncExitStack() as running:
        running.callback(database.close)
        for worker in build_workers(told, client, database, clock):
            await running.enter_async_context(worker)
        if dispatch:
            task = asyncio.create_task(dispatcher.run())
            running.callback(task.cancel)
            await asyncio.sleep(0)
        yield System(
            database=database, client=client, settings=told, brand=brand, door=door,
            dispatcher=dispatcher if dispatch else None, now=clock,
        )  # fmt: skip
