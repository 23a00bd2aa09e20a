"""The tracking page: for whoever holds its link, and nothing for anybody else."""

import json

import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from starlette.testclient import TestClient

from ordertrail.db import short_links
from ordertrail.db.engine import Database
from ordertrail.db.tables import orders
from ordertrail.domain.brand import Brand
from ordertrail.messages.links import Links, Opened
from ordertrail.settings import Settings
from tests.api.bodies import PERSONAL, order


@pytest.fixture
def path(client: TestClient, settings: Settings) -> str:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    del client.headers["authorization"]
    return Links(settings.secret(), "").tracking_path(order_id)


def test_the_holder_of_the_link_sees_the_order(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert "10-442" in page.text
    assert f"{path}/stream" in page.text
    assert not [word for word in PERSONAL if word in page.text]
    assert client.head(path).status_code == 200


def test_the_document_names_the_page(client: TestClient, settings: Settings) -> None:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    document = client.get(f"/v1/orders/{order_id}").json()
    assert document["tracking_page"] == Links(settings.secret(), "").tracking_path(order_id)


@pytest.mark.parametrize("real", [True, False])
def test_the_page_is_shut_tight(client: TestClient, path: str, real: bool) -> None:
    headers = client.get(path if real else "/t/forged").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "noindex" in headers["x-robots-tag"]


def test_a_link_that_leads_nowhere_tells_nothing(
    client: TestClient, path: str, settings: Settings, database: Database
) -> None:
    token = path.removeprefix("/t/")
    forged = [
        "x",
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token + "x",
        "x" * 5000,
        Links(b"another secret that is long enough", "").tracking_token("ord_01k9zq3v5n8w2x4y6z8a0b2c4d"),
        Links(settings.secret(), "").tracking_token("ord_01k9zq3v5n8w2x4y6z8a0b2c4d"),
    ]
    with database.write() as c:
        c.execute(delete(orders))
    pages = {(answer.status_code, answer.text) for answer in (client.get(f"/t/{one}") for one in [*forged, token])}
    assert len(pages) == 1
    assert pages.pop()[0] == 404


def test_the_token_is_in_no_log(client: TestClient, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    client.get(f"{path}?from=sms")
    logged = capsys.readouterr()
    assert "/t/{token}" in logged.out + logged.err
    assert path not in logged.out + logged.err
    assert "from=sms" not in logged.out + logged.err


def test_links_are_stable_and_only_ours() -> None:
    links = Links(b"a secret that is long enough, surely", "https://shop.example.org/")
    token = links.tracking_token("ord_1")
    assert links.order_of(token) == Opened(order_id="ord_1", role="customer")
    assert links.tracking_page("ord_1") == f"https://shop.example.org/t/{token}"
    assert [links.order_of(other) for other in ("", "ord_1", token[::-1], "é", token + ".x")] == [None] * 5


def test_a_short_link_leads_to_the_page_it_stands_for(
    client: TestClient, settings: Settings, database: Database
) -> None:
    links = Links(settings.secret(), "")
    codes = {role: links.short_code("ord_1", role) for role in ("customer", "recipient")}
    assert all(len(code) == 12 and code.isalnum() for code in codes.values()) and len(set(codes.values())) == 2
    with database.write() as c:
        short_links.put(c, "acme", [(code, "ord_1", role) for role, code in codes.items()])
        short_links.put(c, "acme", [(codes["customer"], "ord_1", "customer")])
    for role, code in codes.items():
        answer = client.get(f"/s/{code}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, links.tracking_path("ord_1", role))
        assert answer.headers["referrer-policy"] == "no-referrer"
    forged = Links(b"another secret that is long enough", "").short_code("ord_1")
    with database.write() as c:
        short_links.put(c, "acme", [(forged, "ord_1", "customer")])
    for unknown in (forged, "abcdefghijkl", "a%00b", "%C3%A9", "x" * 500):
        assert client.get(f"/s/{unknown}", follow_redirects=False).status_code == 404


def test_the_recipient_of_a_gift_learns_nothing_of_money(client: TestClient, settings: Settings) -> None:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    links = Links(settings.secret(), "")
    pages = [client.get(links.tracking_path(order_id, role)).text for role in ("customer", "recipient")]
    assert all("10-442" in page for page in pages)
    assert [("class=\"sums\"" in page, "€" in page, "Payment" in page) for page in pages] == [
        (True, True, True), (False, False, False),
    ]  # fmt: skip


def test_static_files_are_kept(client: TestClient) -> None:
    versioned = client.get("/static/portal.css?v=abc")
    plain = client.get("/static/portal.css")
    assert "immutable" in versioned.headers["cache-control"]
    assert plain.headers["cache-control"] == "public, max-age=300"
    for missing in ("/static/none.css", "/static/../app.py", "/static/%2e%2e/base.html"):
        assert client.get(missing).status_code == 404


def test_a_brands_colours(client: TestClient, stored_brand: Brand, app: FastAPI) -> None:
    style = client.get(f"/static/brand/{stored_brand.id}.css")
    assert style.headers["content-type"].startswith("text/css")
    assert f"--brand:{stored_brand.colour}" in style.text
    for unknown in ("globex", "a%00b"):
        nothing = client.get(f"/static/brand/{unknown}.css")
        assert (nothing.status_code, nothing.text) == (200, "")


def test_problems_name_the_request_and_not_the_path(client: TestClient) -> None:
    answer = client.get("/nowhere/zoe.quirrell@example.org", headers={"x-request-id": "from-a-proxy-1"})
    assert answer.headers["x-request-id"] == "from-a-proxy-1"
    assert answer.json()["instance"].endswith("from-a-proxy-1")
    assert not [word for word in PERSONAL if word in json.dumps(answer.json())]
    odd = client.get("/nowhere", headers={"x-request-id": "{evil}\t"})
    assert "evil" not in odd.headers["x-request-id"]
