"""Writing: sent once, never lost, never doubled."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from ordertrail.db.engine import Database
from ordertrail.db.tables import handoffs, inbox, orders
from ordertrail.settings import Settings
from tests.api.bodies import PERSONAL, event, order, reformatted, scan
from tests.api.conftest import BuildApp, Memory


def rows(database: Database, *columns: Any) -> list[Any]:
    with database.read() as c:
        return list(c.execute(select(*columns).order_by(inbox.c.id)))


def test_an_order_is_stored_and_its_workflow_woken(client: TestClient, dispatcher: Memory, database: Database) -> None:
    answer = client.post("/v1/orders", json=order())
    assert answer.status_code == 201
    body = answer.json()
    assert body == {"order_id": body["order_id"], "inbox_id": body["inbox_id"], "status": "accepted"}
    assert answer.headers["location"] == f"/v1/orders/{body['order_id']}"
    assert [(wake.order_id, wake.inbox_id) for wake in dispatcher.woken] == [(body["order_id"], body["inbox_id"])]
    assert rows(database, inbox.c.payload, inbox.c.connection, inbox.c.state)[0][1:] == ("api:oms", "accepted")


def test_the_same_order_again_gets_the_same_answer(client: TestClient, dispatcher: Memory) -> None:
    first = client.post("/v1/orders", json=order())
    again = client.post("/v1/orders", content=reformatted(order()))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(dispatcher.woken) == 1


def test_parallel_duplicates_make_one_order(client: TestClient, database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.post("/v1/orders", json=order()), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.text for answer in answers}) == 1
    with database.read() as c:
        assert c.execute(select(func.count()).select_from(orders)).scalar_one() == 1
        assert c.execute(select(func.count()).select_from(handoffs)).scalar_one() == 1


def test_another_body_under_the_same_id_is_a_conflict_and_kept(client: TestClient, database: Database) -> None:
    client.post("/v1/orders", json=order())
    answer = client.post("/v1/orders", json=order(currency="USD"))
    assert answer.status_code == 409
    problem = answer.json()
    kept = rows(database, inbox.c.id, inbox.c.state, inbox.c.reason)[-1]
    assert kept == (problem["dead_letter"], "dead", "same_id_other_body")
    again = client.post("/v1/orders", json=order(currency="USD"))
    assert again.json()["dead_letter"] == problem["dead_letter"]


@pytest.mark.parametrize("natural", [True, False])
def test_an_event_reaches_its_order(client: TestClient, dispatcher: Memory, natural: bool) -> None:
    order_id = client.post("/v1/orders", json=order("A/7/x")).json()["order_id"]
    ref = "web:A/7/x" if natural else order_id
    first = client.post(f"/v1/orders/{ref}/events", json=event())
    again = client.post(f"/v1/orders/{ref}/events", content=reformatted(event()))
    other = client.post(f"/v1/orders/{ref}/events", json=event(kind="packed"))
    assert (first.status_code, again.status_code, other.status_code) == (202, 200, 409)
    assert first.json() == again.json()
    assert (first.json()["status"], first.json()["order_ids"]) == ("accepted", [order_id])
    assert [wake.order_id for wake in dispatcher.woken] == [order_id, order_id]


def test_an_event_before_its_order_waits_for_it(client: TestClient, database: Database) -> None:
    early = client.post("/v1/orders/web:10-442/events", json=event())
    assert (early.status_code, early.json()["status"]) == (202, "unmatched")
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    assert rows(database, inbox.c.state, inbox.c.order_id)[0] == ("accepted", order_id)
    with database.read() as c:
        waiting = c.execute(select(handoffs.c.inbox_id).where(handoffs.c.order_id == order_id)).scalars().all()
    assert early.json()["inbox_id"] in waiting


def test_an_event_and_its_order_at_the_same_moment_find_each_other(client: TestClient, database: Database) -> None:
    def send(number: int) -> Any:
        if number % 2:
            return client.post(f"/v1/orders/web:{number // 2}/events", json=event()).status_code
        return client.post("/v1/orders", json=order(str(number // 2))).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(24))) == {201, 202}
    assert {state for (state,) in rows(database, inbox.c.state)} == {"accepted"}


def test_a_scan_for_a_number_nobody_knows_waits(client: TestClient) -> None:
    answer = client.post("/v1/tracking-events", json=scan(tracking_number="ZZ 999"))
    assert (answer.status_code, answer.json()["status"]) == (202, "unmatched")


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_scan_by_order_and_shipment(client: TestClient, where: str) -> None:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    named: dict[str, Any] = {"carrier": None, "tracking_number": None, "shipment_ref": "S1"}
    if where == "query":
        answer = client.post("/v1/tracking-events?order=web:10-442", json=scan(**named))
    else:
        answer = client.post("/v1/tracking-events", json=scan(**named, order=order_id))
    assert (answer.status_code, answer.json().get("order_ids")) == (202, [order_id])


def test_a_shipment_without_its_order_is_told_so(client: TestClient) -> None:
    answer = client.post("/v1/tracking-events", json=scan(carrier=None, tracking_number=None, shipment_ref="S1"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/order"
    assert isinstance(answer.json()["dead_letter"], int)


@pytest.mark.parametrize("ref", ["ord_01k9zq3v5n8w2x4y6z8a0b2c4d", "nonsense", ":x", "WEB:x", "web:" + "x" * 121])
def test_an_id_nobody_minted_is_not_found(client: TestClient, ref: str) -> None:
    assert client.post(f"/v1/orders/{ref}/events", json=event()).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"customer": {"name": "x", "email": "zoe.quirrell at nowhere"}}, "/customer/email"),
        ({"currency": "ZZZ"}, "/currency"),
        ({"placed_at": "2026-03-02T09:15:00"}, "/placed_at"),
        ({"placed_at": "0001-01-01T00:00:00+14:00"}, "/placed_at"),
        ({"promise": {"kind": "date", "on": "tomorrow", "zone": "Europe/Madrid"}}, "/promise/on"),
        ({"promise": {"kind": "someday"}}, "/promise/kind"),
        ({"promise": {"kind": "date", "on": "9999-12-31", "zone": "Europe/Madrid"}}, "/promise/on"),
        ({"lines": [{"sku": "a", "name": "b", "quantity": "1"}]}, "/lines/0/unit_price"),
        ({"e~/mail": "x"}, "/e~0~1mail"),
        ({"external_id": "a\u0000b"}, "/external_id"),
        ({"brand": "globex"}, "/brand"),
    ],
)
def test_what_is_wrong_is_named_and_the_body_kept(
    client: TestClient, database: Database, change: dict[str, Any], pointer: str
) -> None:
    sent = json.dumps(order(**change))
    answer = client.post("/v1/orders", content=sent)
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in {error["pointer"] for error in problem["errors"]}
    kept = rows(database, inbox.c.id, inbox.c.state, inbox.c.payload)[-1]
    assert (kept.id, kept.state, bytes(kept.payload)) == (problem["dead_letter"], "dead", sent.encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"[" * 5000, b'{"brand":' * 3000, b"1e999999", b'{"a":"\\ud800"}'],
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/web:1/events", "/v1/tracking-events"])
def test_what_is_no_json_at_all_is_kept_too(client: TestClient, path: str, raw: bytes) -> None:
    answer = client.post(path, content=raw)
    assert answer.status_code == 422
    assert isinstance(answer.json()["dead_letter"], int)
    assert client.post(path, content=raw).json()["dead_letter"] == answer.json()["dead_letter"]


def test_no_problem_repeats_what_was_sent(client: TestClient) -> None:
    """Each field in turn is replaced by something personal that it cannot be."""
    personal = "Zoë Quirrell <zoe.quirrell@example.org>'\"" + "x" * 2100
    body = order()
    for field in body:
        for value in (personal, [personal], {personal[:10]: personal}, {"kind": personal}):
            answer = client.post("/v1/orders", json=body | {field: value})
            if answer.status_code == 422:
                said = [error["detail"] for error in answer.json()["errors"]]
                assert not [word for word in PERSONAL for detail in said if word in detail], answer.text
    for field in body["customer"]:
        answer = client.post("/v1/orders", json=body | {"customer": body["customer"] | {field: personal}})
        assert answer.status_code == 422
        assert not [word for word in PERSONAL if word in answer.text]


def test_a_body_above_the_limit_is_refused(
    build_app: BuildApp, database: Database, settings: Settings, make_key: Any
) -> None:
    app = build_app(database, settings.model_copy(update={"max_body_bytes": 100}))
    with TestClient(app) as client:
        declared = client.post("/v1/orders", content=b" " * 101, headers=make_key())
        streamed = client.post("/v1/orders", content=iter([b" " * 60, b" " * 60]), headers=make_key())
    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert streamed.headers["content-type"] == "application/problem+json"


def test_while_the_database_is_away_senders_are_asked_to_wait(
    build_app: BuildApp, database: Database, settings: Settings, make_key: Any, tmp_path: Any, clock: Any
) -> None:
    """The key is remembered; the write is not possible: 503, nothing stored, and it works again afterwards."""
    header = make_key()
    away = Database(_gone(database, tmp_path), pool_size=1, busy_timeout_s=0.1)
    app = build_app(away, settings)
    app.state.context.parts.keyring._database = database
    with TestClient(app) as client:
        for method, path, body in (
            ("POST", "/v1/orders", order()),
            ("POST", "/v1/orders", {"not": "an order"}),
            ("POST", "/v1/orders/web:1/events", event()),
            ("POST", "/v1/tracking-events", scan()),
            ("GET", "/v1/orders/web:1", None),
            ("GET", "/v1/orders", None),
            ("GET", "/v1/cases", None),
        ):
            answer = client.request(method, path, json=body, headers=header)
            assert answer.status_code == 503, (path, answer.text)
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["code"] == "database_unavailable"
        assert client.get("/readyz").status_code == 503
        assert "ordertrail_database_up 0.0" in client.get("/metrics").text
    with TestClient(build_app(database, settings)) as client:
        assert client.post("/v1/orders", json=order(), headers=header).status_code == 201


def _gone(database: Database, tmp_path: Any) -> str:
    if database.is_sqlite:
        return f"sqlite:///{tmp_path}"  # a folder cannot be opened as a database
    return "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"
