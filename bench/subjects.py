"""The two that are compared: the product and the floor, told the same milestones and heard at the same provider."""

import asyncio
import time
from abc import ABC, abstractmethod

from temporalio.service import RPCError, RPCStatusCode

from bench import floor, life
from bench.life import BRAND, MILESTONES, Life, Milestone
from bench.system import System

PATIENCE_S = 60.0


class Subject(ABC):
    """Takes milestones of orders. `name` begins the series of its orders."""

    name: str

    def __init__(self, system: System) -> None:
        self.system = system

    @abstractmethod
    async def tell(self, order: Life, milestone: Milestone) -> float:
        """Report a milestone; from when on the way to the provider counts, in monotonic seconds."""

    @abstractmethod
    def workflow_id(self, order: Life) -> str:
        """The id of the order's workflow."""

    def lives(self, series: str, number: int) -> list[Life]:
        """Fresh orders."""
        return [Life(number=n, series=f"{self.name}-{series}") for n in range(number)]

    async def ended(self, order: Life) -> None:
        """Wait for the end of the order's workflow, which begins a moment after its order was accepted."""
        handle = self.system.temporal.get_workflow_handle(self.workflow_id(order))
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await handle.result()
                    return
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                await asyncio.sleep(0.02)

    async def heard(self, order: Life, milestone: Milestone, sent: dict[str, int]) -> list[float]:
        """When a milestone's messages arrived. `sent` counts this order's messages so far, and is updated."""
        arrived: list[float] = []
        for provider in order.sends(milestone):
            recipient = order.email if provider == "sendgrid" else order.phone
            sent[recipient] = sent.get(recipient, 0) + 1
            arrived.append(await self.system.arrivals.nth(recipient, sent[recipient], within_s=PATIENCE_S))
        return arrived

    async def live(self, order: Life, *, gap_s: float, latencies: list[float] | None = None) -> None:
        """A whole life, step by step: the next milestone follows `gap_s` after the last one was heard of."""
        sent: dict[str, int] = {}
        for milestone in MILESTONES:
            began = await self.tell(order, milestone)
            arrived = await self.heard(order, milestone, sent)
            if latencies is not None:
                latencies += [at - began for at in arrived]
            if gap_s:
                await asyncio.sleep(gap_s)


class Product(Subject):
    """ordertrail, by its HTTP API; the clock starts when the event is accepted."""

    name = "o"

    async def tell(self, order: Life, milestone: Milestone) -> float:
        if milestone is Milestone.PLACED:
            await self.system.http.post("/v1/orders", life.order(order))
        else:
            await self.system.http.post(*life.report(order, milestone))
        return time.monotonic()

    def workflow_id(self, order: Life) -> str:
        return f"order:{BRAND}:web:{order.external_id}"


class Floor(Subject):
    """The hand-written workflow; the clock starts when the signal is sent, as the product still has to send its own."""

    name = "f"

    async def tell(self, order: Life, milestone: Milestone) -> float:
        told = floor.Signal(
            name=milestone.value,
            sends=[
                floor.Send(provider=p, to=order.email if p == "sendgrid" else f"+{order.phone}")
                for p in order.sends(milestone)
            ],
            last=milestone is Milestone.DELIVERED,
        )
        began = time.monotonic()
        if milestone is Milestone.PLACED:
            await floor.start(self.system.temporal, self.workflow_id(order), told)
        else:
            handle = self.system.temporal.get_workflow_handle(self.workflow_id(order))
            await handle.signal("milestone", told)
        return began

    def workflow_id(self, order: Life) -> str:
        return f"floor:{order.external_id}"
