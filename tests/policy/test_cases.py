"""What becomes a person's business, how urgent it is, and when nobody has looked at it in time."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ordertrail.domain.business_time import add_business_time
from ordertrail.domain.events import OrderCancelled, OrderOnHold, OrderOutOfStock, OrderReleased, ShipmentShipped
from ordertrail.domain.order import Totals
from ordertrail.domain.story import tell_story
from ordertrail.domain.vocabulary import CaseKind, CasePriority, ReasonCode, ShipmentStatus
from tests.domain.builders import at, on, order, parcel, said, scan
from tests.policy.simulator import START, Life, brand

S, P = ShipmentStatus, CasePriority
BOX = parcel(carrier="ups", tracking_number="1Z999AA10123456784")
SUPPORT = brand().support
MADRID = "Europe/Madrid"


def life(**facts) -> Life:
    one = Life(order=order(placed_at=START, **facts)).begin()
    one.arrive(said(ShipmentShipped, 1, shipment=BOX))
    return one


def kinds(one: Life) -> list[str]:
    return [str(case.kind) for case in one.cases.values()]


@pytest.mark.parametrize(
    ("entry", "kind", "queue", "priority"),
    [
        (scan(S.EXCEPTION, 3, reason_code="damaged"), CaseKind.DAMAGED, "claims", P.HIGH),
        (scan(S.EXCEPTION, 3, reason_code="lost"), CaseKind.LOST, "claims", P.HIGH),
        (scan(S.ON_HOLD, 3, reason_code="address_issue"), CaseKind.UNDELIVERABLE, "delivery", P.NORMAL),
        (scan(S.EXCEPTION, 3, reason_code="refused"), CaseKind.UNDELIVERABLE, "delivery", P.NORMAL),
        (scan(S.RETURNING, 3), CaseKind.UNDELIVERABLE, "delivery", P.NORMAL),
        (scan(S.RETURNED, 3), CaseKind.RETURNED_TO_SENDER, "returns", P.NORMAL),
        (said(OrderOutOfStock, 3), CaseKind.STOCK, "stock", P.NORMAL),
        (said(OrderOnHold, 3, reason_code=ReasonCode.PAYMENT), CaseKind.PAYMENT, "payments", P.NORMAL),
    ],
)
def test_each_kind_of_trouble_reaches_its_queue(entry, kind, queue, priority):
    one = life()
    one.arrive(entry)
    (case,) = one.cases.values()
    assert (case.kind, case.queue, case.priority) == (kind, queue, priority)


def test_weather_is_nobodys_case():
    one = life()
    one.arrive(scan(S.EXCEPTION, 3, reason_code="weather"))
    assert kinds(one) == []


def test_the_third_failed_attempt_is_a_persons_business():
    one = life()
    for day in range(2):
        one.arrive(scan(S.DELIVERY_ATTEMPTED, 20 + 24 * day))
    assert kinds(one) == []
    one.arrive(scan(S.DELIVERY_ATTEMPTED, 20 + 48))
    assert kinds(one) == ["undeliverable"]


def test_a_case_is_not_opened_twice_while_it_is_open_and_again_after_it_was_closed():
    one = life()
    one.arrive(scan(S.EXCEPTION, 3, reason_code="damaged"))
    one.arrive(scan(S.IN_TRANSIT, 4))
    one.arrive(scan(S.EXCEPTION, 5, reason_code="damaged"))
    assert kinds(one) == ["damaged"]
    one.set_case("damaged", state="closed")
    one.arrive(scan(S.IN_TRANSIT, 30))
    one.arrive(scan(S.EXCEPTION, 31, reason_code="damaged"))
    assert kinds(one) == ["damaged", "damaged"]
    assert [case.priority for case in one.cases.values()] == [P.HIGH, P.URGENT]


def test_a_report_that_repeats_a_closed_case_does_not_open_it_again():
    one = life()
    one.arrive(scan(S.EXCEPTION, 3, reason_code="damaged"))
    one.set_case("damaged", state="closed")
    one.arrive(scan(S.EXCEPTION, 4, reason_code="damaged", source="aftership"))
    assert kinds(one) == ["damaged"]


def test_a_valuable_order_is_looked_at_first():
    one = life(totals=Totals(items=Decimal(500), total=Decimal(500)))
    one.arrive(scan(S.RETURNING, 3))
    assert [case.priority for case in one.cases.values()] == [P.HIGH]


def test_a_repeated_delay_raises_the_case_that_is_open():
    one = life(promise=on(4))
    one.pass_time(at(72))
    (case,) = one.cases.values()
    assert (case.kind, case.priority) == (CaseKind.LATE, P.NORMAL)
    one.arrive(scan(S.IN_TRANSIT, 73, promise=on(6)))
    one.pass_time(at(24 * 6))
    (case,) = one.cases.values()
    assert case.priority is not P.NORMAL
    assert case.id in "".join(one.cases)


def test_nobody_answering_raises_a_case_once_in_business_hours():
    one = life()
    one.arrive(scan(S.RETURNING, 3), now=at(3))  # Monday 15:00 UTC, 16:00 in Madrid: two hours are left today
    (case,) = one.cases.values()
    assert case.due_at == at(24 + 2)  # Tuesday 15:00 in Madrid
    one.pass_time(at(24 + 1.9))
    assert one.cases[case.id].priority is P.NORMAL
    one.pass_time(at(24 * 30))
    assert one.cases[case.id].priority is P.HIGH
    assert one.cases[case.id].escalated_at == at(26)


def test_an_acknowledged_case_is_not_raised():
    one = life()
    one.arrive(scan(S.RETURNING, 3))
    one.set_case("undeliverable", acknowledged_at=at(4), state="acknowledged")
    one.pass_time(at(24 * 30))
    assert [case.priority for case in one.cases.values()] == [P.NORMAL]


def test_an_order_is_closed_only_when_no_case_waits_for_its_clock():
    one = life()
    one.arrive(scan(S.RETURNED, 3))
    assert not one.plans[-1].closed
    one.pass_time(at(24 * 5))
    assert one.plans[-1].closed


def test_a_hold_that_was_over_before_anybody_heard_of_it_makes_no_case():
    one = life()
    one.arrive(said(OrderOnHold, 3, reason_code=ReasonCode.PAYMENT), said(OrderReleased, 4))
    assert kinds(one) == []
    assert "issue" not in one.kinds()


def test_a_hold_told_twice_by_the_shop_is_one_issue_and_one_release():
    one = Life().begin()
    one.arrive(said(OrderOnHold, 3, reason_code=ReasonCode.PAYMENT))
    one.arrive(said(OrderOnHold, 4, reason_code=ReasonCode.PAYMENT, event_id="again"))
    one.arrive(said(OrderReleased, 5))
    assert one.kinds() == ["order_confirmation", "issue", "back_on_track"]
    assert one.why("again") == ["already_told"]


def test_the_story_names_what_happened_without_a_word_about_the_customer():
    one = life(totals=Totals(items=Decimal(500), total=Decimal(500)))
    one.arrive(scan(S.EXCEPTION, 3, reason_code="damaged"))
    story = tell_story(one.situation(), one.plans[-1])
    assert "case: damaged in claims, urgent" in story
    assert "exception since 2026-03-02 15:00Z, damaged" in story
    assert "Test Customer" not in story
    one.arrive(said(OrderCancelled, 4))
    assert "send cancelled (news)" in tell_story(one.situation(), one.plans[-1])


def when(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02T12:00", 2, "2026-03-02T14:00"),
        ("2026-03-02T16:00", 8, "2026-03-03T15:00"),  # one hour today, seven tomorrow
        ("2026-03-06T16:00", 8, "2026-03-09T15:00"),  # over a weekend
        ("2026-03-07T03:00", 1, "2026-03-09T09:00"),  # from a Saturday
        ("2026-03-27T16:00", 2, "2026-03-30T08:00"),  # over the change of clocks: nine on the wall is seven
        ("2026-03-02T02:00", 9, "2026-03-02T17:00"),  # exactly one day of opening
    ],
)
def test_business_time_runs_while_people_are_there(start, hours, end):
    assert add_business_time(when(start), timedelta(hours=hours), SUPPORT, MADRID) == when(end)


def test_business_time_stands_still_on_holidays():
    support = SUPPORT.model_copy(update={"holidays": ("2026-03-03",)})
    assert add_business_time(when("2026-03-02T16:00"), timedelta(hours=8), support, MADRID) == when("2026-03-04T15:00")


def test_business_time_knows_split_overlapping_and_nightly_hours():
    def hours(weekday, opens, closes):
        return {"weekday": weekday, "opens": opens, "closes": closes}

    split = type(SUPPORT)(hours=[hours(0, "16:00", "18:00"), hours(0, "10:00", "12:00"), hours(0, "11:00", "13:00")])
    assert add_business_time(when("2026-03-02T09:00"), timedelta(hours=4), split, MADRID) == when("2026-03-02T16:00")
    night = type(SUPPORT)(hours=[hours(0, "22:00", "02:00")])
    assert add_business_time(when("2026-03-03T00:00"), timedelta(hours=1), night, MADRID) == when("2026-03-03T01:00")
    assert add_business_time(when("2026-03-03T00:30"), timedelta(hours=1), night, MADRID) == when("2026-03-09T21:30")


def test_business_time_never_stands_still_for_ever():
    closed = type(SUPPORT)(hours=())
    assert add_business_time(when("2026-03-07T00:00"), timedelta(hours=8), closed, MADRID) == when("2026-03-07T08:00")
    shut = type(SUPPORT)(hours=[{"weekday": 0, "opens": "09:00", "closes": "10:00"}])
    assert add_business_time(when("2026-03-02T00:00"), timedelta(hours=500), shut, MADRID) > when("2026-03-20T00:00")
