"""Handing texts to Twilio: valid requests, and failures told apart without telling anything personal."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ordertrail.channels.base import Accepted, Provider
from ordertrail.channels.twilio_sms import TwilioSms
from ordertrail.domain.failures import Ambiguous, OrdertrailError, Permanent, Transient
from ordertrail.domain.message import OutgoingMessage, Rendered
from tests.channels.conftest import BRAND, PERSONAL, PHONE, TEXT, assert_tells_nothing_personal, sms_message
from tests.channels.twilio_side import TOKEN, adapter
from tests.fakes.faults import Fault
from tests.fakes.openapi import VENDOR_SPECS
from tests.fakes.twilio import ACCOUNT_SID, FakeTwilio

SERVICE = "MG" + "a" * 32


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio(auth_token=TOKEN, fates={PHONE: "nothing"}) as fake:
        yield fake


def failure(provider: TwilioSms, message: OutgoingMessage | None = None) -> OrdertrailError:
    with pytest.raises(OrdertrailError) as raised:
        provider.send(message or sms_message())
    assert_tells_nothing_personal(raised.value)
    return raised.value


def without_sender() -> OutgoingMessage:
    return sms_message(brand=BRAND.model_copy(update={"sender": BRAND.sender.model_copy(update={"sms_from": None})}))


def test_it_is_a_provider() -> None:
    provider: Provider = adapter("https://api.twilio.com")
    assert (provider.name, provider.channel, provider.reports_receipts, provider.can_be_asked) == (
        "twilio",
        "sms",
        True,
        True,
    )


def test_an_accepted_text_carries_everything_and_gives_the_providers_id(fake: FakeTwilio) -> None:
    accepted = adapter(fake.url + "/").send(sms_message())
    (kept,) = fake.messages
    assert accepted == Accepted(provider_id=kept.provider_id)
    assert kept.fields == {
        "To": PHONE,
        "From": "+15005550006",
        "Body": TEXT,
        "StatusCallback": "https://shop.example/hooks/twilio/dlv_1",
    }


@pytest.mark.parametrize(
    ("default", "field"),
    [("+15005550001", "From"), ("NORTHSHOP", "From"), ("MGSHOP", "From"), (SERVICE, "MessagingServiceSid")],
)
def test_a_brand_without_a_sender_uses_the_default_one(fake: FakeTwilio, default: str, field: str) -> None:
    adapter(fake.url, default_from=default).send(without_sender())
    sent = fake.messages[0].fields
    assert sent[field] == default
    assert len({"From", "MessagingServiceSid"} & set(sent)) == 1


def test_without_any_sender_the_text_is_refused_before_it_leaves(fake: FakeTwilio) -> None:
    error = failure(adapter(fake.url), without_sender())
    assert isinstance(error, Permanent)
    assert error.code == "no_sender"
    assert fake.memory.refused == 0


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
def test_requests_are_valid_by_the_vendors_document(fake: FakeTwilio) -> None:
    provider = adapter(fake.url, default_from=SERVICE)
    provider.send(sms_message())
    provider.send(without_sender())
    provider.find(sms_message(rendered=Rendered(text="something else")), datetime.now(UTC))
    assert len(fake.messages) == 2
    assert fake.violations == []


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
@pytest.mark.parametrize("change", [{"Bodi": "x"}, {"ValidityPeriod": "long"}, {"MessagingServiceSid": "MG1"}])
def test_the_fake_refuses_what_the_vendors_document_does_not_know(fake: FakeTwilio, change: dict[str, Any]) -> None:
    import httpx

    adapter(fake.url).send(sms_message())
    url = f"{fake.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    answer = httpx.post(url, data=fake.messages[0].fields | change, auth=(ACCOUNT_SID, TOKEN))
    assert answer.status_code == 400
    assert answer.json().keys() == {"code", "message", "more_info", "status"}
    assert len(fake.violations) == 1
    assert len(fake.messages) == 1


def test_sending_again_sends_the_same_bytes(fake: FakeTwilio) -> None:
    provider = adapter(fake.url)
    provider.send(sms_message())
    provider.send(OutgoingMessage.model_validate_json(sms_message().model_dump_json()))
    first, second = fake.messages
    assert first.raw == second.raw


@pytest.mark.parametrize(
    ("code", "word", "closes"),
    [
        (21211, "invalid_number", True),
        (21214, "invalid_number", True),
        (21217, "invalid_number", True),
        (21614, "not_a_mobile", True),
        (21635, "not_a_mobile", True),
        (21610, "opted_out", True),
        (30005, "unknown_number", True),
        (30006, "not_a_mobile", True),
        (21408, "region_not_enabled", False),
        (21612, "no_route", False),
        (21617, "too_long", False),
        (30003, "unreachable", False),
        (30004, "blocked", False),
        (30007, "filtered", False),
        (30008, "unknown_carrier_error", False),
        (99999, "rejected", False),
    ],
)
def test_each_refusal_is_told_apart_by_twilios_code(fake: FakeTwilio, code: int, word: str, closes: bool) -> None:
    fake.settings.rejects = {PHONE: str(code)}
    error = failure(adapter(fake.url))
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel) == (word, closes)


def test_a_number_that_is_none_closes_the_channel(fake: FakeTwilio) -> None:
    fake.settings.check_requests = False
    error = failure(adapter(fake.url), sms_message(to="+0"))
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel) == ("invalid_number", True)


@pytest.mark.parametrize(
    ("fault", "family", "code", "wait"),
    [
        (Fault.too_many(retry_after="7"), Transient, "rate_limited", 7),
        (Fault.too_many(retry_after=None), Transient, "rate_limited", None),
        (Fault.answer(400, code=20429), Transient, "rate_limited", None),
        (Fault.answer(401, code=20003), Transient, "credentials", 60),
        (Fault.answer(403), Transient, "credentials", 60),
        (Fault.answer(404, code=20404), Transient, "wrong_endpoint", 60),
        (Fault.answer(400, code=30001), Transient, "queue_full", 60),
        (Fault.answer(500), Transient, "provider_error", None),
        (Fault.answer(503, retry_after="3"), Transient, "provider_error", 3),
        (Fault.answer(302), Transient, "wrong_endpoint", 60),
        (Fault.answer(502), Ambiguous, "bad_gateway", None),
        (Fault.answer(504, code=21211), Ambiguous, "gateway_timeout", None),
    ],
)
def test_each_error_answer_is_told_apart(
    fake: FakeTwilio, fault: Fault, family: type[OrdertrailError], code: str, wait: int | None
) -> None:
    fake.faults.push(fault)
    error = failure(adapter(fake.url))
    assert type(error) is family
    assert error.code == code
    if isinstance(error, Transient):
        assert error.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert fake.messages == []


def test_a_wrong_token_is_for_the_operator_to_mend_and_loses_nothing(fake: FakeTwilio) -> None:
    error = failure(adapter(fake.url, token="secret-token-but-wrong"))
    assert isinstance(error, Transient)
    assert error.code == "credentials"


@pytest.mark.parametrize(("accepts", "taken"), [(True, 1), (False, 0)])
def test_no_answer_in_time_is_ambiguous_and_asking_resolves_it(fake: FakeTwilio, accepts: bool, taken: int) -> None:
    fake.faults.push(Fault.hang(1.0, accepts=accepts))
    started = datetime.now(UTC)
    error = failure(adapter(fake.url, timeout=0.2))
    assert isinstance(error, Ambiguous)
    assert error.code == "no_answer_in_time"
    found = adapter(fake.url).find(sms_message(), started)
    assert ([found.provider_id] if found else []) == [kept.provider_id for kept in fake.messages]
    assert len(fake.messages) == taken


@pytest.mark.parametrize(("fault", "taken"), [(Fault.drop_after_accept(), 1), (Fault.refuse(), 0)])
def test_a_connection_that_breaks_is_ambiguous_and_asking_resolves_it(
    fake: FakeTwilio, fault: Fault, taken: int
) -> None:
    provider = adapter(fake.url)
    fake.faults.push(fault)
    started = datetime.now(UTC)
    error = failure(provider)
    assert isinstance(error, Ambiguous)
    assert error.code == "connection_broken"
    found = provider.find(sms_message(), started)
    assert ([found.provider_id] if found else []) == [kept.provider_id for kept in fake.messages]
    assert len(fake.messages) == taken


def test_nobody_listening_is_certainly_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(adapter(f"http://127.0.0.1:{port}"))
    assert isinstance(error, Transient)
    assert error.code == "connection_refused"


def test_an_unknown_host_is_certainly_not_sent() -> None:
    error = failure(adapter("http://twilio.invalid"))
    assert isinstance(error, Transient)
    assert error.code == "name_not_resolved"


def test_logs_at_debug_name_nobody(fake: FakeTwilio, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider = adapter(fake.url)
    fake.faults.push(Fault.server_error())
    failure(provider)
    provider.send(sms_message())
    provider.find(sms_message(), datetime.now(UTC) + timedelta(hours=1))
    sent_by_us = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert not [line for line in sent_by_us for word in PERSONAL if word.lower() in line.lower()]


def test_many_threads_may_send_at_once(fake: FakeTwilio) -> None:
    fake.settings.check_requests = False
    provider = adapter(fake.url)
    texts = [f"{TEXT} {n}" for n in range(80)]
    with ThreadPoolExecutor(8) as pool:
        sent = {text: pool.submit(provider.send, sms_message(rendered=Rendered(text=text))) for text in texts}
        by_text = {text: future.result().provider_id for text, future in sent.items()}
    assert {kept.fields["Body"]: kept.provider_id for kept in fake.messages} == by_text
    assert len(fake.messages) == 80
