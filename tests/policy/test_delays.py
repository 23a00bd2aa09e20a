"""Delays: found by each cause, told once and again only when it gets worse, and taken back when they are over."""

from datetime import date, datetime, timedelta

import pytest

from ordertrail.domain.events import (
    OrderBackordered,
    OrderCancelled,
    OrderOutOfStock,
    OrderRestocked,
    PromiseChanged,
    ShipmentCreated,
    ShipmentShipped,
)
from ordertrail.domain.promise import DatePromise, WindowPromise
from ordertrail.domain.vocabulary import CaseKind, Condition, Fulfilment, ReasonCode, ShipmentStatus
from tests.domain.builders import at, line, on, order, parcel, said, scan
from tests.policy.simulator import DAY, START, Life, brand

S = ShipmentStatus
BOX = parcel(carrier="ups", tracking_number="1Z999AA10123456784")
MISSED_4TH = at(24 * 2 + 11 + 2)
"""The end of the 4th in Madrid, and the two hours of grace."""


def life(promise=None, **facts) -> Life:
    policy = facts.pop("policy", {})
    return Life(order=order(placed_at=START, promise=promise, **facts), brand=brand(**policy)).begin()


def shipped(hours: float = 1, box=BOX):
    return said(ShipmentShipped, hours, shipment=box)


def delays(one: Life) -> list:
    return [s for s in one.messages() if s.view.kind == "delay"]


def conditions(one: Life) -> tuple:
    return one.plans[-1].order_conditions


def test_a_missed_promise_is_found_by_the_clock_alone_and_always_makes_a_case():
    one = life(on(4))
    one.arrive(shipped(1))
    one.pass_time(MISSED_4TH - timedelta(seconds=1))
    assert delays(one) == []
    one.pass_time(MISSED_4TH + timedelta(seconds=1))
    assert [s.hints.reason_code for s in delays(one)] == [ReasonCode.PROMISE_MISSED]
    assert [(c.kind, c.queue) for c in one.cases.values()] == [(CaseKind.LATE, "delivery")]
    assert conditions(one) == (Condition.DELAYED,)


def test_a_missed_promise_is_told_once_and_not_when_it_was_delivered_in_time():
    one = life(on(4))
    one.arrive(shipped(1))
    one.pass_time(START + 60 * DAY)
    assert len(delays(one)) == 1
    other = life(on(4))
    other.arrive(shipped(1), scan(S.DELIVERED, 20))
    other.pass_time(START + 60 * DAY)
    assert delays(other) == []
    assert other.plans[-1].closed


def test_a_missed_ship_by_is_told_and_shipping_is_the_good_news_itself():
    one = life(on(20), ship_by=at(24))
    one.pass_time(at(29))
    assert [s.hints.reason_code for s in delays(one)] == [ReasonCode.SHIP_BY_MISSED]
    one.arrive(shipped(30))
    assert one.kinds() == ["order_confirmation", "delay", "shipped"]
    assert conditions(one) == ()


def test_a_promise_that_moves_within_the_hysteresis_is_no_delay():
    window = WindowPromise(starts_at=at(20), ends_at=at(22), zone="Europe/Madrid")
    later = WindowPromise(starts_at=at(22), ends_at=at(24), zone="Europe/Madrid")
    much_later = WindowPromise(starts_at=at(24), ends_at=at(26), zone="Europe/Madrid")
    one = life(window, fulfilment=Fulfilment.OWN_FLEET)
    one.arrive(said(PromiseChanged, 1, promise=later))
    assert delays(one) == []
    one.arrive(said(PromiseChanged, 2, promise=much_later))
    (told,) = delays(one)
    assert (told.hints.promise, told.hints.previous_promise) == (much_later, window)


def test_a_window_is_missed_half_an_hour_after_it_closed():
    window = WindowPromise(starts_at=at(2), ends_at=at(3), zone="Europe/Madrid")
    one = life(window, fulfilment=Fulfilment.OWN_FLEET)
    one.pass_time(at(3.49))
    assert delays(one) == []
    one.pass_time(at(3.51))
    assert len(delays(one)) == 1


@pytest.mark.parametrize("reason", [None, ReasonCode.WEATHER])
def test_a_moved_promise_is_told_with_its_reason_and_both_dates(reason):
    one = life(on(4))
    one.arrive(said(PromiseChanged, 1, promise=on(7), reason_code=reason))
    (told,) = delays(one)
    assert told.hints.reason_code is (reason or ReasonCode.PROMISE_MOVED)
    assert (told.hints.promise, told.hints.previous_promise) == (on(7), on(4))
    one.arrive(said(PromiseChanged, 2, promise=on(7), reason_code=reason))
    assert len(delays(one)) == 1


def test_the_carriers_word_is_told_once_however_often_it_is_repeated():
    one = life(on(9))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2))
    for hour in (5, 6, 7):
        one.arrive(scan(S.IN_TRANSIT, hour, delayed=True, reason_code="weather"))
    (told,) = delays(one)
    assert told.hints.reason_code is ReasonCode.WEATHER


def test_a_carriers_estimate_after_the_promise_is_a_delay_with_that_date():
    one = life(on(4))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2, promise=on(6)))
    (told,) = delays(one)
    assert (told.hints.promise, told.hints.reason_code) == (on(6), ReasonCode.CARRIER_DELAY)


def test_an_estimate_a_little_after_the_promise_only_puts_it_at_risk_until_it_is_taken_back():
    window = WindowPromise(starts_at=at(20), ends_at=at(22), zone="Europe/Madrid")
    slips = WindowPromise(starts_at=at(22), ends_at=at(23), zone="Europe/Madrid")
    one = life(window)
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2, promise=slips))
    assert conditions(one) == (Condition.AT_RISK,)
    one.arrive(scan(S.IN_TRANSIT, 3, promise=window))
    assert conditions(one) == ()
    assert delays(one) == []
    assert not any(s.view.kind == "back_on_track" for s in one.messages())


def test_a_carriers_delay_to_the_promised_day_itself_gives_no_new_date():
    one = life(on(9))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2, delayed=True, promise=on(9)))
    (told,) = delays(one)
    assert told.hints.promise is None


def test_silence_is_told_by_service_level_and_taken_back_by_the_next_scan():
    box = parcel(carrier="ups", tracking_number="1Z999AA10123456784", service_level="express")
    one = life(on(25), policy={"silence_by_service": {"express": timedelta(hours=24)}})
    one.arrive(shipped(1, box), scan(S.IN_TRANSIT, 2))
    one.pass_time(at(25.9))
    assert delays(one) == []
    one.pass_time(at(26.1))
    assert [s.hints.reason_code for s in delays(one)] == [ReasonCode.NO_SCANS]
    assert conditions(one) == (Condition.STALE,)
    one.arrive(scan(S.IN_TRANSIT, 30))
    assert one.kinds()[-1] == "back_on_track"
    assert conditions(one) == ()


def test_a_parcel_silent_for_twice_the_time_allowed_becomes_a_case():
    one = life(None)
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2))
    one.pass_time(at(2 + 143))
    assert one.cases == {}
    one.pass_time(at(2 + 145))
    assert [c.kind for c in one.cases.values()] == [CaseKind.LATE]
    one.pass_time(START + 90 * DAY)
    assert len(one.cases) == 1
    assert len(delays(one)) == 1


def test_nobody_is_alarmed_while_the_whole_carrier_is_silent():
    one = life(None)
    one.silent_carriers = frozenset({"ups"})
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2))
    one.pass_time(at(120))
    assert delays(one) == []
    assert conditions(one) == (Condition.STALE,)
    assert [d.reason for d in one.decisions].count("carrier_silent") == 1
    one.silent_carriers = frozenset()
    one.pass_time(at(130))
    assert len(delays(one)) == 1


def test_a_backorder_is_a_delay_and_its_end_is_told():
    one = life(on(5))
    one.arrive(said(OrderBackordered, 1, skus=("MUG",), promise=on(14)))
    (told,) = delays(one)
    assert (told.hints.reason_code, told.hints.promise) == (ReasonCode.BACKORDERED, on(14))
    one.arrive(said(OrderRestocked, 20, promise=on(5)))
    assert one.kinds() == ["order_confirmation", "delay", "back_on_track"]
    assert one.last("back_on_track").hints.promise == on(5)


def test_restocked_with_a_later_date_is_not_sold_as_back_on_track():
    one = life(on(5))
    one.arrive(said(OrderOutOfStock, 1, skus=("MUG",)))
    one.arrive(said(OrderRestocked, 20, promise=on(14)))
    assert one.kinds() == ["order_confirmation", "issue", "order_update", "delay"]


def test_a_new_date_that_is_missed_again_is_told_again_and_a_person_owns_it():
    one = life(on(4))
    one.arrive(said(PromiseChanged, 1, promise=on(6)))
    assert one.cases == {}
    one.pass_time(START + 30 * DAY)
    assert [s.hints.promise for s in delays(one)] == [on(6), None]
    assert [s.view.occurrence for s in delays(one)] == [1, 2]
    assert CaseKind.LATE in {c.kind for c in one.cases.values()}


def test_the_second_delay_opens_a_case_for_being_repeated():
    one = life(on(4))
    one.arrive(said(PromiseChanged, 1, promise=on(7)))
    one.arrive(said(PromiseChanged, 2, promise=on(12)))
    assert [s.hints.previous_promise for s in delays(one)] == [on(4), on(7)]
    assert one.case_reasons == ["repeated_delay"]


def test_estimates_that_creep_are_measured_against_what_was_told():
    def day(hours):
        return WindowPromise(starts_at=at(hours - 1), ends_at=at(hours), zone="Europe/Madrid")

    one = life(day(48))
    one.arrive(shipped(1))
    for step in range(12):
        one.arrive(scan(S.IN_TRANSIT, 2 + step, promise=day(48 + step)))
    assert 1 <= len(delays(one)) <= 3


def test_messages_after_a_delay_state_the_date_that_was_given():
    one = life(on(9))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2))
    one.arrive(scan(S.IN_TRANSIT, 5, delayed=True, promise=on(12)))
    one.arrive(scan(S.IN_TRANSIT, 8, milestone="local_facility"))
    assert one.kinds()[-2:] == ["delay", "in_transit"]
    assert one.last("in_transit").promise_shown == on(12)


def test_a_delay_that_is_over_is_not_denied_when_the_goods_arrive():
    one = life(on(9))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2, delayed=True))
    one.arrive(scan(S.OUT_FOR_DELIVERY, 20))
    assert one.kinds()[-1] == "out_for_delivery"
    assert one.kinds().count("back_on_track") == 0
    assert conditions(one) == ()


def test_the_carriers_denial_takes_a_delay_back():
    one = life(on(9))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2, delayed=True))
    one.arrive(scan(S.IN_TRANSIT, 5, delayed=False))
    assert one.kinds()[-2:] == ["delay", "back_on_track"]


def test_an_exception_over_while_the_order_is_late_is_moving_again_and_not_back_on_track():
    one = life(on(4))
    one.arrive(shipped(1), scan(S.EXCEPTION, 5))
    one.pass_time(at(70))
    one.arrive(scan(S.IN_TRANSIT, 71))
    assert one.kinds()[1:] == ["shipped", "issue", "delay", "in_transit"][-len(one.kinds()[1:]) :]
    assert "back_on_track" not in one.kinds()
    assert one.kinds()[-1] == "in_transit"


def test_one_mishap_that_is_both_an_issue_and_a_delay_is_told_once():
    one = life(on(9))
    one.arrive(shipped(1))
    one.arrive(scan(S.EXCEPTION, 5, delayed=True, reason_code="weather"))
    assert one.kinds()[1:] == ["shipped", "issue"]
    one.arrive(scan(S.EXCEPTION, 6, delayed=True, reason_code="weather"))
    assert one.kinds()[1:] == ["shipped", "issue"]


def test_a_lost_parcel_is_not_also_late():
    one = life(on(4))
    one.arrive(shipped(1), scan(S.EXCEPTION, 5, reason_code="lost"))
    one.pass_time(START + 30 * DAY)
    assert delays(one) == []


def test_no_delay_of_what_is_cancelled_ready_or_on_its_way_back():
    for event in (said(OrderCancelled, 2), scan(S.READY_FOR_PICKUP, 5), scan(S.RETURNING, 5), scan(S.DELIVERED, 5)):
        one = life(on(4))
        one.arrive(shipped(1), scan(S.IN_TRANSIT, 1.5))
        one.arrive(event)
        one.pass_time(START + 30 * DAY)
        assert delays(one) == [], event.kind


def test_one_promise_of_three_shipments_is_missed_once():
    boxes = [parcel(ref, carrier="ups", tracking_number=f"1Z999AA1012345678{ref}") for ref in ("1", "2", "3")]
    one = life(on(4))
    one.arrive(*(shipped(1, box) for box in boxes))
    one.pass_time(START + 20 * DAY)
    (told,) = delays(one)
    assert told.view.shipment_ref == ""
    assert len(one.cases) == 1


def test_the_shared_promise_is_not_missed_once_more_when_every_shipment_has_its_own_new_date():
    boxes = [parcel(ref, carrier="ups", tracking_number=f"1Z999AA1012345678{ref}") for ref in ("1", "2")]
    one = life(on(4))
    one.arrive(*(shipped(1, box) for box in boxes))
    one.arrive(scan(S.IN_TRANSIT, 5, ref="1", promise=on(20)), scan(S.IN_TRANSIT, 5, ref="2", promise=on(20)))
    assert len(delays(one)) == 2
    one.pass_time(at(24 * 4))
    assert len(delays(one)) == 2


def test_shipments_with_promises_of_their_own_are_late_on_their_own():
    one = life(on(4))
    one.arrive(
        shipped(1, parcel("A", carrier="ups", tracking_number="1Z999AA10123456781", promise=on(4))),
        shipped(1, parcel("B", carrier="ups", tracking_number="1Z999AA10123456782", promise=on(9))),
    )
    one.arrive(scan(S.DELIVERED, 20, ref="A"))
    one.pass_time(START + 20 * DAY)
    assert [(s.view.shipment_ref, s.hints.previous_promise) for s in delays(one)] == [("B", on(9))]


def test_the_rest_of_an_order_is_late_though_what_was_shipped_has_arrived():
    one = life(on(4), lines=(line("MUG", 1), line("TEA", 1)))
    one.arrive(shipped(1, parcel("A", lines={"MUG": 1}, carrier="ups", tracking_number="1Z999AA10123456781")))
    one.arrive(scan(S.DELIVERED, 20, ref="A"))
    one.pass_time(START + 20 * DAY)
    assert [s.view.shipment_ref for s in delays(one)] == [""]


def test_a_delay_told_before_the_parcel_was_known_is_not_told_again_with_it():
    one = life(on(4))
    one.arrive(said(OrderBackordered, 1, promise=on(10)))
    one.arrive(said(ShipmentCreated, 5, shipment=BOX))
    one.arrive(shipped(6))
    assert len(delays(one)) == 1
    one.arrive(said(OrderRestocked, 7, promise=on(4)))
    assert one.kinds()[-1] == "back_on_track"


def test_a_delay_told_for_the_order_is_not_told_again_for_each_parcel_it_is_split_into():
    one = life(on(4))
    one.arrive(said(PromiseChanged, 1, promise=on(10)))
    for ref in ("A", "B"):
        box = parcel(ref, carrier="ups", tracking_number=f"1Z999AA1012345678{ref}", promise=on(4))
        one.arrive(shipped(2, box), said(PromiseChanged, 3, promise=on(10), shipment_ref=ref))
    assert len(delays(one)) == 1


@pytest.mark.parametrize("ref", [None, "S1"])
def test_a_new_promise_counts_whether_it_names_the_parcel_or_the_order(ref):
    box = parcel(carrier="ups", tracking_number="1Z999AA10123456784", promise=on(4))
    one = life(on(4), shipments=(box,))
    one.arrive(said(PromiseChanged, 2, promise=on(8), shipment_ref=ref))
    (told,) = delays(one)
    assert (told.hints.promise, told.view.shipment_ref) == (on(8), "S1")
    one.arrive(shipped(3, parcel(carrier="ups", tracking_number="1Z999AA10123456784")))
    assert one.last("shipped").promise_shown == on(8)


def test_conditions_leave_a_trace_when_raised_and_when_cleared():
    one = life(on(9))
    one.arrive(shipped(1), scan(S.IN_TRANSIT, 2, delayed=True))
    one.arrive(scan(S.IN_TRANSIT, 3, delayed=True))
    one.arrive(scan(S.IN_TRANSIT, 5, delayed=False))
    traces = [(e.source, e.event.condition, e.event.raised) for e in one.entries if e.kind == "condition"]
    assert traces == [("ordertrail", "delayed", True), ("ordertrail", "delayed", False)]
    before = one.state
    one.entries = [e for e in one.entries if e.kind != "condition"]
    assert one.state == before, "a trace changes no status"


def test_ten_thousand_missed_dates_do_not_fall_due_at_once():
    spread = set()
    for number in range(20):
        one = Life(order=order(placed_at=START, promise=on(4)), brand=brand(jitter=timedelta(minutes=10)))
        situation = one.situation()
        from dataclasses import replace

        from ordertrail.domain.policy.engine import decide

        deadline = decide(replace(situation, order_id=f"ord_{number}")).deadline
        assert deadline is not None
        assert MISSED_4TH <= deadline.at <= MISSED_4TH + timedelta(minutes=10)
        spread.add(deadline.at)
    assert len(spread) == 20


def test_a_promised_day_ends_at_its_own_midnight_also_when_clocks_change():
    # On 29 March 2026 Madrid goes from UTC+1 to UTC+2: the day ends at 22:00 UTC.
    promise = DatePromise(on=date(2026, 3, 29), zone="Europe/Madrid")
    one = Life(order=order(placed_at=START, promise=promise)).begin()
    missed = datetime.fromisoformat("2026-03-30T00:00:00+00:00")
    one.pass_time(missed - timedelta(seconds=1))
    assert delays(one) == []
    one.pass_time(missed + timedelta(seconds=1))
    assert len(delays(one)) == 1
