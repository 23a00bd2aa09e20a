"""Devices that follow an order: they come by the tracking page's link, and nobody can have us knock elsewhere."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from sqlalchemy import func, select
from starlette.testclient import TestClient

from ordertrail.channels.vapid import new_vapid_key
from ordertrail.db import subscriptions
from ordertrail.db.engine import Database
from ordertrail.db.subscriptions import MOST_DEVICES
from ordertrail.db.tables import orders, push_subscriptions
from ordertrail.messages.links import Links
from ordertrail.settings import PushProvider, Settings
from tests.api.bodies import order
from tests.api.conftest import BuildApp, MakeKey
from tests.fakes.push import b64, point

PRIVATE, PUBLIC = new_vapid_key()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def device(name: str = "a", **changes: Any) -> dict[str, Any]:
    """What a browser gives."""
    key = point(ec.generate_private_key(ec.SECP256R1()).public_key())
    keys = {"p256dh": b64(key), "auth": b64(b"0123456789abcdef")}
    return {"endpoint": f"https://push.example.com/{name}", "expirationTime": None, "keys": keys} | changes


@pytest.fixture
def settings(settings: Settings) -> Settings:
    vapid = {"vapid_private_key": SecretStr(PRIVATE), "vapid_subject": "mailto:ops@acme.example.org"}
    return settings.model_copy(update={"push_provider": PushProvider.VAPID, **vapid})


@pytest.fixture
def order_id(client: TestClient) -> str:
    placed: str = client.post("/v1/orders", json=order()).json()["order_id"]
    del client.headers["authorization"]
    return placed


@pytest.fixture
def page(order_id: str, settings: Settings) -> str:
    return f"{Links(settings.secret(), '').tracking_path(order_id)}/push-subscriptions"


def kept(database: Database, order_id: str) -> list[str]:
    with database.read() as c:
        person = c.execute(select(orders.c.person_id).where(orders.c.id == order_id)).scalar_one()
        return [found.endpoint for found in subscriptions.live(c, person_id=person, order_id=order_id)]


def test_the_page_is_given_the_key_and_the_address(client: TestClient, page: str) -> None:
    answer = client.get("/v1/push/key")
    assert answer.json() == {"key": PUBLIC}
    assert f'data-push="{page}"' in client.get(page.removesuffix("/push-subscriptions")).text


def test_a_device_comes_and_goes(client: TestClient, page: str, database: Database, order_id: str) -> None:
    phone = device()
    first = client.post(page, json=phone, headers={"user-agent": FIREFOX})
    again = client.post(page, json=phone)
    assert [first.status_code, again.status_code] == [201, 200]
    assert first.json() == {"status": "subscribed"}
    assert kept(database, order_id) == [phone["endpoint"]]
    with database.read() as c:
        assert c.execute(select(push_subscriptions.c.user_agent)).scalars().all() == ["firefox"]
    gone = [client.request("DELETE", page, json={"endpoint": phone["endpoint"]}).status_code for _ in range(2)]
    assert gone == [204, 204]
    assert kept(database, order_id) == []
    assert client.post(page, json=phone).status_code == 200
    assert kept(database, order_id) == [phone["endpoint"]]


def test_a_device_follows_the_one_order_whose_link_it_had(
    client: TestClient, page: str, database: Database, order_id: str, make_key: MakeKey
) -> None:
    client.post(page, json=device())
    other = client.post("/v1/orders", json=order("10-443"), headers=make_key()).json()["order_id"]
    assert (len(kept(database, order_id)), kept(database, other)) == (1, [])


def test_new_keys_of_a_known_device_replace_the_old(
    client: TestClient, page: str, database: Database, order_id: str
) -> None:
    client.post(page, json=device())
    changed = device()
    client.post(page, json=changed)
    with database.read() as c:
        assert c.execute(select(push_subscriptions.c.p256dh)).scalars().all() == [changed["keys"]["p256dh"]]
    assert len(kept(database, order_id)) == 1


def test_there_is_an_end_to_devices(client: TestClient, page: str, database: Database, order_id: str) -> None:
    for number in range(MOST_DEVICES + 3):
        assert client.post(page, json=device(str(number))).status_code == 201
    client.request("DELETE", page, json={"endpoint": device("5")["endpoint"]})
    assert client.post(page, json=device("another")).status_code == 201
    assert len(kept(database, order_id)) == MOST_DEVICES
    with database.read() as c:
        assert c.execute(select(func.count()).select_from(push_subscriptions)).scalar_one() == MOST_DEVICES


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"endpoint": "https://127.0.0.1/x"}, "/endpoint"),
        ({"endpoint": "http://push.example.com/x"}, "/endpoint"),
        ({"endpoint": "https://push.example.com:8443/x"}, "/endpoint"),
        ({"endpoint": "https://push.example.com/" + "x" * 1000}, "/endpoint"),
        ({"endpoint": None}, "/endpoint"),
        ({"keys": {"p256dh": "BAAA", "auth": "x" * 22}}, "/keys/p256dh"),
        ({"keys": {"p256dh": device()["keys"]["p256dh"], "auth": "short"}}, "/keys/auth"),
        ({"keys": {}}, "/keys/p256dh"),
    ],
)
def test_what_no_browser_gives_is_refused_and_not_repeated(
    client: TestClient, page: str, database: Database, order_id: str, changes: dict[str, Any], pointer: str
) -> None:
    answer = client.post(page, json=device(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert "push.example" not in answer.text
    assert "127.0.0.1" not in answer.text
    assert kept(database, order_id) == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b'{"endpoint": 1}', b"[" * 3000])
def test_any_bytes_are_answered(client: TestClient, page: str, raw: bytes) -> None:
    assert client.post(page, content=raw).status_code == 422
    assert client.request("DELETE", page, content=raw).status_code == 422


def test_a_link_that_is_not_ours_is_a_link_to_nothing(client: TestClient, page: str) -> None:
    for path in ("/t/forged/push-subscriptions", page.replace("/t/", "/t/x")):
        assert client.post(path, json=device()).status_code == 404
        assert client.request("DELETE", path, json={"endpoint": "https://push.example.com/a"}).status_code == 404


def test_where_it_is_off_nothing_is_offered(
    build_app: BuildApp, database: Database, settings: Settings, make_key: MakeKey
) -> None:
    off = settings.model_copy(update={"push_provider": PushProvider.OFF})
    with TestClient(build_app(database, off)) as client:
        order_id = client.post("/v1/orders", json=order(), headers=make_key()).json()["order_id"]
        page = Links(settings.secret(), "").tracking_path(order_id)
        assert client.get("/v1/push/key").json()["code"] == "push_off"
        assert client.post(f"{page}/push-subscriptions", json=device()).json()["code"] == "push_off"
        assert "data-push" not in client.get(page).text


def test_the_recipient_s_device_gets_the_recipient_s_messages(
    client: TestClient, settings: Settings, database: Database, make_key: MakeKey
) -> None:
    body = order("10-gift", recipient={"name": "Noa", "email": "noa@example.org"})
    order_id = client.post("/v1/orders", json=body, headers=make_key()).json()["order_id"]
    path = Links(settings.secret(), "").tracking_path(order_id, "recipient")
    assert client.post(f"{path}/push-subscriptions", json=device()).status_code == 201
    with database.read() as c:
        row = c.execute(select(orders.c.person_id, orders.c.recipient_id).where(orders.c.id == order_id)).one()
        kept_for = c.execute(select(push_subscriptions.c.person_id)).scalars().all()
    assert row.person_id != row.recipient_id
    assert kept_for == [row.recipient_id]
