"""The two that are compared: the product and the floor, told the same milestones and heard at the same provider."""

import time
from abc import ABC, abstractmethod

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from bench import floor, life
from bench.life import BRAND, Life, Milestone
from bench.system import System

PATIENCE_S = 60.0


class Subject(ABC):
    """Takes milestones of orders. `name` begins the series of its orders."""

    name: str

    def __init__(self, system: System) -> None:
        self.system = system

    @abstractmethod
    async def tell(self, order: Life, milestone: Milestone) -> float:
        """Report a milestone; when it was accepted, in monotonic seconds."""

    @abstractmethod
    def workflow_id(self, order: Life) -> str:
        """The id of the order's workflow."""

    def lives(self, series: str, number: int) -> list[Life]:
        """Fresh orders."""
        return [Life(number=n, series=f"{self.name}-{series}") for n in range(number)]

    async def ended(self, order: Life) -> None:
        """Wait for the end of the order's workflow, which begins a moment after its order was accepted."""
        handle: WorkflowHandle[object, object] = self.system.temporal.get_workflow_handle(self.workflow_id(order))
        await handle.result()

    async def heard(self, order: Life, milestone: Milestone, sent: dict[str, int]) -> float:
        """When the last message of a milestone arrived. `sent` counts this order's messages so far, and is updated."""
        last = 0.0
        for provider in order.sends(milestone):
            recipient = order.email if provider == "sendgrid" else order.phone
            sent[recipient] = sent.get(recipient, 0) + 1
            came = await self.system.arrivals.nth(recipient, sent[recipient], within_s=PATIENCE_S)
            last = max(last, came)
        return last


class Product(Subject):
    """ordertrail, by its HTTP API."""

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
    """The hand-written workflow, by signals."""

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
        if milestone is Milestone.PLACED:
            await floor.start(self.system.temporal, self.workflow_id(order), told)
        else:
            handle = self.system.temporal.get_workflow_handle(self.workflow_id(order))
            await handle.signal("milestone", told)
        return time.monotonic()

    def workflow_id(self, order: Life) -> str:
        return f"floor:{order.external_id}"


def is_missing(error: RPCError) -> bool:
    """Whether there is no such workflow (yet)."""
    return error.status is RPCStatusCode.NOT_FOUND
