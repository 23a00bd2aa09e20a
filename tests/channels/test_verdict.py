"""What a broken exchange, or a provider's wish to wait, means."""

import http.client
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import URLError

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import exceptions as urllib3

from ordertrail.channels.verdict import LONGEST_WAIT, failure_of_break, wait_asked_for
from ordertrail.domain.failures import Ambiguous, OrdertrailError, Transient

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# The pool is only kept by urllib3's errors, for their printed form.
_POOL: Any = None


@pytest.mark.parametrize(
    ("error", "family", "code"),
    [
        (URLError(ConnectionRefusedError()), Transient, "connection_refused"),
        (URLError(TimeoutError("timed out")), Transient, "not_connected"),
        (URLError(ssl.SSLCertVerificationError()), Transient, "certificate_refused"),
        (URLError(BrokenPipeError()), Transient, "not_connected"),
        (TimeoutError("timed out"), Ambiguous, "no_answer_in_time"),
        (http.client.RemoteDisconnected(""), Ambiguous, "connection_broken"),
        (http.client.IncompleteRead(b""), Ambiguous, "connection_broken"),
        (ConnectionResetError(), Ambiguous, "connection_broken"),
        (
            requests.ConnectTimeout(urllib3.MaxRetryError(_POOL, "/", urllib3.ConnectTimeoutError())),
            Transient,
            "connect_timeout",
        ),
        (
            requests.exceptions.SSLError(urllib3.MaxRetryError(_POOL, "/", ssl.SSLCertVerificationError())),
            Transient,
            "certificate_refused",
        ),
        (requests.ReadTimeout(urllib3.ReadTimeoutError(_POOL, "/", "")), Ambiguous, "no_answer_in_time"),
        (
            requests.ConnectionError(urllib3.ProtocolError("aborted", http.client.RemoteDisconnected(""))),
            Ambiguous,
            "connection_broken",
        ),
        (ValueError("Expecting value"), Ambiguous, "unreadable_answer"),
        (RuntimeError("never seen before"), Ambiguous, "connection_broken"),
    ],
)
def test_only_what_certainly_never_left_is_transient(
    error: Exception, family: type[OrdertrailError], code: str
) -> None:
    failure = failure_of_break(error)
    assert type(failure) is family
    assert failure.code == code
    assert failure.__cause__ is None
    assert failure.__context__ is None


def test_errors_that_wrap_each_other_come_to_an_end() -> None:
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first
    assert isinstance(failure_of_break(first), Ambiguous)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "0"}, timedelta(0)),
        ({"Retry-After": "12"}, timedelta(seconds=12)),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "99999999999"}, LONGEST_WAIT),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, timedelta(seconds=30)),
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, timedelta(0)),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 9)}, timedelta(seconds=9)),
        ({"Retry-After": "2", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 9)}, timedelta(seconds=2)),
        ({"X-RateLimit-Reset": "tomorrow"}, None),
    ],
)
def test_how_long_a_provider_asks_us_to_wait(headers: dict[str, str], wait: timedelta | None) -> None:
    assert wait_asked_for(headers, NOW) == wait


@given(st.text(), st.text())
def test_no_header_ever_raises_or_makes_us_wait_for_ever(retry_after: str, reset: str) -> None:
    wait = wait_asked_for({"Retry-After": retry_after, "X-RateLimit-Reset": reset}, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT
