"""Twilio's status callbacks: only what Twilio signed is believed, and every status is understood or says why not."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ordertrail.channels import twilio_codes
from ordertrail.channels.base import Receipt
from ordertrail.channels.receipts import Ignored, Report, Unreadable
from ordertrail.channels.twilio_sms import TwilioSms, parse_twilio, verify_twilio
from ordertrail.channels.verdict import Family
from ordertrail.domain.failures import BadSignature
from ordertrail.domain.vocabulary import DeliveryState
from tests.channels.conftest import PHONE, Receiver, payload, sms_message
from tests.fakes.openapi import VENDOR_SPECS
from tests.fakes.twilio import FakeTwilio

SID = "SM" + "1" * 32
TOKEN = SecretStr("secret-token")
_S = DeliveryState


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio(auth_token=TOKEN.get_secret_value()) as fake:
        yield fake


def send(fake: FakeTwilio, receiver: Receiver) -> str:
    provider = TwilioSms(
        account_sid=fake.account_sid,
        auth_token=TOKEN,
        base_url=fake.url,
        status_callback=lambda message: f"{receiver.url}/hooks/twilio/{message.delivery_id}?brand=north",
        default_from=None,
        timeout=5,
    )
    return provider.send(sms_message()).provider_id


def report(status: str, error_code: str | None = None) -> Report:
    params = {"MessageSid": SID, "MessageStatus": status} | ({"ErrorCode": error_code} if error_code else {})
    return parse_twilio("dlv_1", params)


@pytest.mark.shared
def test_a_real_callback_of_a_delivered_text() -> None:
    params = dict(parse_qsl(payload("symfony_webhooks", "sms_Twilio", "delivered.txt").decode().strip()))
    assert parse_twilio("dlv_1", params) == Receipt(
        event_id="SM4262411b90e5464b98a4f66a49c57a97:delivered",
        delivery_id="dlv_1",
        provider_id="SM4262411b90e5464b98a4f66a49c57a97",
        state=_S.DELIVERED,
        reason="delivered",
        occurred_at=None,
    )


def test_signed_callbacks_tell_what_became_of_their_text(fake: FakeTwilio, receiver: Receiver) -> None:
    provider_id = send(fake, receiver)
    reports = []
    for callback in (receiver.next(), receiver.next()):
        params = dict(parse_qsl(callback.body.decode()))
        verify_twilio(TOKEN, receiver.url + callback.path, params, callback.headers["x-twilio-signature"])
        reports.append(parse_twilio(callback.path.split("?")[0].rsplit("/", 1)[1], params))
    sent, delivered = reports
    assert isinstance(sent, Receipt)
    assert isinstance(delivered, Receipt)
    assert [sent.state, delivered.state] == [_S.ACCEPTED, _S.DELIVERED]
    assert {sent.provider_id, delivered.provider_id} == {provider_id}
    assert {sent.delivery_id, delivered.delivery_id} == {"dlv_1"}
    assert sent.event_id != delivered.event_id


def test_anything_altered_is_refused(fake: FakeTwilio, receiver: Receiver) -> None:
    send(fake, receiver)
    callback = receiver.next()
    url, signature = receiver.url + callback.path, callback.headers["x-twilio-signature"]
    params = dict(parse_qsl(callback.body.decode()))
    verify_twilio(TOKEN, url, params, signature)
    altered = [
        (TOKEN, url, params | {"MessageStatus": "failed"}, signature),
        (TOKEN, url, params | {"Extra": "1"}, signature),
        (TOKEN, url.replace("dlv_1", "dlv_2"), params, signature),
        (TOKEN, url.replace("brand=north", "brand=south"), params, signature),
        (TOKEN, url, params, ("A" if signature[0] != "A" else "B") + signature[1:]),
        (TOKEN, url, params, ""),
        (SecretStr("another"), url, params, signature),
    ]
    for arguments in altered:
        with pytest.raises(BadSignature):
            verify_twilio(*arguments)


@pytest.mark.parametrize(
    ("fate", "reason", "closes"),
    [
        ("30003", "unreachable", False),
        ("30005", "unknown_number", True),
        ("30006", "not_a_mobile", True),
        ("failed:21610", "opted_out", True),
        ("30999", "twilio_30999", False),
    ],
)
def test_a_text_that_did_not_arrive_says_why(
    fake: FakeTwilio, receiver: Receiver, fate: str, reason: str, closes: bool
) -> None:
    fake.settings.fates = {PHONE: fate}
    send(fake, receiver)
    receiver.next()
    failed = parse_twilio("dlv_1", dict(parse_qsl(receiver.next().body.decode())))
    assert isinstance(failed, Receipt)
    assert (failed.state, failed.reason, failed.closes_channel) == (_S.FAILED, reason, closes)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", _S.ACCEPTED),
        ("scheduled", _S.ACCEPTED),
        ("queued", _S.ACCEPTED),
        ("sending", _S.ACCEPTED),
        ("sent", _S.ACCEPTED),
        ("delivered", _S.DELIVERED),
        ("partially_delivered", _S.DELIVERED),
        ("read", _S.DELIVERED),
        ("undelivered", _S.FAILED),
        ("failed", _S.FAILED),
        ("canceled", _S.FAILED),
    ],
)
def test_what_a_status_means(status: str, state: DeliveryState) -> None:
    read = report(status)
    assert isinstance(read, Receipt)
    assert (read.event_id, read.state, read.reason, read.closes_channel) == (f"{SID}:{status}", state, status, False)


def test_a_code_beside_a_good_status_closes_nothing() -> None:
    read = report("delivered", "30005")
    assert isinstance(read, Receipt)
    assert (read.reason, read.closes_channel) == ("delivered", False)


@pytest.mark.parametrize("code", [f"no {PHONE}", "٣٠٠٠٣", "9" * 4500])
def test_a_code_that_is_none_is_not_repeated(code: str) -> None:
    read = report("failed", code)
    assert isinstance(read, Receipt)
    assert read.reason == "failed"


@pytest.mark.parametrize("status", ["receiving", "received"])
def test_what_people_text_us_is_ignored(status: str) -> None:
    assert isinstance(report(status), Ignored)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "not_a_status_callback"),
        ({"MessageSid": SID}, "not_a_status_callback"),
        ({"MessageStatus": "sent"}, "not_a_status_callback"),
        ({"MessageSid": SID, "MessageStatus": "teleported"}, "unknown_message_status"),
    ],
)
def test_what_is_not_understood_says_why(params: dict[str, str], reason: str) -> None:
    read = parse_twilio("dlv_1", params)
    assert isinstance(read, Unreadable)
    assert read.reason == reason


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "MessageSid": st.text(),
            "MessageStatus": st.sampled_from(sorted(twilio_codes.BY_MESSAGE_STATUS)) | st.text(),
            "ErrorCode": st.text() | st.integers(0, 99999).map(str),
        },
    )
)
def test_no_form_ever_raises(params: dict[str, str]) -> None:
    assert isinstance(parse_twilio(None, params), Receipt | Ignored | Unreadable)


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
def test_every_status_the_vendor_documents_has_a_row() -> None:
    document = json.loads((VENDOR_SPECS / "twilio_api_v2010.json").read_text(encoding="utf-8"))
    documented = set(document["components"]["schemas"]["message_enum_status"]["enum"])
    assert documented == set(twilio_codes.BY_MESSAGE_STATUS)


def test_every_code_is_a_word_and_only_what_is_permanent_closes_a_channel() -> None:
    for code, verdict in (twilio_codes.BY_CODE | twilio_codes.BY_STATUS).items():
        assert verdict.code.replace("_", "").isalpha(), code
        assert verdict.family is Family.PERMANENT or not verdict.closes_channel, code
        assert code >= 1000 or not verdict.closes_channel, code


@pytest.mark.parametrize("status", range(300, 600))
def test_every_error_status_has_a_verdict_with_and_without_a_code(status: int) -> None:
    gateway = status in (502, 504)
    assert (twilio_codes.by_answer(status, None).family is Family.AMBIGUOUS) == gateway
    assert twilio_codes.by_answer(status, 21610).closes_channel != gateway
