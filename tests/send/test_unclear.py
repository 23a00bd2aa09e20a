"""Attempts whose end nobody saw: the provider is asked, or its word awaited; doubles only where nobody could know."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import activities.send
from activities.send import ASK_AGAIN, IN_FLIGHT, SETTLE
from ordertrail.frontdoor.callbacks import read_sendgrid
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.twilio import FakeTwilio
from tests.send.claimed import killed
from tests.send.conftest import WINDOW, Sending

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CONFIRMATION, CANCELLED, TEXT = "order_confirmation/email", "cancelled/email", "cancelled/sms"
UNSEEN = [Fault.drop_after_accept(), Fault.hang(2.0)]


@pytest.mark.parametrize("fault", UNSEEN, ids=["dropped", "hanging"])
def test_twilio_is_asked_and_what_it_has_is_not_sent_again(sending: Sending, twilio: FakeTwilio, fault: Fault) -> None:
    twilio.faults.push(fault)
    assert sending.refused(TEXT).next_retry_delay == SETTLE
    row = sending.row(TEXT)
    assert (row.state, row.ambiguous) == ("claimed", 1)
    assert sending.refused(TEXT).type == "unclear_settling"
    sending.clock.advance(SETTLE)
    assert sending.attempt(TEXT).state == "accepted"
    assert [message.provider_id for message in twilio.messages] == [sending.row(TEXT).provider_message_id]
    assert sending.row(TEXT).ambiguous == 1


def test_twilio_is_asked_and_what_it_has_not_is_sent_again(sending: Sending, twilio: FakeTwilio) -> None:
    twilio.faults.push(Fault.refuse())
    sending.refused(TEXT)
    assert twilio.messages == []
    sending.clock.advance(SETTLE)
    assert sending.attempt(TEXT).state == "accepted"
    assert len(twilio.messages) == 1
    assert sending.row(TEXT).attempts == 2


def test_while_twilio_cannot_answer_nothing_is_decided(sending: Sending, twilio: FakeTwilio) -> None:
    twilio.faults.push(Fault.drop_after_accept(), Fault.server_error(), Fault.server_error())
    sending.refused(TEXT)
    sending.clock.advance(SETTLE)
    sending.refused(TEXT)
    assert sending.row(TEXT).state == "claimed"
    sending.refused(TEXT)
    assert sending.attempt(TEXT).state == "accepted"
    assert len(twilio.messages) == 1


@pytest.mark.parametrize("fault", UNSEEN, ids=["dropped", "hanging"])
def test_sendgrid_s_word_is_awaited_and_then_a_usual_message_is_let_be(
    sending: Sending, sendgrid: FakeSendGrid, fault: Fault
) -> None:
    sendgrid.faults.push(fault)
    sending.refused(CONFIRMATION)
    sending.clock.advance(SETTLE)
    waiting = sending.refused(CONFIRMATION)
    assert (waiting.type, waiting.next_retry_delay) == ("unclear_awaiting_callback", ASK_AGAIN)
    sending.clock.advance(WINDOW)
    result = sending.attempt(CONFIRMATION)
    assert (result.state, result.needs_advance) == ("unknown", True)
    assert len(sendgrid.messages) == 1


def test_a_critical_message_nobody_can_tell_about_is_sent_again_byte_for_byte(
    sending: Sending, sendgrid: FakeSendGrid
) -> None:
    sendgrid.faults.push(Fault.drop_after_accept())
    sending.refused(CANCELLED)
    sending.clock.advance(WINDOW)
    assert sending.attempt(CANCELLED).state == "accepted"
    first, second = sendgrid.messages
    assert first.raw == second.raw
    assert sending.row(CANCELLED).ambiguous == 1  # doubles never exceed what is counted here


@pytest.mark.parametrize(("event", "state"), [("delivered", "delivered"), ("bounce", "failed")])
def test_a_callback_within_the_window_settles_it(
    sending: Sending, sendgrid: FakeSendGrid, event: str, state: str
) -> None:
    sendgrid.faults.push(Fault.drop_after_accept())
    sending.refused(CANCELLED)
    report = {"event": event, "sg_event_id": "1", "delivery_id": sending.ids[CANCELLED], "timestamp": 1772452800}
    taken = sending.receipts.take("sendgrid", read_sendgrid(json.dumps([report]).encode()), sending.clock())
    assert taken.dead == 0
    sending.clock.advance(WINDOW)
    result = sending.attempt(CANCELLED)
    assert (result.state, result.needs_advance) == (state, state == "failed")
    assert len(sendgrid.messages) == 1


@pytest.mark.parametrize(("name", "fault"), [(TEXT, Fault.refuse()), (CANCELLED, Fault.drop_after_accept())])
def test_an_unclear_message_that_was_overtaken_is_not_sent_again(
    sending: Sending, sendgrid: FakeSendGrid, twilio: FakeTwilio, name: str, fault: Fault
) -> None:
    (twilio if name == TEXT else sendgrid).faults.push(fault)
    sending.refused(name)
    before = len(twilio.messages) + len(sendgrid.messages)
    sending.change(name, overtaken=True)
    sending.clock.advance(WINDOW)
    assert sending.attempt(name).state == "superseded"
    assert len(twilio.messages) + len(sendgrid.messages) == before


def test_a_text_that_got_through_is_known_even_if_it_was_overtaken(sending: Sending, twilio: FakeTwilio) -> None:
    twilio.faults.push(Fault.drop_after_accept())
    sending.refused(TEXT)
    sending.change(TEXT, overtaken=True)
    sending.clock.advance(SETTLE)
    assert sending.attempt(TEXT).state == "accepted"


def test_a_killed_attempt_may_still_be_at_its_provider_and_is_waited_for(sending: Sending, twilio: FakeTwilio) -> None:
    killed(sending, TEXT)
    waiting = sending.refused(TEXT)
    assert (waiting.type, waiting.next_retry_delay) == ("unclear_in_flight", IN_FLIGHT)
    assert sending.row(TEXT).ambiguous == 0
    sending.clock.advance(IN_FLIGHT)
    assert sending.attempt(TEXT).state == "accepted"
    assert [message.fields["Body"] for message in twilio.messages] == ["as rendered then"]
    assert sending.row(TEXT).ambiguous == 1


def test_a_database_that_is_away_for_a_moment_does_not_lose_the_provider_s_answer(
    sending: Sending, twilio: FakeTwilio, sendgrid: FakeSendGrid
) -> None:
    for name, provider in ((TEXT, twilio), (CONFIRMATION, sendgrid)):
        provider.settings.latency = 0.2
        with ThreadPoolExecutor(1) as thread:
            attempt = thread.submit(sending.attempt, name)
            while sending.row(name).state != "claimed":
                assert not attempt.done()
            sending.database.outages = 2
            assert attempt.result().state == "accepted"
        assert sending.database.outages == 0
        assert (sending.row(name).state, sending.row(name).ambiguous) == ("accepted", 0)
        assert len(provider.messages) == 1


def test_a_mark_that_is_lost_for_good_is_made_up_for_by_asking(
    sending: Sending, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities.send, "MARK_TRIES", 2)
    twilio.settings.latency = 0.2
    with ThreadPoolExecutor(1) as thread:
        attempt = thread.submit(sending.refused, TEXT)
        while sending.row(TEXT).state != "claimed":
            assert not attempt.done()
        sending.database.outages = 2
        assert attempt.result().type == "mark_failed"
    twilio.settings.latency = 0
    sending.clock.advance(IN_FLIGHT)
    assert sending.attempt(TEXT).state == "accepted"
    assert len(twilio.messages) == 1
