"""One delivery, claimed, handed over and marked: what each answer of a provider does to it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter

from ordertrail.db.contacts import address_key
from ordertrail.db.tables import contact_states
from ordertrail.domain.vocabulary import Channel
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.server import FakeProvider
from tests.fakes.twilio import FakeTwilio
from tests.send.conftest import Sending
from tests.workflows import shop
from tests.workflows.system import SECRET

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CONFIRMATION, CANCELLED, TEXT = "order_confirmation/email", "cancelled/email", "cancelled/sms"


@pytest.fixture(params=[CONFIRMATION, TEXT])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(name: str, sendgrid: FakeSendGrid, twilio: FakeTwilio) -> FakeProvider:
    return twilio if name == TEXT else sendgrid


def test_a_message_is_handed_over_once_however_often_it_is_asked_for(
    sending: Sending, provider: FakeProvider, name: str
) -> None:
    for _ in range(3):
        result = sending.attempt(name)
        assert (result.state, result.needs_advance) == ("accepted", False)
    row = sending.row(name)
    assert [message.provider_id for message in provider.messages] == [row.provider_message_id]
    assert (row.state, row.attempts, row.ambiguous) == ("accepted", 1, 0)


def test_a_provider_that_wants_to_wait_is_given_the_time_it_asks_for(
    sending: Sending, provider: FakeProvider, name: str
) -> None:
    provider.faults.push(Fault.too_many(retry_after="7"))
    refusal = sending.refused(name)
    assert refusal.next_retry_delay == timedelta(seconds=7)
    row = sending.row(name)
    assert (row.state, row.ambiguous, row.unclear_since) == ("planned", 0, None)
    assert sending.attempt(name).state == "accepted"
    assert sending.row(name).rendered == row.rendered  # once, at the first claim
    assert len(provider.messages) == 1


def test_a_server_error_ends_in_one_message(sending: Sending, provider: FakeProvider, name: str) -> None:
    provider.faults.push(Fault.server_error())
    sending.refused(name)
    sending.change(name, critical=True)
    for _ in range(20):
        sending.clock.advance(timedelta(seconds=10))
        if sending.row(name).state == "accepted":
            break
        try:
            sending.attempt(name)
        except Exception as error:
            assert "unclear" in str(error)
    assert len(provider.messages) == 1
    assert sending.row(name).state == "accepted"


@pytest.mark.parametrize(("name", "why"), [(TEXT, "21211"), (CONFIRMATION, "no mailbox")])
def test_an_address_that_can_never_work_fails_and_closes_the_channel(
    sending: Sending, sendgrid: FakeSendGrid, twilio: FakeTwilio, name: str, why: str
) -> None:
    twilio.settings.rejects = {shop.PHONE: why}
    sendgrid.settings.rejects = {shop.EMAIL: why}
    result = sending.attempt(name)
    assert (result.state, result.needs_advance) == ("failed", True)
    address = shop.PHONE if name == TEXT else shop.EMAIL
    key = address_key(SECRET.encode(), "steps", Channel(name.split("/")[1]), address)
    with sending.database.read() as c:
        closed = c.execute(select(contact_states.c.address_key, contact_states.c.state)).all()
    assert [tuple(row) for row in closed] == [(key, "closed")]
    assert address not in result.reason


def test_a_failed_email_is_answered_with_a_text_by_the_next_step(
    sending: Sending, sendgrid: FakeSendGrid, twilio: FakeTwilio
) -> None:
    sendgrid.settings.rejects = {shop.EMAIL: "no mailbox"}
    twilio.settings.rejects = {shop.PHONE: "21211"}
    assert sending.attempt(CANCELLED).needs_advance
    assert sending.attempt(TEXT).needs_advance
    outcome = sending.steps.run(sending.steps.step("3", now=sending.clock()))
    assert outcome.attributes is not None
    assert outcome.attributes.queue == "contact"


def test_what_is_no_longer_worth_sending_is_not_sent(sending: Sending, sendgrid: FakeSendGrid) -> None:
    sending.clock.advance(timedelta(days=3))
    result = sending.attempt(CONFIRMATION)
    assert (result.state, result.needs_advance) == ("expired", True)
    assert sendgrid.messages == []


def test_a_message_overtaken_while_its_provider_made_it_wait_is_dropped(
    sending: Sending, sendgrid: FakeSendGrid
) -> None:
    sendgrid.faults.push(Fault.too_many())
    sending.refused(CONFIRMATION)
    sending.change(CONFIRMATION, overtaken=True)
    assert sending.attempt(CONFIRMATION).state == "superseded"
    assert sendgrid.messages == []


def test_a_delivery_that_was_erased_is_let_go(sending: Sending) -> None:
    assert sending.by_id("dlv_never").state == "gone"


def test_a_delivery_without_an_address_fails_instead_of_reaching_a_provider(
    sending: Sending, sendgrid: FakeSendGrid
) -> None:
    sending.change(CONFIRMATION, address=None)
    assert sending.attempt(CONFIRMATION).reason == "no_address"
    assert sendgrid.messages == []


@pytest.mark.parametrize(
    "fault",
    [Fault.too_many(), Fault.server_error(), Fault.answer(401), Fault.drop_after_accept(), Fault.hang(2.0)],
    ids=["429", "500", "401", "dropped", "hanging"],
)
def test_no_failure_tells_temporal_who_the_customer_is(
    sending: Sending, provider: FakeProvider, name: str, fault: Fault
) -> None:
    provider.faults.push(fault)
    refusal = sending.refused(name)
    failure = Failure()
    converter = pydantic_data_converter.failure_converter
    converter.to_failure(refusal, pydantic_data_converter.payload_converter, failure)
    assert not [word for word in shop.PERSONAL if word in str(failure)]
    assert not failure.HasField("cause")
