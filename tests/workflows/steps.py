"""The advance activity called by hand, as an attempt of some run would."""

from datetime import datetime
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities import AdvanceActivity, Loader, Saver
from ordertrail.db import brands
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.domain.clock import system_clock
from ordertrail.domain.ids import NaturalKey, order_workflow_id
from ordertrail.domain.outcome import AdvanceInput, Outcome
from ordertrail.domain.vocabulary import Channel
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.messages.links import Links
from tests.workflows import shop
from tests.workflows.system import SECRET, brand_of

CONSOLE = {Channel.EMAIL: "console", Channel.SMS: "console"}


class Steps:
    """Steps of the order with this key."""

    def __init__(
        self, database: Database, key: NaturalKey, *, providers: dict[Channel, str] = CONSOLE,
        receipts: frozenset[Channel] = frozenset(),
    ) -> None:  # fmt: skip
        loader = Loader(Brands(), secret=SECRET.encode(), providers=providers, receipts=receipts)
        saver = Saver(Links(SECRET.encode(), "https://shop.example.org"), templates_version="1")
        self._activity = AdvanceActivity(database, loader, saver)
        self.key = key

    def step(self, name: str, *, expected_seq: int | None = None, now: datetime | None = None) -> AdvanceInput:
        return AdvanceInput(
            workflow_id=order_workflow_id(self.key), step=name, expected_seq=expected_seq, received=1,
            now=now or system_clock(),
        )  # fmt: skip

    def run(self, step: AdvanceInput) -> Outcome:
        return ActivityEnvironment().run(self._activity.advance, step)


def placed(database: Database, *, now: datetime | None = None, **more: Any) -> Steps:
    """The steps of an order that has just come in."""
    at = now or system_clock()
    with database.write() as c:
        brands.put(c, brand_of("steps"), at)
    payload = shop.body(shop.order("steps", "1", at))
    FrontDoor(database, secret=SECRET.encode()).order("steps", "api", payload, at)
    return Steps(database, NaturalKey(brand="steps", channel="web", external_id="1"), **more)
