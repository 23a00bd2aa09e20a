"""Asking Twilio what became of an attempt: never a double, never a text taken for another."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ordertrail.domain.failures import Transient
from ordertrail.domain.message import OutgoingMessage, Rendered
from tests.channels.conftest import PHONE, TEXT, assert_tells_nothing_personal, sms_message
from tests.channels.twilio_side import TOKEN, adapter
from tests.fakes.faults import Fault
from tests.fakes.twilio import FakeTwilio

JUST_NOW = timedelta(seconds=5)


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio(auth_token=TOKEN, fates={PHONE: "nothing"}) as fake:
        yield fake


@pytest.mark.parametrize("state", ["queued", "sent", "delivered"])
def test_a_text_is_found_while_it_is_queued_and_after_it_was_sent(fake: FakeTwilio, state: str) -> None:
    provider = adapter(fake.url)
    accepted = provider.send(sms_message())
    fake.messages[0].state = state
    assert provider.find(sms_message(), datetime.now(UTC) - JUST_NOW) == accepted


def test_a_trial_accounts_sentence_before_ours_does_not_hide_a_text(fake: FakeTwilio) -> None:
    provider = adapter(fake.url)
    accepted = provider.send(sms_message())
    fake.messages[0].fields["Body"] = f"Sent from your Twilio trial account - {TEXT}"
    assert provider.find(sms_message(), datetime.now(UTC) - JUST_NOW) == accepted


@pytest.mark.parametrize("since", [timedelta(0), timedelta(seconds=100)])
def test_a_provider_whose_clock_is_a_little_behind_is_believed(fake: FakeTwilio, since: timedelta) -> None:
    provider = adapter(fake.url)
    accepted = provider.send(sms_message())
    assert provider.find(sms_message(), datetime.now(UTC) + since) == accepted


def test_the_same_words_sent_before_for_another_delivery_are_not_this_one(fake: FakeTwilio) -> None:
    provider = adapter(fake.url)
    before = provider.send(sms_message())
    asked = sms_message().model_copy(update={"others": frozenset({before.provider_id})})
    assert provider.find(asked, datetime.now(UTC) - JUST_NOW) is None
    accepted = provider.send(sms_message())
    assert provider.find(asked, datetime.now(UTC) - JUST_NOW) == accepted


@pytest.mark.parametrize("state", ["failed", "undelivered", "canceled"])
def test_a_text_that_failed_was_not_sent(fake: FakeTwilio, state: str) -> None:
    provider = adapter(fake.url)
    provider.send(sms_message())
    fake.messages[0].state = state
    assert provider.find(sms_message(), datetime.now(UTC) - JUST_NOW) is None


@pytest.mark.parametrize(
    ("asked", "later"),
    [
        (sms_message(rendered=Rendered(text=TEXT + " Again.")), timedelta(0)),
        (sms_message(to="+34612345679"), timedelta(0)),
        (sms_message(), timedelta(minutes=3)),
    ],
    ids=["other words", "other number", "earlier text"],
)
def test_another_text_is_not_taken_for_this_one(fake: FakeTwilio, asked: OutgoingMessage, later: timedelta) -> None:
    provider = adapter(fake.url)
    provider.send(sms_message())
    assert provider.find(asked, datetime.now(UTC) + later) is None


@pytest.mark.parametrize(
    "fault", [Fault.server_error(), Fault.answer(502), Fault.answer(401, code=20003), Fault.too_many(), Fault.refuse()]
)
def test_when_it_cannot_answer_now_asking_is_tried_later(fake: FakeTwilio, fault: Fault) -> None:
    fake.faults.push(fault)
    with pytest.raises(Transient) as raised:
        adapter(fake.url).find(sms_message(), datetime.now(UTC))
    assert_tells_nothing_personal(raised.value)
