"""Health, readiness, figures, schemas; and what happens when something unforeseen breaks."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient

from ordertrail.db import migrate
from ordertrail.db.engine import Database
from ordertrail.domain.order import Person
from ordertrail.observability import describe_exception, drop_personal_fields
from ordertrail.settings import Settings
from tests.api.bodies import NAME, PERSONAL, PHONE, event, order, scan
from tests.api.conftest import BuildApp, Memory


def test_the_process_is_alive(anonymous: TestClient) -> None:
    assert anonymous.get("/healthz").json() == {"status": "ok"}


def test_ready_once_migrated_and_still_without_temporal(
    build_app: BuildApp, settings: Settings, dispatcher: Memory, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    with TestClient(build_app(database, settings)) as client:
        before = client.get("/readyz")
        assert (before.status_code, before.json()["schema"]) == (503, "outdated")
        migrate.upgrade(database)
        assert client.get("/readyz").json() == {
            "status": "ready",
            "database": "ok",
            "schema": "ok",
            "temporal": "ok",
        }
        dispatcher.healthy = False
        away = client.get("/readyz")
        assert (away.status_code, away.json()["temporal"]) == (200, "away")


def test_figures_count_and_name_nobody(client: TestClient) -> None:
    client.post("/v1/orders", json=order())
    client.post("/v1/orders", json=order())
    client.post("/v1/orders", json=order(currency="USD"))
    client.post("/v1/tracking-events", json=scan(tracking_number="ZZZ1"))
    client.get(f"/v1/orders/web:{PHONE}")
    client.get("/t/secret-token")
    figures = client.get("/metrics").text
    assert 'ordertrail_accepted_total{brand="acme",kind="order",source="api"} 1.0' in figures
    assert 'ordertrail_dead_letters_total{brand="acme",reason="same_id_other_body",source="api"} 1.0' in figures
    assert 'ordertrail_http_requests_total{method="GET",route="/t/{token}",status="404"} 1.0' in figures
    assert "ordertrail_backlog 1.0" in figures
    assert 'ordertrail_inbox_rows{state="unmatched"} 1.0' in figures
    assert not [word for word in (*PERSONAL, "secret-token", "10-442") if word in figures]


@pytest.mark.parametrize(
    ("name", "body"), [("order", order()), ("order-event", event()), ("tracking-event", scan(kind="tracking"))]
)
def test_published_schemas_take_what_we_take(anonymous: TestClient, name: str, body: dict[str, Any]) -> None:
    answer = anonymous.get(f"/v1/schemas/{name}.json")
    assert answer.headers["content-type"].startswith("application/schema+json")
    jsonschema.Draft202012Validator.check_schema(answer.json())
    jsonschema.validate(body, answer.json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**body, "occurred_at": 5, "placed_at": 5}, answer.json())


def test_an_unknown_schema_is_not_found(anonymous: TestClient) -> None:
    assert anonymous.get("/v1/schemas/customer.json").status_code == 404


def test_the_unforeseen_is_a_plain_500_without_a_word_of_it(
    client: TestClient, app: FastAPI, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table is gone in a way that is no outage, and the exception's text holds a name."""
    context = app.state.context

    def broken(*_: object) -> None:
        raise ValueError(f"{NAME} cannot be read")

    context.parts.front_door.order = broken
    answer = client.post("/v1/orders", json=order())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    logged = "".join(capsys.readouterr())
    assert "ValueError" in logged
    assert answer.json()["request_id"] in logged
    assert not [word for word in PERSONAL if word in logged + answer.text]


def test_what_is_not_there_and_what_is_not_allowed_are_problems(client: TestClient) -> None:
    for answer, status in ((client.get("/nowhere"), 404), (client.delete("/v1/orders"), 405)):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status


def test_personal_fields_never_reach_the_log() -> None:
    event = drop_personal_fields(None, "info", {"event": "x", "order_id": "o", "email": "e", "more": [{"phone": "p"}]})
    assert event == {"event": "x", "order_id": "o", "email": "[dropped]", "more": [{"phone": "[dropped]"}]}


def test_an_exception_is_described_without_its_text() -> None:
    with pytest.raises(ValidationError) as raised:
        Person.model_validate({"name": NAME, "email": NAME})
    described = describe_exception(raised.value)
    assert described["error"] == "ValidationError"
    assert NAME in str(raised.value)
    assert NAME not in str(described)
