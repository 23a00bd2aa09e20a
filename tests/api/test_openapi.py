"""The OpenAPI document is the contract: kept beside the tests, and current."""

import json
import os
from pathlib import Path

import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate

from api.documents import ORDER_EVENT_EXAMPLE, ORDER_EXAMPLE, TRACKING_EXAMPLE
from ordertrail.domain.events import AnyOrderEvent
from ordertrail.domain.order import CanonicalOrder
from ordertrail.frontdoor.references import TrackingReport

GOLDEN = Path(__file__).with_name("openapi.json")


@pytest.fixture
def document(app: FastAPI) -> str:
    described = app.openapi()
    described["info"]["version"] = "0"  # the package's own version is not part of the contract
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_kept_document_is_current(document: str) -> None:
    """`ORDERTRAIL_RECORD=1 pytest tests/api/test_openapi.py` records it again."""
    if os.environ.get("ORDERTRAIL_RECORD"):
        GOLDEN.write_text(document)
    assert GOLDEN.read_text() == document, "the API has changed: look at the change, then record it again"


def test_it_is_a_valid_document(document: str) -> None:
    validate(json.loads(document))


def test_every_operation_says_what_it_is_and_how_it_fails(document: str) -> None:
    described = json.loads(document)
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            name = f"{method} {path}"
            assert operation["summary"], name
            assert len(operation.get("description", "")) > 20, name
            failures = {status for status in operation["responses"] if status >= "400"}
            if operation.get("security"):
                assert {"401", "403", "429", "503"} <= failures, name
            for status in failures:
                assert "application/problem+json" in operation["responses"][status]["content"], name


def test_the_examples_are_taken() -> None:
    CanonicalOrder.model_validate(ORDER_EXAMPLE)
    AnyOrderEvent.validate_python(ORDER_EVENT_EXAMPLE)
    TrackingReport.model_validate(TRACKING_EXAMPLE)
