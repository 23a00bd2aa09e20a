"""Who may do what."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ordertrail.db import keys
from ordertrail.db.engine import Database
from ordertrail.db.keys import Scope
from ordertrail.settings import Settings
from tests.api.bodies import order
from tests.api.conftest import BuildApp, MakeKey
from tests.conftest import DrivenClock


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", f"Bearer otk_{'a' * 43}", f"Basic otk_{'a' * 43}"]
)
def test_without_a_valid_key_nothing_is_answered(anonymous: TestClient, header: str | None) -> None:
    answer = anonymous.get("/v1/orders", headers={"authorization": header} if header is not None else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/orders", Scope.ORDERS_WRITE),
        ("POST", "/v1/orders/web:1/events", Scope.EVENTS_WRITE),
        ("POST", "/v1/tracking-events", Scope.EVENTS_WRITE),
        ("GET", "/v1/orders", Scope.ORDERS_READ),
        ("GET", "/v1/orders/web:1", Scope.ORDERS_READ),
        ("GET", "/v1/orders/web:1/timeline", Scope.ORDERS_READ),
        ("GET", "/v1/orders/web:1/deliveries", Scope.ORDERS_READ),
        ("GET", "/v1/orders/web:1/decisions", Scope.ORDERS_READ),
        ("GET", "/v1/orders/web:1/stream", Scope.ORDERS_READ),
        ("GET", "/v1/cases", Scope.CASES_READ),
        ("GET", "/v1/dead-letters", Scope.OPS),
        ("GET", "/v1/dead-letters/1", Scope.OPS),
        ("POST", "/v1/dead-letters/1/replay", Scope.OPS),
    ],
)
def test_each_route_wants_its_scope(
    anonymous: TestClient, make_key: MakeKey, method: str, path: str, scope: Scope
) -> None:
    others = make_key(*(set(Scope) - {scope}))
    assert anonymous.request(method, path, headers=others).status_code == 403
    allowed = anonymous.request(method, path, headers=make_key(scope))
    assert allowed.status_code in {200, 404, 422}


def test_only_the_hash_of_a_key_is_stored(database: Database, make_key: MakeKey) -> None:
    secret = make_key()["authorization"].removeprefix("Bearer ")
    with database.read() as c:
        stored = str(c.exec_driver_sql("SELECT * FROM api_keys").fetchall())
        assert keys.find(c, keys.secret_sha256(secret)) is not None
    assert secret.startswith("otk_")
    assert secret not in stored


def test_a_revoked_key_works_for_half_a_minute_at_most(
    anonymous: TestClient, make_key: MakeKey, database: Database, clock: DrivenClock
) -> None:
    header = make_key()
    assert anonymous.get("/v1/orders", headers=header).status_code == 200
    with database.write() as c:
        key = keys.listing(c)[0]
        assert keys.revoke(c, key.id, clock())
        assert not keys.revoke(c, key.id, clock())
    clock.advance(timedelta(seconds=31))
    assert anonymous.get("/v1/orders", headers=header).status_code == 401


def test_another_brand_sees_nothing(client: TestClient, make_key: MakeKey) -> None:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    stranger = make_key(brand="globex")
    for ref in (order_id, "web:10-442"):
        assert client.get(f"/v1/orders/{ref}", headers=stranger).status_code == 404
        assert client.get(f"/v1/orders/{ref}/timeline", headers=stranger).status_code == 404
    assert client.get("/v1/orders", headers=stranger).json()["orders"] == []


def test_a_rotated_key_still_knows_what_was_sent(client: TestClient, make_key: MakeKey) -> None:
    first = client.post("/v1/orders", json=order())
    again = client.post("/v1/orders", json=order(), headers=make_key(name="oms"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_a_key_above_its_rate_is_told_when_to_come_back(
    build_app: BuildApp, database: Database, settings: Settings, make_key: MakeKey, clock: DrivenClock
) -> None:
    limited = settings.model_copy(update={"rate_limit_per_s": 0.5, "rate_limit_burst": 3})
    app: FastAPI = build_app(database, limited)
    header, other = make_key(), make_key(name="other")
    with TestClient(app) as client:
        statuses = [client.get("/v1/orders", headers=header).status_code for _ in range(4)]
        refused = client.get("/v1/orders", headers=header)
        assert statuses == [200, 200, 200, 429]
        assert refused.headers["retry-after"] == "2"
        assert client.get("/v1/orders", headers=other).status_code == 200
        clock.advance(timedelta(seconds=2))
        assert client.get("/v1/orders", headers=header).status_code == 200
