"""Any request at all: an answer the contract knows, and never a 500."""

import warnings
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.api.conftest import MakeKey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
BOUNDED = settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_is_sent_the_contract_holds(app: FastAPI, make_key: MakeKey) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    header = make_key()
    tried = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path.endswith(("/stream", "/readyz")):
            continue  # the one does not end, the other may say 503 for good reasons
        tried += 1

        @BOUNDED
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            case.call_and_validate(headers=header, checks=CHECKS)

        holds()
    assert tried > 12


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/web:1/events", "/v1/tracking-events"])
def test_any_bytes_are_understood_or_kept(client: TestClient, path: str) -> None:
    @BOUNDED
    @given(raw=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
    def holds(raw: bytes) -> None:
        assert client.post(path, content=raw).status_code == 422

    holds()


def test_any_path_is_answered(client: TestClient) -> None:
    @BOUNDED
    @given(ref=st.text(min_size=1, max_size=300))
    def holds(ref: str) -> None:
        quoted = "".join(f"%{byte:02X}" for byte in ref.encode("utf-8", "surrogatepass"))
        for tail in ("", "/timeline", "/deliveries"):
            assert client.get(f"/v1/orders/{quoted}{tail}").status_code in {200, 404}
        assert client.post(f"/v1/orders/{quoted}/events", content=b"{}").status_code in {404, 422}
        assert client.get(f"/t/{quoted}").status_code == 404

    holds()
