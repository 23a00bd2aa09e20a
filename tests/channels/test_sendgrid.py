"""Handing mail to SendGrid: valid requests, and failures told apart without telling anything personal."""

import json
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from typing import Any

import pytest
from pydantic import SecretStr

from ordertrail.channels import sendgrid_codes
from ordertrail.channels.base import Accepted, Provider
from ordertrail.channels.sendgrid import SendGridEmail
from ordertrail.channels.verdict import Family
from ordertrail.domain.failures import Ambiguous, OrdertrailError, Permanent, Transient
from tests.channels.conftest import EMAIL, PERSONAL, TEXT, assert_tells_nothing_personal, email_message
from tests.fakes.faults import Fault
from tests.fakes.openapi import VENDOR_SPECS
from tests.fakes.sendgrid import FakeSendGrid

API_KEY = "SG.secret"


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with FakeSendGrid(api_key=API_KEY) as fake:
        yield fake


def adapter(url: str, *, key: str = API_KEY, timeout: float = 5) -> SendGridEmail:
    return SendGridEmail(api_key=SecretStr(key), base_url=url, timeout=timeout)


def failure(provider: SendGridEmail) -> OrdertrailError:
    with pytest.raises(OrdertrailError) as raised:
        provider.send(email_message())
    assert_tells_nothing_personal(raised.value)
    return raised.value


def test_it_is_a_provider() -> None:
    provider: Provider = adapter("https://api.sendgrid.com")
    assert (provider.name, provider.channel, provider.reports_receipts, provider.can_be_asked) == (
        "sendgrid",
        "email",
        True,
        False,
    )


def test_an_accepted_message_carries_everything_and_gives_the_providers_id(fake: FakeSendGrid) -> None:
    accepted = adapter(fake.url + "/").send(email_message())
    (kept,) = fake.messages
    assert accepted == Accepted(provider_id=kept.provider_id)
    assert kept.fields == {
        "personalizations": [
            {
                "to": [{"email": EMAIL, "name": "Rosalind Quill"}],
                "custom_args": {"delivery_id": "dlv_1", "brand": "north"},
            }
        ],
        "from": {"email": "orders@north.example", "name": "North"},
        "reply_to": {"email": "help@north.example"},
        "subject": "Out for delivery",
        "content": [{"type": "text/plain", "value": TEXT}, {"type": "text/html", "value": f"<p>{TEXT} ☂</p>"}],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }


def test_headers_of_the_message_go_along_and_those_that_are_not_its_own_do_not(fake: FakeSendGrid) -> None:
    brought = {"List-Unsubscribe": "<https://shop.example/u/x>", "X-Note": "línea\r\nBcc: a@b.example"}
    refused = dict.fromkeys(("To", "bcc", "Subject", "Content-Type", "X-SG-ID", "received", "Reply-To", "a b"), "x")
    rendered = email_message().rendered.model_copy(update={"headers": brought | refused})
    adapter(fake.url).send(email_message(rendered=rendered))
    (kept,) = fake.messages
    assert fake.violations == []
    sent = kept.fields["headers"]
    assert all(value.isascii() and value.isprintable() for value in sent.values())
    assert {name: str(make_header(decode_header(value))) for name, value in sent.items()} == {
        "List-Unsubscribe": "<https://shop.example/u/x>",
        "X-Note": "línea Bcc: a@b.example",
    }


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
def test_requests_are_valid_by_the_vendors_document(fake: FakeSendGrid) -> None:
    provider = adapter(fake.url)
    provider.send(email_message())
    rendered = email_message().rendered.model_copy(update={"html": None})
    provider.send(email_message(rendered=rendered, to_name=""))
    assert len(fake.messages) == 2
    assert fake.violations == []


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
@pytest.mark.parametrize(
    "change", [{"form": "x"}, {"personalizations": "x"}, {"from": {"name": "x"}}, {"content": [{"type": "text/plain"}]}]
)
def test_the_fake_refuses_what_the_vendors_document_does_not_know(fake: FakeSendGrid, change: dict[str, Any]) -> None:
    import httpx

    adapter(fake.url).send(email_message())
    headers = {"Authorization": f"Bearer {API_KEY}"}
    answer = httpx.post(f"{fake.url}/v3/mail/send", json=fake.messages[0].fields | change, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
    assert len(fake.violations) == 1
    assert len(fake.messages) == 1


def test_sending_again_sends_the_same_bytes(fake: FakeSendGrid) -> None:
    stored = email_message().model_dump_json()
    adapter(fake.url).send(email_message())
    adapter(fake.url).send(type(email_message()).model_validate_json(stored))
    first, second = fake.messages
    assert first.raw == second.raw


@pytest.mark.parametrize(
    ("status", "family", "code", "wait"),
    [
        (400, Permanent, "rejected", None),
        (401, Transient, "credentials", 60),
        (403, Transient, "credentials", 60),
        (404, Transient, "wrong_endpoint", 60),
        (405, Transient, "wrong_endpoint", 60),
        (413, Permanent, "too_large", None),
        (422, Permanent, "rejected", None),
        (429, Transient, "rate_limited", None),
        (500, Transient, "provider_error", None),
        (502, Ambiguous, "bad_gateway", None),
        (503, Transient, "provider_unavailable", None),
        (504, Ambiguous, "gateway_timeout", None),
        (524, Ambiguous, "provider_error", None),
        (308, Transient, "wrong_endpoint", 60),
    ],
)
def test_each_error_answer_is_told_apart(
    fake: FakeSendGrid, status: int, family: type[OrdertrailError], code: str, wait: int | None
) -> None:
    fake.faults.push(Fault.answer(status))
    error = failure(adapter(fake.url))
    assert type(error) is family
    assert error.code == code
    if isinstance(error, Transient):
        assert error.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert not getattr(error, "closes_channel", False)
    assert fake.messages == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_the_provider_asks_for_is_kept(fake: FakeSendGrid, status: int) -> None:
    fake.faults.push(Fault.answer(status, retry_after="17"))
    error = failure(adapter(fake.url))
    assert isinstance(error, Transient)
    assert error.retry_after == timedelta(seconds=17)


def test_a_rate_limit_waits_for_its_reset(fake: FakeSendGrid) -> None:
    reset = datetime.now(UTC) + timedelta(seconds=40)
    fake.faults.push(Fault.too_many(retry_after=None, rate_limit_reset=int(reset.timestamp())))
    error = failure(adapter(fake.url))
    assert isinstance(error, Transient)
    assert error.retry_after is not None
    assert timedelta(seconds=30) < error.retry_after <= timedelta(seconds=40)


def test_an_address_that_is_refused_closes_the_channel(fake: FakeSendGrid) -> None:
    fake.settings.rejects = {EMAIL: "is on no list of ours"}
    error = failure(adapter(fake.url))
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel) == ("invalid_recipient", True)


def test_another_fault_of_the_message_does_not_close_the_channel_though_it_names_the_recipient(
    fake: FakeSendGrid,
) -> None:
    rendered = email_message().rendered.model_copy(update={"text": ""})
    with pytest.raises(Permanent) as raised:
        adapter(fake.url).send(email_message(rendered=rendered))
    assert_tells_nothing_personal(raised.value)
    assert (raised.value.code, raised.value.closes_channel) == ("rejected", False)


def test_a_wrong_key_is_for_the_operator_to_mend_and_loses_nothing(fake: FakeSendGrid) -> None:
    error = failure(adapter(fake.url, key="SG.secret-but-wrong"))
    assert isinstance(error, Transient)
    assert error.code == "credentials"


@pytest.mark.parametrize(("accepts", "taken"), [(True, 1), (False, 0)])
def test_no_answer_in_time_is_ambiguous(fake: FakeSendGrid, accepts: bool, taken: int) -> None:
    fake.faults.push(Fault.hang(1.0, accepts=accepts))
    error = failure(adapter(fake.url, timeout=0.2))
    assert isinstance(error, Ambiguous)
    assert error.code == "no_answer_in_time"
    assert len(fake.messages) == taken


@pytest.mark.parametrize(("fault", "taken"), [(Fault.drop_after_accept(), 1), (Fault.refuse(), 0)])
def test_a_connection_that_breaks_before_the_answer_is_ambiguous(fake: FakeSendGrid, fault: Fault, taken: int) -> None:
    fake.faults.push(fault)
    error = failure(adapter(fake.url))
    assert isinstance(error, Ambiguous)
    assert error.code == "connection_broken"
    assert len(fake.messages) == taken


def test_nobody_listening_is_certainly_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(adapter(f"http://127.0.0.1:{port}"))
    assert isinstance(error, Transient)
    assert error.code == "connection_refused"


def test_an_unknown_host_is_certainly_not_sent() -> None:
    error = failure(adapter("http://sendgrid.invalid"))
    assert isinstance(error, Transient)
    assert error.code == "name_not_resolved"


def test_it_cannot_be_asked_and_never_says_not_sent(fake: FakeSendGrid) -> None:
    with pytest.raises(Ambiguous):
        adapter(fake.url).find(email_message(), datetime.now(UTC))


def test_logs_at_debug_name_nobody(fake: FakeSendGrid, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider = adapter(fake.url)
    fake.faults.push(Fault.server_error())
    failure(provider)
    provider.send(email_message())
    sent_by_us = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert not [line for line in sent_by_us for word in PERSONAL if word.lower() in line.lower()]


def test_many_threads_may_send_at_once(fake: FakeSendGrid) -> None:
    provider = adapter(fake.url)
    fake.settings.check_requests = False
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(provider.send, email_message(delivery_id=f"dlv_{n}")) for n in range(80)]
        by_delivery = {f"dlv_{n}": future.result().provider_id for n, future in enumerate(sent)}
    assert {kept.delivery_id: kept.provider_id for kept in fake.messages} == by_delivery
    assert len(fake.messages) == 80


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
def test_every_answer_the_vendor_documents_has_a_row() -> None:
    document = json.loads((VENDOR_SPECS / "tsg_mail_v3.json").read_text(encoding="utf-8"))
    documented = {int(status) for status in document["paths"]["/v3/mail/send"]["post"]["responses"]}
    assert documented - {sendgrid_codes.ACCEPTED_STATUS} <= set(sendgrid_codes.BY_STATUS)


@pytest.mark.parametrize("status", range(300, 600))
def test_every_error_status_has_a_verdict(status: int) -> None:
    verdict = sendgrid_codes.by_status(status)
    assert verdict.code.replace("_", "").isalpha()
    assert not verdict.closes_channel  # a status alone says nothing about an address
    if status < 500 and status not in (401, 403, 404, 405, 408, 429) and status >= 400:
        assert verdict.family is Family.PERMANENT
