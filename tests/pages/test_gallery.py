"""The gallery: everything is there, hostile samples are harmless, and a test goes where it may."""

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.context import Context
from api.trials import Wish
from ordertrail.db import console, trials
from ordertrail.db.engine import Database
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.gallery import Choice, Gallery, in_scheme, languages_of
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples_extreme import SAMPLES
from tests.conftest import DrivenClock
from tests.messages.facts import CASA_VERDE, FORNO
from tests.messages.html_check import Page
from tests.pages.conftest import CUSTOMER

KIND = "/ops/templates/casa-verde/delay"


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000))


@pytest.fixture
def gallery(renderer: Renderer, pages: Pages) -> Gallery:
    return Gallery(renderer, pages, "https://shop.example/static")


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("data", SAMPLES)
@pytest.mark.parametrize("brand", [CASA_VERDE, FORNO], ids=lambda brand: brand.id)
def test_every_kind_is_there_on_every_channel(gallery: Gallery, brand: object, data: str) -> None:
    assert brand in (CASA_VERDE, FORNO)
    chosen = CASA_VERDE if brand == CASA_VERDE else FORNO
    for kind in MessageKind:
        choice = Choice(brand=chosen, kind=kind, language="en", data=data)
        page = Page(
            gallery.sheet(
                [CASA_VERDE, FORNO], choice, token="t", channels=[("email", "Email")], said="", failed=False, tests=[]
            )
        )
        assert "does not render" not in page.text
        assert len(page.all("iframe")) == 4 and all(
            "allow-scripts" not in str(it["sandbox"]) for it in page.all("iframe")
        )
        for shown in ("Text message", "Notification", "Phone call", "segment"):
            assert shown in page.text, (kind, shown)
        assert page.all("script") == [] and all("style" not in attributes for _, attributes in page.tags)


def test_the_overview_leads_to_every_kind(client: TestClient) -> None:
    page = Page(client.get("/ops/templates?brand=forno").text)
    links = [str(link.get("href")) for link in page.all("a")]
    assert all(any(f"/ops/templates/forno/{kind}?" in link for link in links) for kind in MessageKind)


def test_a_brands_languages_come_first_and_every_other_follows() -> None:
    tags = [tag for tag, _ in languages_of(CASA_VERDE.model_copy(update={"languages": ("es-MX", "en")}))]
    assert tags[:2] == ["es-MX", "en"] and "es" not in tags and len(tags) == len(set(tags))


def test_a_scheme_is_decided_by_the_server() -> None:
    css = "@media (prefers-color-scheme: dark) { a {} } @media (prefers-color-scheme:light) { b {} }"
    assert in_scheme(css, None) == css
    assert in_scheme(css, "dark") == "@media (min-width: 0px) { a {} } @media (max-width: 0px) { b {} }"
    assert in_scheme(css, "light") == "@media (max-width: 0px) { a {} } @media (min-width: 0px) { b {} }"


@pytest.mark.parametrize("path", ["/ops/templates", KIND, f"{KIND}/email"])
def test_it_is_shut_to_strangers(app: FastAPI, path: str) -> None:
    stranger = TestClient(app, base_url="http://127.0.0.1:8000", client=("192.0.2.7", 50000))
    assert stranger.get(path).status_code == 401
    assert stranger.post(f"{KIND}/test", data={"to": "x@example.com"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/ops/templates/globex/delay", "/ops/templates/casa-verde/none", f"{KIND}?data=none", "/ops/templates?kind=x"],
)
def test_what_there_is_not_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_email_is_shut_in(client: TestClient) -> None:
    answer = client.get(f"{KIND}/email?data=hostile&scheme=dark")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "<script>alert" not in answer.text


def test_a_form_that_is_not_ours_sends_nothing(client: TestClient, database: Database, clock: DrivenClock) -> None:
    token = token_of(client.get(KIND).text)
    form = {"channel": "email", "to": "me@operator.example", "language": "en", "data": "realistic"}
    others = token_of(client.get("/ops/templates/forno/delay").text)
    for wrong in ("", "x", others, token[:-2]):
        answer = client.post(f"{KIND}/test", data={**form, "token": wrong})
        assert (answer.status_code, "not ours" in answer.text) == (422, True)
        clock.advance(timedelta(minutes=1))
    with database.read() as c:
        assert trials.latest(c, brand="casa-verde", limit=9) == []
    assert client.post(f"{KIND}/test", data={**form, "token": token}).status_code == 200


def test_a_test_is_marked_recorded_and_few_at_a_time(client: TestClient, database: Database) -> None:
    token = token_of(client.get(KIND).text)
    form = {"channel": "sms", "to": "+34 612 345 678", "language": "en", "data": "realistic", "token": token}
    answers = [client.post(f"{KIND}/test", data=form).status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2
    with database.read() as c:
        found = trials.latest(c, brand="casa-verde", limit=9)
        written = console.page(c, brand="casa-verde", order="", before_id=None, after_id=None, limit=9)
    assert [(each.channel, each.outcome, each.asked_by) for each in found] == [("sms", "sent", "this machine")] * 5
    assert all("612345678" not in repr(each) for each in found)
    tests = [each for each in written if each.delivery_id.startswith("test_")]
    assert len(tests) == 5 and all('"text":"TEST ' in each.message for each in tests)


@pytest.mark.parametrize("typed", [CUSTOMER, f" {CUSTOMER.replace('example', 'EXAMPLE')} "])
def test_a_customer_never_gets_a_test(client: TestClient, database: Database, typed: str) -> None:
    token = token_of(client.get(KIND).text)
    form = {"channel": "email", "to": typed, "language": "en", "data": "realistic", "token": token}
    answer = client.post(f"{KIND}/test", data=form)
    assert answer.status_code == 422 and "belongs to a customer" in answer.text
    with database.read() as c:
        assert trials.latest(c, brand="casa-verde", limit=9) == []


def test_a_refusal_is_said_and_recorded(app: FastAPI, database: Database) -> None:
    context: Context = app.state.context
    choice = Choice(brand=CASA_VERDE, kind=MessageKind.DELAY, language="en")
    token = context.trials.token("casa-verde", "me")
    wish = Wish(choice=choice, channel=Channel.SMS, to="+15005550001", token=token, by="me")
    assert context.trials.send(wish).said == "Not sent: invalid_number."
    with database.read() as c:
        assert [each.outcome for each in trials.latest(c, brand="casa-verde", limit=9)] == ["invalid_number"]
