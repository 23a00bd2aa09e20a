"""When devices are notified and phones ring, and what people have switched off."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ordertrail.domain.brand import Policy, QuietHours
from ordertrail.domain.decisions import Suppress
from ordertrail.domain.events import OrderOnHold, ShipmentShipped
from ordertrail.domain.order import Consents
from ordertrail.domain.policy.channels import STAND_INS, choose, is_off, may_be_called
from ordertrail.domain.policy.situation import Contact
from ordertrail.domain.promise import WindowPromise
from ordertrail.domain.vocabulary import Channel, DeliveryState, Frequency, Fulfilment, MessageKind, ShipmentStatus
from tests.domain.builders import at, order, parcel, said, scan
from tests.policy.simulator import START, Life, brand, contact

K, S = MessageKind, ShipmentStatus
EMAIL, SMS, PUSH, VOICE = Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.VOICE
BOX = parcel(carrier="ups", tracking_number="1Z999AA10123456784")
EVERYWHERE = contact(*Channel)
POLICY = Policy(quiet_hours=None)


def reachable(*channels: Channel, voice: bool = True, **facts: Any) -> Contact:
    return replace(contact(*channels, **facts), consents=Consents(sms=True, voice=voice))


def shipped(hours: float = 1) -> Any:
    return said(ShipmentShipped, hours, shipment=BOX)


def life(who: Contact, **facts: Any) -> Life:
    return Life(contacts=(who,), **facts).begin()


def test_push_joins_for_its_kinds_beside_email() -> None:
    one = life(reachable(EMAIL, PUSH))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 1.1))
    one.arrive(scan(S.IN_TRANSIT, 3, milestone="customs"))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 20))
    assert one.kinds(PUSH) == ["shipped", "out_for_delivery"]
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped", "in_transit", "out_for_delivery"]


def test_a_brand_says_what_is_pushed() -> None:
    one = life(reachable(EMAIL, PUSH), brand=brand(push_kinds=frozenset({K.DELIVERED})))
    one.arrive(shipped(1))
    one.arrive(scan(S.DELIVERED, 20))
    assert one.kinds(PUSH) == ["delivered"]


def test_whoever_has_only_a_device_is_told_everything_there() -> None:
    one = life(reachable(PUSH))
    one.arrive(shipped(1))
    assert one.kinds(PUSH) == ["order_confirmation", "shipped"]
    assert one.cases == {}


def test_a_push_that_fails_beside_an_email_is_not_replaced() -> None:
    one = life(reachable(EMAIL, PUSH), broken={PUSH})
    one.arrive(shipped(1))
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped"]
    assert one.cases == {}


def test_channels_stand_in_for_one_another_in_order() -> None:
    for number, channel in enumerate(STAND_INS[1:], start=1):
        tried = frozenset(STAND_INS[:number])
        assert choose(K.DELAY, reachable(*Channel), POLICY, tried=tried, call=True) == [channel]
    assert choose(K.DELAY, reachable(*Channel), POLICY, tried=frozenset(Channel), call=True) == []


@pytest.mark.parametrize(
    ("kind", "call", "voice"),
    [(K.DELAY, True, True), (K.ISSUE, True, True), (K.DELAY, False, False), (K.SHIPPED, True, False)],
)
def test_a_call_joins_only_where_one_is_in_order(kind: MessageKind, call: bool, voice: bool) -> None:
    assert (VOICE in choose(kind, reachable(*Channel), POLICY, call=call)) is voice


def test_a_call_needs_consent_and_a_number() -> None:
    assert may_be_called(reachable(EMAIL, VOICE), POLICY, at(0))
    assert not may_be_called(reachable(EMAIL, VOICE, voice=False), POLICY, at(0))
    assert not may_be_called(reachable(EMAIL), POLICY, at(0))
    assert VOICE not in choose(K.DELAY, reachable(EMAIL, VOICE, voice=False), POLICY, call=True)


def test_no_phone_rings_at_night_however_critical_it_is() -> None:
    quiet = Policy(quiet_hours=QuietHours(critical="send"))
    assert may_be_called(reachable(VOICE), quiet, at(0))
    assert not may_be_called(reachable(VOICE), quiet, at(10))  # 22:00 UTC is 23:00 in Madrid
    assert not may_be_called(reachable(VOICE, zone="Asia/Tokyo"), quiet, at(0.5))


def test_a_simple_problem_rings_nowhere_and_a_severe_one_does() -> None:
    one = life(reachable(EMAIL, VOICE))
    one.arrive(shipped(1))
    one.arrive(scan(S.EXCEPTION, 3, reason_code="weather"))
    assert one.kinds(VOICE) == []
    one.arrive(scan(S.EXCEPTION, 5, reason_code="damaged"))
    assert one.kinds(VOICE) == ["issue"]
    assert [case.priority for case in one.cases.values()] == ["high"]
    assert not one.plans[-1].cases or not one.plans[-1].cases[-1].facts["may_call"]


def test_at_night_a_severe_problem_becomes_a_persons_task_to_call() -> None:
    one = life(reachable(EMAIL, VOICE), brand=brand(quiet_hours=QuietHours(critical="send")))
    one.arrive(shipped(1))
    plan = one.arrive(scan(S.EXCEPTION, 11, reason_code="damaged"))
    assert one.kinds(VOICE) == []
    assert one.kinds(EMAIL)[-1] == "issue"
    assert [case.facts["may_call"] for case in plan.cases] == [True]


def test_a_missed_catering_window_rings() -> None:
    window = WindowPromise(starts_at=at(3), ends_at=at(4), zone="Europe/Madrid")
    feast = order(placed_at=START, fulfilment=Fulfilment.OWN_FLEET, promise=window)
    one = life(reachable(EMAIL, VOICE), order=feast)
    one.pass_time(at(8))
    assert one.kinds(EMAIL) == ["order_confirmation", "delay"]
    assert one.kinds(VOICE) == ["delay"]


def test_a_late_parcel_of_little_value_does_not_ring() -> None:
    one = life(reachable(EMAIL, VOICE), order=order(placed_at=START, ship_by=at(10)))
    one.pass_time(at(48))
    assert one.kinds(EMAIL)[-1] == "delay"
    assert one.kinds(VOICE) == []


def test_nobody_answering_is_not_called_again() -> None:
    one = life(reachable(EMAIL, VOICE), broken={VOICE})
    one.arrive(shipped(1))
    one.arrive(scan(S.EXCEPTION, 3, reason_code="damaged"))
    one.step([])
    calls = [sent for sent in one.sent.values() if sent.view.channel is VOICE]
    assert [sent.view.state for sent in calls] == [DeliveryState.FAILED]
    assert one.kinds(EMAIL)[-1] == "issue"


# What people have switched off.


def without(who: Contact, *off: tuple[MessageKind, Channel]) -> Contact:
    return replace(who, preferences=dict.fromkeys(off, Frequency.OFF))


def test_what_is_switched_off_is_not_sent_and_says_why() -> None:
    one = life(without(reachable(EMAIL, SMS), (K.SHIPPED, EMAIL)))
    one.arrive(shipped(1))
    assert one.kinds(EMAIL) == ["order_confirmation"]
    assert one.kinds(SMS) == ["shipped"]
    (decision,) = [d for d in one.decisions if isinstance(d, Suppress) and d.reason == "preference_off"]
    assert (decision.message_kind, decision.channel) == (K.SHIPPED, EMAIL)


def test_nothing_stands_in_for_what_is_switched_off_and_nobody_is_unreachable() -> None:
    one = life(without(reachable(EMAIL, SMS), (K.ORDER_UPDATE, EMAIL), (K.SHIPPED, EMAIL), (K.SHIPPED, SMS)))
    one.arrive(shipped(1))
    assert one.kinds(SMS) == []
    assert one.cases == {}
    one.pass_time(START + timedelta(hours=6))
    assert one.kinds(EMAIL) == ["order_confirmation"]


def test_what_failed_does_not_fall_to_a_channel_that_is_switched_off() -> None:
    one = life(without(reachable(EMAIL, SMS, PUSH, preferred=PUSH), (K.SHIPPED, EMAIL)), broken={PUSH})
    one.arrive(shipped(1))
    assert "shipped" not in one.kinds(EMAIL)
    assert one.kinds(SMS) == ["shipped"]


def test_critical_kinds_cannot_be_switched_off() -> None:
    off = without(reachable(EMAIL), *((kind, EMAIL) for kind in MessageKind))
    assert {kind for kind in MessageKind if not is_off(kind, EMAIL, off, POLICY)} == POLICY.critical_kinds
    one = life(off)
    one.arrive(said(OrderOnHold, 3, reason_code="payment"))
    assert one.kinds(EMAIL) == ["issue"]


@pytest.mark.parametrize("frequency", [Frequency.IMMEDIATELY, Frequency.DAILY, Frequency.WEEKLY])
def test_only_off_is_off(frequency: Frequency) -> None:
    who = replace(reachable(EMAIL), preferences={(K.SHIPPED, EMAIL): frequency})
    assert not is_off(K.SHIPPED, EMAIL, who, POLICY)
