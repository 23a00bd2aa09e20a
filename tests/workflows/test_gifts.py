"""A gift: giver and recipient get links of their own, because only one of them may see what it cost."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from ordertrail.db import brands, reading, short_links
from ordertrail.db.engine import Database
from ordertrail.db.tables import deliveries
from ordertrail.domain.clock import system_clock
from ordertrail.domain.ids import NaturalKey
from ordertrail.domain.message import MessageFacts
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.messages.links import Links
from tests.workflows import shop
from tests.workflows.steps import Steps
from tests.workflows.system import SECRET, brand_of


def test_each_message_links_to_the_page_of_its_reader(database: Database) -> None:
    now = system_clock()
    with database.write() as c:
        brands.put(c, brand_of("gifts"), now)
    noa = {"name": "Noa", "email": "noa@example.org", "phone": "+34600123123", "consents": {"sms": True}}
    gift = shop.order("gifts", "1", now, recipient=noa)
    door = FrontDoor(database, secret=SECRET.encode())
    door.order("gifts", "api", shop.body(gift | {"shipments": [shop.shipment()]}), now)
    door.tracking_event("gifts", "api", shop.body(shop.scan("out", "out_for_delivery", now)), now)
    steps = Steps(database, NaturalKey(brand="gifts", channel="web", external_id="1"))
    steps.run(steps.step("run:1"))
    with database.read() as c:
        made = c.execute(select(deliveries.c.recipient, deliveries.c.facts)).all()
    links = Links(SECRET.encode(), "")
    read: dict[str, set[str | None]] = {}
    for role, facts in made:
        opened = links.order_of(str(MessageFacts.model_validate_json(facts).page_url).rpartition("/")[2])
        read.setdefault(role, set()).add(opened.role if opened else None)
    assert read == {"customer": {"customer"}, "recipient": {"recipient"}}
    urls = {str(MessageFacts.model_validate_json(facts).short_url) for role, facts in made if role == "recipient"}
    with database.read() as c:
        order_id = reading.order_id_of(c, "gifts", steps.key)
        assert [short_links.find(c, url.rpartition("/")[2]) for url in urls] == [(order_id, "recipient")]


def test_two_people_may_send_each_other_gifts_at_the_same_moment(database: Database) -> None:
    now = system_clock()
    with database.write() as c:
        brands.put(c, brand_of("gifts"), now)
    ada, noa = ({"name": name, "email": f"{name.lower()}@example.org"} for name in ("Ada", "Noa"))
    door = FrontDoor(database, secret=SECRET.encode())

    def give(number: int) -> str:
        giver, taker = (ada, noa) if number % 2 else (noa, ada)
        gift = shop.order("gifts", f"g{number}", now, recipient=taker) | {"customer": giver}
        return str(door.order("gifts", "api", shop.body(gift), now).answer["status"])

    with ThreadPoolExecutor(8) as many:
        assert set(many.map(give, range(48))) == {"accepted"}
