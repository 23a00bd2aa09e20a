"""Attempts at one delivery that meet: of any number at once, one is at the provider. On both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.send import IN_FLIGHT
from ordertrail.db import sending as claims
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.twilio import FakeTwilio
from tests.send.claimed import killed
from tests.send.conftest import Sending

CANCELLED, TEXT = "cancelled/email", "cancelled/sms"


def together(sending: Sending, name: str, number: int) -> list[str]:
    """What became of attempts that start at once: a state, or why to try again."""

    def one(_: int) -> str:
        try:
            return sending.attempt(name).state
        except ApplicationError as error:
            return str(error.type)

    with ThreadPoolExecutor(number) as threads:
        return sorted(threads.map(one, range(number)))


@pytest.mark.parametrize("name", [TEXT, CANCELLED])
def test_of_several_attempts_at_once_one_sends(
    sending: Sending, sendgrid: FakeSendGrid, twilio: FakeTwilio, name: str
) -> None:
    twilio.settings.latency = sendgrid.settings.latency = 0.2
    assert together(sending, name, 4) == ["accepted"] + ["unclear_in_flight"] * 3
    assert len(twilio.messages) + len(sendgrid.messages) == 1


def test_of_several_attempts_that_find_the_same_unclear_claim_one_sends_again(
    sending: Sending, twilio: FakeTwilio
) -> None:
    killed(sending, TEXT)
    sending.clock.advance(IN_FLIGHT)
    twilio.settings.latency = 0.15  # all of them are asking Twilio at the same time
    became = together(sending, TEXT, 3)
    assert became.count("accepted") == 1
    assert set(became) <= {"accepted", "claimed_elsewhere", "unclear_in_flight", "unclear_settling"}
    assert len(twilio.messages) == 1


def test_an_attempt_that_was_given_up_does_not_touch_its_successor_s_claim(sending: Sending) -> None:
    with sending.database.write() as c:
        row = claims.load(c, sending.ids[TEXT])
        assert row is not None
        old = claims.claim(c, row, rendered="{}", now=sending.clock())
        assert old is not None
        new = claims.claim(c, old, rendered="{}", now=sending.clock() + timedelta(seconds=30))
        assert new is not None
        assert claims.claim(c, old, rendered="{}", now=sending.clock()) is None
        claims.release(c, old)
        claims.mark_unclear(c, old, now=sending.clock())
    row = sending.row(TEXT)
    assert (row.state, row.unclear_since, row.attempts) == ("claimed", None, 2)
