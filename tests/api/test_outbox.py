"""The outbox: personal data, so only for operators."""

import base64

import pytest
from starlette.testclient import TestClient

from ordertrail.db.engine import Database
from ordertrail.db.keys import Scope
from ordertrail.settings import Settings
from tests.api.bodies import EMAIL, order
from tests.api.conftest import BuildApp, MakeKey
from tests.api.rows import add_console_message, add_delivery
from tests.conftest import DrivenClock

PATHS = ("/outbox", "/outbox/1", "/outbox/1/html")


@pytest.fixture
def messages(client: TestClient, database: Database, clock: DrivenClock) -> str:
    order_id: str = client.post("/v1/orders", json=order(number="No. 7")).json()["order_id"]
    del client.headers["authorization"]
    with database.write() as c:
        add_console_message(c, add_delivery(c, order_id, clock()), clock())
        add_console_message(c, "dlv_of_globex", clock(), brand="globex", recipient="other@example.org")
    return order_id


def basic(header: dict[str, str]) -> dict[str, str]:
    secret = header["authorization"].removeprefix("Bearer ")
    return {"authorization": "Basic " + base64.b64encode(f"me:{secret}".encode()).decode()}


@pytest.mark.parametrize("path", PATHS)
def test_without_an_ops_key_it_is_shut(client: TestClient, make_key: MakeKey, messages: str, path: str) -> None:
    others = basic(make_key(*(set(Scope) - {Scope.OPS})))
    for headers in ({}, others, {"authorization": "Basic !"}, {"authorization": "Basic /w=="}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert EMAIL not in answer.text


def test_an_ops_key_opens_its_own_brand(client: TestClient, make_key: MakeKey, messages: str) -> None:
    headers = basic(make_key(Scope.OPS))
    listed = client.get("/outbox", headers=headers)
    assert EMAIL in listed.text
    assert "other@example.org" not in listed.text
    assert client.get("/outbox/1", headers=headers).status_code == 200
    assert client.get("/outbox/2", headers=headers).status_code == 404
    assert client.get("/outbox/2/html", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("client_host", "host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:8000", 200),
        ("::1", "localhost:8000", 200),
        ("127.0.0.1", "rebound.example.org:8000", 401),
        ("192.0.2.7", "127.0.0.1:8000", 401),
    ],
)
def test_the_embedded_system_opens_it_to_its_own_machine(
    build_app: BuildApp, database: Database, settings: Settings, client_host: str, host: str, expected: int
) -> None:
    app = build_app(database, settings.model_copy(update={"ops_open": True}))
    with TestClient(app, base_url=f"http://{host}", client=(client_host, 50000)) as client:
        assert client.get("/outbox").status_code == expected


@pytest.mark.parametrize(
    ("wanted", "shown"), [("10-442", True), ("No. 7", True), ("id", True), ("%", False), ("No", False)]
)
def test_found_by_order(client: TestClient, make_key: MakeKey, messages: str, wanted: str, shown: bool) -> None:
    value = messages if wanted == "id" else wanted
    page = client.get("/outbox", params={"order": value}, headers=basic(make_key(Scope.OPS)))
    assert (EMAIL in page.text) == shown


def test_the_mail_itself_is_shut_in(client: TestClient, make_key: MakeKey, messages: str) -> None:
    answer = client.get("/outbox/1/html", headers=basic(make_key(Scope.OPS)))
    assert answer.text == "<p style='x'>Hi</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "script-src" not in answer.headers["content-security-policy"]


def test_pages_lead_back_and_forth(
    client: TestClient, make_key: MakeKey, messages: str, database: Database, clock: DrivenClock
) -> None:
    with database.write() as c:
        for number in range(120):
            add_console_message(c, f"dlv_x{number}", clock())
    headers = basic(make_key(Scope.OPS))

    def ids(page: str) -> list[int]:
        return [int(part.split('"')[0]) for part in page.split('class="title" href="/outbox/')[1:]]

    first = client.get("/outbox", headers=headers).text
    older = client.get("/outbox", params={"before": ids(first)[-1]}, headers=headers).text
    back = client.get("/outbox", params={"after": ids(older)[0]}, headers=headers).text
    last = client.get("/outbox", params={"before": ids(older)[-1]}, headers=headers).text
    assert (len(ids(first)), ids(back), len(ids(older)), len(ids(last))) == (50, ids(first), 50, 21)
    assert ("Newer" in first, "Older" in first, "Older" in last, "Newer" in back) == (False, True, False, False)


def test_a_message_leads_to_the_run_of_its_order(
    build_app: BuildApp, database: Database, settings: Settings, make_key: MakeKey, messages: str
) -> None:
    with_ui = settings.model_copy(update={"temporal_ui_url": "http://127.0.0.1:8233"})
    headers = basic(make_key(Scope.OPS))
    with TestClient(build_app(database, with_ui)) as client:
        page = client.get("/outbox/1", headers=headers).text
    assert 'href="http://127.0.0.1:8233/namespaces/default/workflows/order%3Aacme%3Aweb%3A' in page
    with TestClient(build_app(database, settings)) as client:
        assert "/workflows/" not in client.get("/outbox/1", headers=headers).text
