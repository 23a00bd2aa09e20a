"""Ending messages by their link: asked about first, one click for mail programs, and kept with its history."""

import pytest
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from ordertrail.db import preferences as stored
from ordertrail.db.engine import Database
from ordertrail.db.tables import orders, people, preferences
from ordertrail.domain.vocabulary import Channel, Frequency, MessageKind
from ordertrail.messages.links import Links, Unsubscription
from ordertrail.settings import Settings
from tests.api.bodies import PERSONAL, order
from tests.conftest import DrivenClock

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SHIPPED = (MessageKind.SHIPPED, Channel.EMAIL)


@pytest.fixture
def about(client: TestClient, database: Database) -> Unsubscription:
    client.post("/v1/orders", json=order())
    del client.headers["authorization"]
    with database.read() as c:
        person = c.execute(select(orders.c.person_id)).scalar_one()
    return Unsubscription(brand="acme", person_id=person, kind=SHIPPED[0], channel=SHIPPED[1])


@pytest.fixture
def path(about: Unsubscription, settings: Settings) -> str:
    return Links(settings.secret(), "").unsubscribe(about)


def said(database: Database) -> list[tuple[str, str, str, str]]:
    columns = preferences.c.kind, preferences.c.channel, preferences.c.frequency, preferences.c.source
    with database.read() as c:
        return [tuple(row) for row in c.execute(select(*columns).order_by(preferences.c.id))]


def test_looking_changes_nothing_and_asks(client: TestClient, path: str, database: Database) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert f'<form method="post" action="{path}">' in page.text
    assert not [word for word in PERSONAL if word in page.text]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert client.head(path).status_code == 200
    assert said(database) == []


@pytest.mark.parametrize(("body", "source"), [(ONE_CLICK, "one_click"), ({}, "page")])
def test_posting_ends_them_once(
    client: TestClient, path: str, database: Database, body: dict[str, str], source: str
) -> None:
    answers = [client.post(path, data=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "<form" not in answers[0].text
    assert said(database) == [("shipped", "email", "off", source)]


def test_one_click_may_be_multipart(client: TestClient, path: str, database: Database) -> None:
    assert client.post(path, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert said(database) == [("shipped", "email", "off", "one_click")]


def test_what_was_said_before_stays_as_history(
    client: TestClient, path: str, about: Unsubscription, database: Database, clock: DrivenClock
) -> None:
    client.post(path)
    with database.write() as c:
        assert stored.put(
            c, brand="acme", person_id=about.person_id, kind=about.kind, channel=about.channel,
            frequency=Frequency.IMMEDIATELY, source="portal", now=clock(),
        )  # fmt: skip
        assert stored.of_people(c, [about.person_id]) == {about.person_id: {SHIPPED: Frequency.IMMEDIATELY}}
    client.post(path)
    with database.read() as c:
        assert stored.of_people(c, [about.person_id, "per_x"]) == {about.person_id: {SHIPPED: Frequency.OFF}}
    assert [frequency for _, _, frequency, _ in said(database)] == ["off", "immediately", "off"]


def test_a_link_that_leads_nowhere_tells_nothing(
    client: TestClient, path: str, about: Unsubscription, settings: Settings, database: Database
) -> None:
    links = Links(settings.secret(), "")
    elsewhere = Unsubscription(brand="globex", person_id=about.person_id, kind=about.kind, channel=about.channel)
    tracking = links.tracking_token("ord_01k9zq3v5n8w2x4y6z8a0b2c4d")
    forged = ["/u/x", path + "x", "/u/" + "x" * 5000, f"/u/{tracking}", links.unsubscribe(elsewhere)]
    with database.write() as c:
        c.execute(delete(people))
    pages = {
        (answer.status_code, answer.text) for one in [*forged, path] for answer in (client.get(one), client.post(one))
    }
    assert len(pages) == 1
    assert pages.pop()[0] == 404
    assert said(database) == []


def test_links_are_stable_and_only_ours(about: Unsubscription) -> None:
    links = Links(b"a secret that is long enough, surely", "https://shop.example.org/")
    url = links.unsubscribe(about)
    assert url == links.unsubscribe(about)
    assert url.startswith("https://shop.example.org/u/")
    token = url.rsplit("/", 1)[1]
    assert links.unsubscription_of(token) == about
    assert [links.unsubscription_of(other) for other in ("", token[::-1], "é", token + ".x")] == [None] * 4
    assert links.order_of(token) is None
