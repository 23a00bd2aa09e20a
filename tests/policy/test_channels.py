"""Who is told on which channel and when, and what happens when a message does not get through."""

from datetime import datetime, timedelta

import pytest

from ordertrail.domain.brand import QuietHours
from ordertrail.domain.events import OrderCancelled, ShipmentShipped
from ordertrail.domain.vocabulary import CaseKind, Channel, DeliveryState, ShipmentStatus
from tests.domain.builders import at, on, order, parcel, said, scan
from tests.policy.simulator import START, Life, brand, contact

S, D = ShipmentStatus, DeliveryState
EMAIL, SMS = Channel.EMAIL, Channel.SMS
BOX = parcel(carrier="ups", tracking_number="1Z999AA10123456784")
BOTH = contact(EMAIL, SMS)


def shipped(hours: float = 1):
    return said(ShipmentShipped, hours, shipment=BOX)


def life(*contacts, **facts) -> Life:
    return Life(contacts=contacts or (BOTH,), **facts).begin()


def quiet(critical: str = "send", **policy):
    return brand(quiet_hours=QuietHours(critical=critical), **policy)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def test_sms_joins_email_for_the_kinds_that_matter_on_the_day():
    one = life()
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 1.1))
    one.arrive(scan(S.IN_TRANSIT, 3, milestone="customs"))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 20))
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped", "in_transit", "out_for_delivery"]
    assert one.kinds(SMS) == ["shipped", "out_for_delivery"]


def test_sms_needs_consent():
    one = life(contact(EMAIL, SMS, sms=False))
    one.arrive(shipped(1), scan(S.OUT_FOR_DELIVERY, 20))
    assert one.kinds(SMS) == []


def test_sms_stands_in_where_there_is_no_address():
    one = life(contact(SMS))
    one.arrive(shipped(1))
    assert one.kinds(SMS) == ["order_confirmation", "shipped"]


def test_a_preferred_channel_stands_alone_except_for_records():
    one = life(contact(EMAIL, SMS, preferred=SMS))
    one.arrive(shipped(1), scan(S.DELIVERED, 20))
    assert one.kinds(EMAIL) == ["order_confirmation"]
    assert one.kinds(SMS) == ["delivered"]


def test_a_preferred_channel_without_consent_is_not_used():
    one = life(contact(EMAIL, SMS, preferred=SMS, sms=False))
    one.arrive(shipped(1))
    assert one.kinds(SMS) == []
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped"]


def test_a_gifts_recipient_hears_of_the_day_of_delivery_only():
    one = life(contact(EMAIL), contact(EMAIL, role="recipient"))
    one.arrive(shipped(1))
    one.arrive(scan(S.EXCEPTION, 3, reason_code="weather"))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 20))
    one.arrive(scan(S.DELIVERED, 22))
    assert one.kinds(role="recipient") == ["out_for_delivery", "delivered"]
    assert one.kinds() == ["order_confirmation", "shipped", "issue", "out_for_delivery", "delivered"]


def test_a_recipient_without_any_address_is_nobodys_case():
    nowhere = contact(role="recipient", sms=False)
    nowhere = type(nowhere)(**{**nowhere.__dict__, "reachable": frozenset()})
    one = life(contact(EMAIL), nowhere)
    one.arrive(shipped(1), scan(S.DELIVERED, 20))
    assert one.cases == {}
    assert [d.reason for d in one.decisions].count("no_channel") == 1


def test_a_customer_without_any_address_is_a_persons_business_once():
    nobody = contact()
    nobody = type(nobody)(**{**nobody.__dict__, "reachable": frozenset()})
    one = life(nobody)
    one.arrive(shipped(1))
    one.arrive(scan(S.DELIVERED, 20))
    assert [c.kind for c in one.cases.values()] == [CaseKind.UNREACHABLE]


def test_a_closed_channel_falls_through_for_what_comes_after():
    one = life()
    one.arrive(shipped(1))
    one.close(SMS)
    one.arrive(scan(S.DELIVERED, 20))
    assert one.kinds(SMS) == ["shipped"]
    assert one.kinds(EMAIL)[-1] == "delivered"


def test_a_failed_text_falls_to_email_exactly_once():
    one = life(contact(EMAIL, SMS, preferred=SMS), broken={SMS})
    one.arrive(shipped(1))
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped"]
    one.step([])
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped"]
    assert one.dead_letters == []
    assert one.cases == {}


def test_a_stand_in_repeats_the_facts_of_what_failed():
    one = life(contact(EMAIL, SMS, preferred=SMS), broken={SMS})
    one.arrive(shipped(1))
    first = next(s for s in one.sent.values() if s.view.channel is SMS and s.view.kind == "shipped")
    assert one.messages(EMAIL)[-1].hints == first.hints


def test_a_failed_text_beside_an_email_that_arrived_is_not_replaced():
    one = life(broken={SMS})
    one.arrive(shipped(1))
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped"]
    assert "other_channel_told" in {d.reason for d in one.decisions}


def test_when_every_channel_fails_there_is_a_dead_letter_and_a_case():
    one = life(broken={EMAIL, SMS})
    assert one.messages() == []
    assert len(one.dead_letters) == 1
    assert [c.kind for c in one.cases.values()] == [CaseKind.UNREACHABLE]
    one.step([])
    assert len(one.dead_letters) == 1


def test_a_bounce_days_later_of_what_no_longer_matters_is_left_alone():
    one = life()
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 1.1))
    one.arrive(scan(S.IN_TRANSIT, 3, milestone="customs"))
    bounced = one.last("in_transit")
    one.pass_time(at(24 * 2 + 4))
    one.fail(bounced, closes=True)
    assert "in_transit" not in one.kinds(SMS)


def test_a_bounce_of_what_has_been_overtaken_is_left_alone():
    one = life(contact(EMAIL, SMS, preferred=EMAIL))
    one.arrive(shipped(1))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 2))
    one.arrive(scan(S.DELIVERED, 3))
    one.fail(one.last("out_for_delivery"), closes=True)
    assert one.kinds(SMS) == []
    one.fail(one.last("delivered"), closes=True)
    assert one.kinds(SMS) == ["delivered"]


def test_texts_wait_for_the_end_of_the_quiet_hours_where_the_recipient_lives():
    tokyo = contact(EMAIL, SMS, zone="Asia/Tokyo")
    one = Life(contacts=(tokyo,), brand=quiet()).begin()
    one.arrive(shipped(1))  # 13:00 UTC is 22:00 in Tokyo
    assert one.kinds(EMAIL) == ["order_confirmation", "shipped"]
    assert one.last("shipped").view.state is D.HELD
    assert one.last("shipped").view.not_before == utc("2026-03-02T23:00")
    one.pass_time(utc("2026-03-02T23:00") + timedelta(seconds=1))
    assert one.last("shipped").view.state is D.ACCEPTED


@pytest.mark.parametrize(
    ("evening", "morning"),
    [("2026-03-28T21:30", "2026-03-29T06:00"), ("2026-10-24T20:30", "2026-10-25T07:00")],
    ids=["spring: 8:00 is an hour sooner", "autumn: 8:00 is an hour later"],
)
def test_quiet_hours_end_at_eight_on_the_wall_when_clocks_change(evening, morning):
    start = utc(evening)
    one = Life(contacts=(BOTH,), brand=quiet(), order=order(placed_at=start), now=start).begin()
    one.arrive(said(ShipmentShipped, (start - at(0)) / timedelta(hours=1), shipment=BOX))
    assert one.last("shipped").view.not_before == utc(morning)


def test_ends_of_quiet_hours_are_spread():
    one = Life(contacts=(BOTH,), brand=quiet(jitter=timedelta(minutes=10)), now=at(9)).begin()
    one.arrive(shipped(9.5))
    end = one.last("shipped").view.not_before
    assert utc("2026-03-03T07:00") < end <= utc("2026-03-03T07:10")


def test_critical_messages_go_through_the_quiet_hours_where_the_brand_says_so():
    one = Life(contacts=(BOTH,), brand=quiet("send")).begin()
    one.arrive(shipped(1))
    one.arrive(scan(S.EXCEPTION, 10, reason_code="damaged"))
    assert one.last("issue").view.state is D.ACCEPTED
    other = Life(contacts=(BOTH,), brand=quiet("wait")).begin()
    other.arrive(shipped(1))
    other.arrive(scan(S.EXCEPTION, 10, reason_code="damaged"))
    assert other.kinds(EMAIL)[-1] == "issue"
    assert other.last("issue").view.state is D.HELD


def test_a_text_held_overnight_is_dropped_when_something_later_is_told():
    one = Life(contacts=(BOTH,), brand=quiet()).begin()
    one.arrive(shipped(10))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 18))
    assert one.sent[next(k for k in one.sent if "shipped" in k and "sms" in k)].view.state is D.SUPERSEDED
    one.pass_time(at(24))
    assert one.kinds(SMS) == ["out_for_delivery"]


def test_a_held_text_that_is_no_longer_true_is_dropped_on_release():
    one = Life(contacts=(BOTH,), brand=quiet()).begin()
    one.arrive(shipped(1))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 9))
    one.arrive(scan(S.IN_TRANSIT, 10))
    one.pass_time(at(30))
    assert one.kinds(SMS) == ["shipped"]


def test_a_held_delay_is_not_told_after_it_is_over():
    one = Life(contacts=(BOTH,), brand=quiet("wait"), order=order(placed_at=START, promise=on(9))).begin()
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 1.1))
    one.arrive(scan(S.IN_TRANSIT, 10, delayed=True))
    one.arrive(scan(S.IN_TRANSIT, 12, delayed=False))
    one.pass_time(at(30))
    assert one.kinds(SMS) == ["shipped", "back_on_track"]
    assert one.kinds(EMAIL)[-2:] == ["delay", "back_on_track"]


def test_the_daily_cap_holds_back_everything_but_what_is_critical():
    full = contact(EMAIL, SMS, sent_today={EMAIL: 12, SMS: 12})
    one = life(full)
    one.arrive(shipped(1), scan(S.OUT_FOR_DELIVERY, 3))
    assert one.messages() == []
    one.arrive(scan(S.EXCEPTION, 4, reason_code="damaged"))
    one.arrive(said(OrderCancelled, 5))
    assert one.kinds(EMAIL) == one.kinds(SMS) == ["issue", "cancelled"]


def test_the_daily_cap_counts_what_the_same_step_plans():
    one = life(contact(EMAIL, sent_today={EMAIL: 10}))
    one.arrive(shipped(1), scan(S.OUT_FOR_DELIVERY, 3))
    assert len(one.messages()) == 2
    one.contacts = (contact(EMAIL, sent_today={EMAIL: 12}),)
    one.arrive(scan(S.DELIVERED, 4, event_id="d"))
    assert one.why("d") == ["daily_cap"]


def test_a_critical_message_without_a_receipt_goes_to_the_next_channel():
    one = life(contact(EMAIL, SMS, preferred=EMAIL), receipts=frozenset({EMAIL}))
    one.arrive(shipped(1))
    one.arrive(scan(S.EXCEPTION, 2, reason_code="damaged"))
    one.pass_time(at(5.9))
    assert one.kinds(SMS) == []
    one.pass_time(at(6.1))
    assert one.kinds(SMS) == ["issue"]
    one.pass_time(at(60))
    assert one.kinds(SMS) == ["issue"]


def test_a_receipt_in_time_is_the_end_of_it():
    one = life(contact(EMAIL, SMS, preferred=EMAIL), receipts=frozenset({EMAIL}))
    one.arrive(shipped(1), scan(S.EXCEPTION, 2, reason_code="damaged"))
    one.confirm(one.last("issue"))
    one.pass_time(at(60))
    assert one.kinds(SMS) == []


def test_a_receipt_is_awaited_also_when_the_provider_took_the_message_late():
    one = life(contact(EMAIL, SMS, preferred=EMAIL), receipts=frozenset({EMAIL}))
    one.arrive(shipped(1))
    one.away = {EMAIL}
    one.arrive(scan(S.EXCEPTION, 2, reason_code="damaged"))
    one.arrive(scan(S.UNKNOWN, 3))
    one.come_back(EMAIL)
    one.pass_time(at(7))
    assert one.kinds(SMS) == ["issue"]


def test_a_provider_that_is_away_for_hours_does_not_keep_a_critical_message_from_the_other_channel():
    one = life(contact(EMAIL, SMS, preferred=EMAIL), receipts=frozenset({EMAIL}))
    one.arrive(shipped(1))
    one.away = {EMAIL}
    one.arrive(scan(S.EXCEPTION, 2, reason_code="damaged"))
    one.pass_time(at(7))
    assert one.kinds(SMS) == ["issue"]


def test_what_could_not_be_sent_in_its_useful_life_expires():
    one = life(contact(EMAIL), away={EMAIL})
    one.arrive(shipped(1))
    one.pass_time(at(60))
    assert {s.view.state for s in one.sent.values()} == {D.EXPIRED}
    assert "useful_life_over" in {d.reason for d in one.decisions}


def test_a_critical_message_that_expired_on_its_only_channel_is_a_persons_business():
    one = life(contact(EMAIL))
    one.arrive(shipped(1))
    one.away = {EMAIL}
    one.arrive(scan(S.EXCEPTION, 2, reason_code="weather"))
    one.pass_time(at(60))
    assert CaseKind.UNREACHABLE in {c.kind for c in one.cases.values()}
    assert len(one.dead_letters) == 1


def test_planned_messages_are_dropped_when_they_are_overtaken():
    one = life(contact(EMAIL))
    one.away = {EMAIL}
    one.arrive(shipped(1))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 2))
    one.arrive(scan(S.DELIVERY_ATTEMPTED, 3))
    one.arrive(scan(S.DELIVERED, 4))
    one.come_back(EMAIL)
    assert one.kinds() == ["order_confirmation", "delivered"]


def test_a_delivery_that_was_denied_before_it_left_is_not_congratulated():
    one = life(contact(EMAIL))
    one.arrive(shipped(1))
    one.away = {EMAIL}
    one.arrive(scan(S.DELIVERED, 4))
    one.arrive(scan(S.RETURNING, 5))
    one.come_back(EMAIL)
    assert one.kinds() == ["order_confirmation", "shipped", "correction"]


def test_an_unclear_send_is_not_repeated_on_another_channel():
    one = life(contact(EMAIL, SMS, preferred=EMAIL))
    one.arrive(shipped(1))
    one.sent[one.last("shipped").key].view = one.last("shipped").view.model_copy(update={"state": D.UNKNOWN})
    one.step([])
    assert one.kinds(SMS) == []
    assert "delivery_unknown" in {d.reason for d in one.decisions}


def test_a_message_that_failed_its_preflight_is_kept_for_a_person_to_see():
    one = life()
    one.arrive(shipped(1))
    one.fail(one.last("shipped"), "preflight_tracking_url_invalid")
    assert len(one.dead_letters) == 1
    assert one.cases == {}
