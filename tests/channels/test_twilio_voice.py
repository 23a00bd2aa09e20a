"""Calls by Twilio: valid requests, failures told apart, what became of a call, and what a key does."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ordertrail.channels import twilio_codes
from ordertrail.channels.base import Accepted, Provider, Receipt
from ordertrail.channels.receipts import Report, Unreadable
from ordertrail.channels.twilio_sms import verify_twilio
from ordertrail.channels.twilio_voice import TwilioVoice, parse_twilio_call
from ordertrail.channels.twiml import Support, answer_to_key, reporting_keys_to
from ordertrail.domain.failures import Ambiguous, OrdertrailError, Permanent, Transient
from ordertrail.domain.message import OutgoingMessage, Rendered
from ordertrail.domain.vocabulary import Channel, DeliveryState
from tests.channels.conftest import BRAND, PHONE, TEXT, Receiver, assert_tells_nothing_personal, email_message
from tests.channels.twilio_side import TOKEN
from tests.fakes.faults import Fault
from tests.fakes.openapi import VENDOR_SPECS
from tests.fakes.twilio import ACCOUNT_SID
from tests.fakes.twilio_voice import FakeTwilioVoice

_S = DeliveryState
KEYS = "https://shop.example/hooks/twilio/dlv_1/keys"
TWIML = (
    f'<Response><Gather timeout="5"><Say language="es-ES">{TEXT} &amp; más</Say></Gather>'
    '<Say language="es-ES">Otra vez.</Say><Pause/><Say language="es-ES">Adiós.</Say><Hangup/></Response>'
)
JUST_NOW = timedelta(seconds=5)


@pytest.fixture
def fake() -> Iterator[FakeTwilioVoice]:
    with FakeTwilioVoice(auth_token=TOKEN, fates={PHONE: "nothing"}) as fake:
        yield fake


def adapter(
    url: str, *, status: str = "https://shop.example/hooks/twilio/dlv_1", default_from: str | None = None,
    timeout: float = 5, token: str = TOKEN,
) -> TwilioVoice:  # fmt: skip
    return TwilioVoice(
        account_sid=ACCOUNT_SID,
        auth_token=SecretStr(token),
        base_url=url,
        status_callback=lambda _: status,
        keys_callback=lambda _: KEYS,
        default_from=default_from,
        timeout=timeout,
    )


def call(**changes: Any) -> OutgoingMessage:
    spoken: dict[str, Any] = {"channel": Channel.VOICE, "to": PHONE, "rendered": Rendered(text=TEXT, twiml=TWIML)}
    return email_message(**spoken | changes)


def from_number(**sender: Any) -> OutgoingMessage:
    return call(brand=BRAND.model_copy(update={"sender": BRAND.sender.model_copy(update=sender)}))


def failure(provider: TwilioVoice, message: OutgoingMessage | None = None) -> OrdertrailError:
    with pytest.raises(OrdertrailError) as raised:
        provider.send(message or call())
    assert_tells_nothing_personal(raised.value)
    return raised.value


def test_it_is_a_provider_with_a_queue_of_its_own() -> None:
    provider: Provider = adapter("https://api.twilio.com")
    assert (provider.name, provider.channel, provider.reports_receipts, provider.can_be_asked) == (
        "twilio_voice",
        "voice",
        True,
        True,
    )


def test_an_accepted_call_carries_everything_and_gives_the_providers_id(fake: FakeTwilioVoice) -> None:
    accepted = adapter(fake.url + "/").send(call())
    (kept,) = fake.messages
    assert accepted == Accepted(provider_id=kept.provider_id)
    spoken = ET.fromstring(kept.fields.pop("Twiml"))
    gather = spoken.find("Gather")
    assert gather is not None
    assert gather.attrib == {"timeout": "5", "action": KEYS, "method": "POST", "numDigits": "1"}
    assert ET.tostring(spoken, "unicode", "text") == f"{TEXT} & másOtra vez.Adiós."
    assert kept.fields == {
        "To": PHONE,
        "From": "+15005550006",
        "Timeout": "25",
        "StatusCallback": "https://shop.example/hooks/twilio/dlv_1",
        "StatusCallbackEvent": "completed",
        "events": ["answered", "completed"],
    }


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
def test_requests_are_valid_by_the_vendors_document(fake: FakeTwilioVoice) -> None:
    provider = adapter(fake.url)
    provider.send(call())
    provider.find(call(), datetime.now(UTC))
    assert len(fake.messages) == 1
    assert fake.violations == []


@pytest.mark.parametrize(
    ("sender", "default", "used"),
    [
        ({"voice_from": "+15005550007"}, "+15005550008", "+15005550007"),
        ({}, "+15005550008", "+15005550008"),
        ({}, None, "+15005550006"),
        ({"sms_from": "NORTHSHOP"}, None, None),
        ({"sms_from": None}, None, None),
    ],
)
def test_the_number_that_calls(
    fake: FakeTwilioVoice, sender: dict[str, Any], default: str | None, used: str | None
) -> None:
    provider = adapter(fake.url, default_from=default)
    if used is None:
        error = failure(provider, from_number(**sender))
        assert (type(error), error.code, fake.memory.refused) == (Permanent, "no_sender", 0)
    else:
        provider.send(from_number(**sender))
        assert fake.messages[0].fields["From"] == used


@pytest.mark.parametrize("twiml", [None, "", "hello", "<Say>hello</Say>", "<Response><Say></Response>"])
def test_what_cannot_be_spoken_is_refused_before_anybody_is_rung(fake: FakeTwilioVoice, twiml: str | None) -> None:
    error = failure(adapter(fake.url), call(rendered=Rendered(text=TEXT, twiml=twiml)))
    assert (type(error), error.code, fake.memory.refused) == (Permanent, "channel_not_rendered", 0)


def test_sending_again_sends_the_same_bytes(fake: FakeTwilioVoice) -> None:
    provider = adapter(fake.url)
    provider.send(call())
    provider.send(OutgoingMessage.model_validate_json(call().model_dump_json()))
    first, second = fake.messages
    assert first.raw == second.raw


@pytest.mark.parametrize(
    ("code", "word", "closes"),
    [
        (21211, "invalid_number", True),
        (21214, "invalid_number", True),
        (13224, "invalid_number", True),
        (21215, "region_not_enabled", False),
        (21216, "blocked", False),
        (21210, "sender_unusable", False),
        (21219, "trial_account", False),
        (99999, "rejected", False),
    ],
)
def test_each_refusal_is_told_apart_by_twilios_code(fake: FakeTwilioVoice, code: int, word: str, closes: bool) -> None:
    fake.settings.rejects = {PHONE: str(code)}
    error = failure(adapter(fake.url))
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel) == (word, closes)


@pytest.mark.parametrize(
    ("fault", "family", "code"),
    [
        (Fault.too_many(retry_after="7"), Transient, "rate_limited"),
        (Fault.answer(400, code=10004), Transient, "rate_limited"),
        (Fault.answer(401, code=20003), Transient, "credentials"),
        (Fault.answer(500), Transient, "provider_error"),
        (Fault.answer(502), Ambiguous, "bad_gateway"),
    ],
)
def test_each_error_answer_is_told_apart(
    fake: FakeTwilioVoice, fault: Fault, family: type[OrdertrailError], code: str
) -> None:
    fake.faults.push(fault)
    error = failure(adapter(fake.url))
    assert (type(error), error.code, fake.messages) == (family, code, [])


@pytest.mark.parametrize(
    ("fault", "code", "taken"),
    [
        (Fault.hang(1.0), "no_answer_in_time", 1),
        (Fault.hang(1.0, accepts=False), "no_answer_in_time", 0),
        (Fault.drop_after_accept(), "connection_broken", 1),
        (Fault.refuse(), "connection_broken", 0),
    ],
)
def test_an_end_nobody_saw_is_ambiguous_and_asking_resolves_it(
    fake: FakeTwilioVoice, fault: Fault, code: str, taken: int
) -> None:
    fake.faults.push(fault)
    started = datetime.now(UTC)
    error = failure(adapter(fake.url, timeout=0.3))
    assert (type(error), error.code) == (Ambiguous, code)
    found = adapter(fake.url).find(call(), started)
    assert ([found.provider_id] if found else []) == [kept.provider_id for kept in fake.messages]
    assert len(fake.messages) == taken


def test_nobody_listening_is_certainly_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(adapter(f"http://127.0.0.1:{port}"))
    assert (type(error), error.code) == (Transient, "connection_refused")


@pytest.mark.parametrize("state", ["queued", "ringing", "in-progress", "completed", "no-answer", "busy"])
def test_a_call_that_rang_is_found_whatever_became_of_it(fake: FakeTwilioVoice, state: str) -> None:
    """Unlike a text that failed: the phone may have rung, and its own report says what came of it."""
    provider = adapter(fake.url)
    accepted = provider.send(call())
    fake.messages[0].state = state
    assert provider.find(call(), datetime.now(UTC) - JUST_NOW) == accepted


@pytest.mark.parametrize(
    ("asked", "later"),
    [(call(to="+34612345679"), 0), (call(), 3), (from_number(voice_from="+15005550001"), 0)],
    ids=["another person", "an earlier call", "another number of ours"],
)
def test_another_call_is_not_taken_for_this_one(fake: FakeTwilioVoice, asked: OutgoingMessage, later: int) -> None:
    provider = adapter(fake.url)
    provider.send(call())
    assert provider.find(asked, datetime.now(UTC) + timedelta(minutes=later)) is None


def test_a_call_passed_on_to_support_is_not_a_call_of_ours(fake: FakeTwilioVoice) -> None:
    fake.calls_from_elsewhere(PHONE, From="+15005550006", direction="outbound-dial")
    assert adapter(fake.url).find(call(), datetime.now(UTC)) is None


@pytest.mark.parametrize("fault", [Fault.server_error(), Fault.answer(502), Fault.too_many(), Fault.refuse()])
def test_when_it_cannot_answer_now_asking_is_tried_later(fake: FakeTwilioVoice, fault: Fault) -> None:
    fake.faults.push(fault)
    with pytest.raises(Transient) as raised:
        adapter(fake.url).find(call(), datetime.now(UTC))
    assert_tells_nothing_personal(raised.value)


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        ("completed", [(_S.ACCEPTED, "in_progress", False), (_S.DELIVERED, "completed", False)]),
        ("busy", [(_S.FAILED, "busy", False)]),
        ("no-answer", [(_S.FAILED, "no_answer", False)]),
        ("canceled", [(_S.FAILED, "canceled", False)]),
        ("failed", [(_S.FAILED, "failed", False)]),
        ("failed:404", [(_S.FAILED, "unknown_number", False)]),
        ("failed:599", [(_S.FAILED, "failed", False)]),
    ],
)
def test_signed_callbacks_tell_what_became_of_their_call(
    fake: FakeTwilioVoice, receiver: Receiver, fate: str, told: list[tuple[DeliveryState, str, bool]]
) -> None:
    fake.settings.fates = {PHONE: fate}
    accepted = adapter(fake.url, status=f"{receiver.url}/hooks/twilio/dlv_1").send(call())
    reports = []
    for _ in told:
        callback = receiver.next()
        params = dict(parse_qsl(callback.body.decode()))
        verify_twilio(SecretStr(TOKEN), receiver.url + callback.path, params, callback.headers["x-twilio-signature"])
        read = parse_twilio_call("dlv_1", params)
        assert isinstance(read, Receipt)
        assert (read.delivery_id, read.provider_id) == ("dlv_1", accepted.provider_id)
        assert read.occurred_at is not None
        assert abs(datetime.now(UTC) - read.occurred_at) < timedelta(minutes=1)
        reports.append((read.state, read.reason, read.closes_channel))
    assert reports == told


def report(**params: str) -> Report:
    return parse_twilio_call("dlv_1", params)


def test_a_code_says_more_than_a_status() -> None:
    read = report(CallSid="CA1", CallStatus="failed", ErrorCode="13224", SipResponseCode="486", Timestamp="nonsense")
    assert isinstance(read, Receipt)
    assert (read.reason, read.closes_channel, read.occurred_at) == ("invalid_number", True, None)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "not_a_status_callback"),
        ({"CallSid": "CA1"}, "not_a_status_callback"),
        ({"CallSid": "CA1", "CallStatus": "teleported"}, "unknown_call_status"),
    ],
)
def test_what_is_not_understood_says_why(params: dict[str, str], reason: str) -> None:
    read = report(**params)
    assert isinstance(read, Unreadable)
    assert read.reason == reason


@given(
    st.dictionaries(
        st.sampled_from(["CallSid", "CallStatus", "ErrorCode", "Timestamp", "SipResponseCode"]),
        st.sampled_from(sorted(twilio_codes.BY_CALL_STATUS)) | st.text(),
    )
)
def test_no_form_ever_raises(params: dict[str, str]) -> None:
    assert isinstance(parse_twilio_call(None, params), Receipt | Unreadable)


@pytest.mark.shared
@pytest.mark.skipif(not VENDOR_SPECS.exists(), reason="the vendors' specifications are not beside the checkout")
def test_every_status_the_vendor_documents_has_a_row() -> None:
    document = json.loads((VENDOR_SPECS / "twilio_api_v2010.json").read_text(encoding="utf-8"))
    documented = set(document["components"]["schemas"]["call_enum_status"]["enum"])
    assert documented | {"initiated"} == set(twilio_codes.BY_CALL_STATUS)


# What a key does.

LINE = Support(phone="+34910000000", caller_id="+15005550006")


def test_key_1_leads_to_support() -> None:
    response = ET.fromstring(answer_to_key("1", TWIML, KEYS, LINE))
    dial = response.find("Dial")
    assert dial is not None
    assert (dial.text, dial.get("callerId")) == ("+34910000000", "+15005550006")


def test_key_2_says_all_of_it_again() -> None:
    assert answer_to_key("2", TWIML, KEYS, LINE) == reporting_keys_to(TWIML, KEYS)


@pytest.mark.parametrize(("digits", "support"), [("3", LINE), ("", LINE), ("12", LINE), ("#", LINE), ("1", None)])
def test_any_other_key_is_answered_in_the_messages_own_words(digits: str, support: Support | None) -> None:
    response = ET.fromstring(answer_to_key(digits, TWIML, KEYS, support))
    assert [verb.tag for verb in response] == ["Say", "Hangup"]
    assert (response[0].text, response[0].get("language")) == ("Adiós.", "es-ES")


@pytest.mark.parametrize("twiml", [None, "broken", "<Response/>", "<Response><Say>Hi</Say></Response>"])
def test_without_words_the_call_just_ends(twiml: str | None) -> None:
    response = ET.fromstring(answer_to_key("9", twiml, KEYS, LINE))
    assert [verb.tag for verb in response] == ["Hangup"]


@given(st.text(max_size=20), st.none() | st.text(max_size=50))
def test_any_key_and_any_message_get_an_answer_twilio_can_read(digits: str, twiml: str | None) -> None:
    assert ET.fromstring(answer_to_key(digits, twiml, KEYS, LINE)).tag == "Response"
