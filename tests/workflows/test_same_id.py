"""One event id under both names of an order is one event; another body under it is kept, not lost."""

import pytest
from sqlalchemy import select

from ordertrail.db import reading
from ordertrail.db.engine import Database
from ordertrail.db.tables import inbox, timeline
from ordertrail.domain.clock import system_clock
from ordertrail.frontdoor.door import FrontDoor
from tests.workflows import shop
from tests.workflows.steps import placed
from tests.workflows.system import SECRET


@pytest.mark.parametrize(("kind", "dead"), [("packed", []), ("processing", ["same_id_other_body"])])
def test_another_body_under_the_other_name_is_a_dead_letter(database: Database, kind: str, dead: list[str]) -> None:
    now = system_clock()
    steps = placed(database, now=now)
    with database.read() as c:
        order_id = str(reading.order_id_of(c, "steps", steps.key))
    door = FrontDoor(database, secret=SECRET.encode())
    door.order_event("steps", "api", order_id, shop.body(shop.order_event("e1", "packed", now)), now)
    steps.run(steps.step("run:1"))
    door.order_event("steps", "api", "web:1", shop.body(shop.order_event("e1", kind, now)), now)
    steps.run(steps.step("run:2"))
    with database.read() as c:
        told = c.execute(select(timeline.c.kind).where(timeline.c.event_id == "e1")).scalars().all()
        kept = c.execute(select(inbox.c.reason).where(inbox.c.state == "dead")).scalars().all()
    assert (told, kept) == (["packed"], dead)
