"""What the customer hears as an order goes its way: once, the newest only, and nothing that is no longer so."""

from datetime import timedelta

import pytest

from ordertrail.domain.events import (
    Change,
    OrderCancelled,
    OrderChanged,
    OrderPacked,
    OrderPlaced,
    OrderProcessing,
    OrderRefunded,
    OrderReturned,
    PromiseChanged,
    ShipmentCreated,
    ShipmentShipped,
)
from ordertrail.domain.promise import WindowPromise
from ordertrail.domain.vocabulary import CaseKind, Channel, Fulfilment, MessageKind, Milestone, ShipmentStatus
from tests.domain.builders import at, on, order, parcel, said, scan
from tests.policy.simulator import DAY, START, Life, brand, contact

S = ShipmentStatus
BOX = parcel(carrier="ups", tracking_number="1Z999AA10123456784")
MINUTE = timedelta(minutes=1)


def shipped(hours: float = 1, **more):
    return said(ShipmentShipped, hours, shipment=more.pop("shipment", BOX), **more)


def held(**policy):
    return Life(brand=brand(imminence_hold=timedelta(minutes=2), **policy)).begin()


def test_the_seven_milestones_in_order_give_exactly_their_messages():
    life = Life().begin()
    life.arrive(said(OrderPlaced))
    life.arrive(said(OrderProcessing, 1))
    life.arrive(said(OrderPacked, 2))
    life.arrive(shipped(3))
    life.arrive(scan(S.IN_TRANSIT, 5))
    life.arrive(scan(S.OUT_FOR_DELIVERY, 20))
    life.arrive(scan(S.DELIVERED, 24))
    assert life.kinds() == [
        "order_confirmation", "order_update", "order_update", "shipped", "in_transit", "out_for_delivery", "delivered",
    ]  # fmt: skip
    assert life.plans[-1].closed
    assert life.cases == {}


def test_the_confirmation_is_sent_once_whatever_repeats_the_order():
    life = Life().begin()
    life.arrive(said(OrderPlaced), said(OrderPlaced, 1, source="shop"))
    life.arrive(said(OrderPlaced, 2))
    assert life.kinds() == ["order_confirmation"]


def test_processing_overtaken_by_packed_within_the_hold_is_never_told():
    life = held()
    life.arrive(said(OrderProcessing, 1))
    life.arrive(said(OrderPacked, 1 + 1 / 60, event_id="packed"))
    assert life.kinds() == ["order_confirmation"]
    life.pass_time(at(2))
    assert life.kinds() == ["order_confirmation", "order_update"]
    assert life.last("order_update").hints.stage == "packed"


def test_a_step_that_is_reported_many_times_at_once_is_told_once():
    life = held()
    life.arrive(*(said(OrderProcessing, 1 + n / 60, event_id=f"again-{n}") for n in range(5)))
    life.pass_time(at(3))
    assert life.kinds() == ["order_confirmation", "order_update"]


def test_a_chatty_source_cannot_put_an_update_off_for_ever():
    life = held()
    for minute in range(6):
        change = Change(what="quantity", sku="MUG", before=str(minute + 1), after=str(minute + 2))
        life.arrive(said(OrderChanged, 1 + minute / 60, changes=(change,)))
    told = [s for s in life.messages() if s.view.kind == "order_update"]
    assert 1 <= len(told) <= 2
    life.pass_time(at(2))
    told = [s for s in life.messages() if s.view.kind == "order_update"]
    assert sum(len(s.hints.changes) for s in told) == 6, "no change is lost"
    assert len(told) <= 3


def test_processing_that_arrives_after_packed_was_told_is_silent():
    life = Life().begin()
    life.arrive(said(OrderPacked, 2))
    life.arrive(said(OrderProcessing, 1, event_id="late"), now=at(3))
    assert life.kinds() == ["order_confirmation", "order_update"]
    assert life.why("late") == ["overtaken"]


def test_a_batch_of_scans_yields_the_newest_only():
    life = Life().begin()
    batch = [scan(S.PICKED_UP, 2, event_id="a"), scan(S.IN_TRANSIT, 3, event_id="b"), scan(S.OUT_FOR_DELIVERY, 4)]
    life.arrive(shipped(1), *batch)
    assert life.kinds() == ["order_confirmation", "out_for_delivery"]
    assert life.why("a") == life.why("b") == ["overtaken"]


def test_shipped_waits_for_its_tracking_number_and_goes_when_it_comes():
    life = Life().begin()
    life.arrive(shipped(1, shipment=parcel()))
    assert life.kinds() == ["order_confirmation"]
    life.arrive(said(ShipmentCreated, 1.1, shipment=BOX))
    assert life.kinds() == ["order_confirmation", "shipped"]


def test_shipped_goes_without_a_tracking_number_after_a_bounded_wait():
    life = Life().begin()
    life.arrive(shipped(1, shipment=parcel()))
    life.pass_time(at(1) + timedelta(minutes=30))
    assert life.kinds() == ["order_confirmation"]
    life.pass_time(at(1) + timedelta(minutes=32))
    assert life.kinds() == ["order_confirmation", "shipped"]


def test_in_transit_beside_a_fresh_shipped_is_not_told_twice_over():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.IN_TRANSIT, 1.2, event_id="moving"))
    assert life.kinds() == ["order_confirmation", "shipped"]


def test_out_for_delivery_on_two_days_is_two_occurrences():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.OUT_FOR_DELIVERY, 20))
    life.arrive(scan(S.IN_TRANSIT, 30), scan(S.OUT_FOR_DELIVERY, 44))
    told = [s.view.occurrence for s in life.messages() if s.view.kind == "out_for_delivery"]
    assert told == [1, 2]


def test_clocks_that_differ_do_not_make_a_second_tour_of_one_day():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.OUT_FOR_DELIVERY, 20))
    life.arrive(scan(S.IN_TRANSIT, 20.05, source="aftership"), scan(S.OUT_FOR_DELIVERY, 20.1, event_id="again"))
    assert life.kinds().count("out_for_delivery") == 1
    assert life.why("again") == ["already_told"]


def test_several_sources_of_one_scan_are_one_message():
    life = Life().begin()
    life.arrive(shipped(1))
    for source in ("carrier:ups", "easypost", "aftership"):
        life.arrive(scan(S.OUT_FOR_DELIVERY, 20, source=source, event_id=f"o-{source}"))
        life.arrive(scan(S.DELIVERED, 24 if source == "easypost" else 24.01, source=source, event_id=f"d-{source}"))
    assert life.kinds() == ["order_confirmation", "shipped", "out_for_delivery", "delivered"]


def test_each_milestone_of_the_journey_is_told_once_even_when_sources_disagree():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.IN_TRANSIT, 2, milestone=Milestone.LEFT_ORIGIN))
    for hour in (3, 5, 7):
        life.arrive(scan(S.IN_TRANSIT, hour, milestone=Milestone.CUSTOMS))
        life.arrive(scan(S.IN_TRANSIT, hour + 1, milestone=Milestone.LEFT_ORIGIN, source="aftership"))
    assert life.kinds().count("in_transit") == 2


def test_late_news_is_on_the_timeline_only():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.DELIVERED, 5, event_id="d"), now=START + 8 * DAY)
    assert life.kinds() == ["order_confirmation"]
    assert life.why("d") == ["too_late"]
    assert life.state.status == "delivered"


def test_a_correction_of_what_was_never_told_is_no_correction():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.DELIVERED, 5), now=START + 8 * DAY)
    life.arrive(scan(S.EXCEPTION, 24 * 8 + 2))
    assert life.kinds() == ["order_confirmation", "issue"]


def test_an_imported_order_is_silent_for_ever():
    life = Life(order=order(imported=True, placed_at=START, promise=on(3))).begin()
    life.arrive(shipped(1), scan(S.EXCEPTION, 5, reason_code="damaged"))
    life.pass_time(START + 5 * DAY)
    life.arrive(scan(S.DELIVERED, 24 * 5))
    assert life.sent == {}
    assert life.cases == {}


def test_a_true_reversal_is_announced_as_a_correction_and_the_delivery_again():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.DELIVERED, 5))
    life.arrive(scan(S.EXCEPTION, 6))
    life.arrive(scan(S.DELIVERED, 9))
    assert life.kinds()[1:] == ["delivered", "correction", "delivered"]
    assert [c.kind for c in life.cases.values()] == [CaseKind.REVERSAL]


def test_after_a_correction_the_way_back_is_an_issue_and_no_second_correction():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.DELIVERED, 5))
    life.arrive(scan(S.EXCEPTION, 6))
    life.arrive(scan(S.RETURNING, 9))
    assert life.kinds()[1:] == ["delivered", "correction", "issue"]


def test_a_reversal_that_was_over_before_anybody_heard_of_it_says_nothing():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.DELIVERED, 5))
    life.arrive(scan(S.EXCEPTION, 6), scan(S.DELIVERED, 6.5))
    assert life.kinds()[1:] == ["delivered"]


def test_a_parcel_that_travels_on_after_its_delivery_was_told_is_a_correction_too():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.DELIVERED, 5))
    life.arrive(scan(S.EXCEPTION, 6), scan(S.IN_TRANSIT, 6.5))
    life.arrive(scan(S.DELIVERED, 20))
    assert life.kinds()[1:] == ["delivered", "correction", "delivered"]


def test_what_is_packed_has_been_processed_whenever_the_shop_says_so():
    life = held()
    life.arrive(said(OrderPacked, 1), said(OrderProcessing, 1.01, event_id="after"))
    life.pass_time(at(2))
    assert life.kinds() == ["order_confirmation", "order_update"]
    assert life.last("order_update").hints.stage == "packed"


def test_a_word_older_than_what_its_source_had_told_is_recorded_as_such():
    life = Life().begin()
    life.arrive(said(PromiseChanged, 1, promise=on(6), source_version=9))
    life.arrive(said(PromiseChanged, 2, event_id="older", promise=on(8), source_version=8))
    assert life.why("older") == ["stale_version"]


def test_a_parcel_delivered_to_its_sender_is_returned_and_never_congratulated():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.RETURNING, 10))
    life.arrive(scan(S.DELIVERED, 20))
    assert life.kinds()[1:] == ["shipped", "issue", "returned"]
    assert {c.kind for c in life.cases.values()} == {CaseKind.UNDELIVERABLE, CaseKind.RETURNED_TO_SENDER}


def test_an_exception_that_recovers_is_told_as_such_also_after_a_silent_scan():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.IN_TRANSIT, 2))
    life.arrive(scan(S.EXCEPTION, 5, reason_code="weather"))
    life.arrive(scan(S.PICKED_UP, 7))
    life.arrive(scan(S.IN_TRANSIT, 8))
    assert life.kinds()[1:] == ["shipped", "issue", "back_on_track"]


def test_two_sources_that_repeat_their_reasons_in_turns_are_two_messages():
    life = Life().begin()
    life.arrive(shipped(1))
    for hour in range(5, 15, 2):
        life.arrive(scan(S.EXCEPTION, hour, reason_code="weather"))
        life.arrive(scan(S.EXCEPTION, hour + 1, reason_code="customs", source="aftership"))
    assert life.kinds().count("issue") == 2


def test_a_hold_that_becomes_an_exception_for_the_same_reason_is_one_issue():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.ON_HOLD, 5, reason_code="customs"))
    life.arrive(scan(S.EXCEPTION, 6, reason_code="customs"))
    assert life.kinds().count("issue") == 1


def test_a_problem_that_now_needs_the_customer_is_told_again():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.EXCEPTION, 5, reason_code="address_issue"))
    life.arrive(scan(S.EXCEPTION, 6, reason_code="address_issue", action_required=True))
    assert life.kinds().count("issue") == 2
    assert life.last("issue").hints.action_required


def test_another_failed_attempt_is_news_and_a_repeated_report_of_one_is_not():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.DELIVERY_ATTEMPTED, 5, attempt_no=1))
    life.arrive(scan(S.DELIVERY_ATTEMPTED, 5.2, attempt_no=1, source="aftership"))
    life.arrive(scan(S.DELIVERY_ATTEMPTED, 29, attempt_no=2))
    assert life.kinds().count("delivery_attempted") == 2


def test_a_cancelled_order_says_so_and_nothing_more():
    life = held()
    life.arrive(said(OrderProcessing, 1))
    life.arrive(said(OrderCancelled, 1.01))
    life.pass_time(at(48))
    assert life.kinds() == ["order_confirmation", "cancelled"]
    assert life.plans[-1].closed


@pytest.mark.parametrize("scans_first", [False, True])
def test_a_parcel_that_moves_for_a_cancelled_order_is_a_persons_business(scans_first):
    life = Life().begin()
    if scans_first:
        life.arrive(shipped(1), scan(S.IN_TRANSIT, 2))
        life.arrive(said(OrderCancelled, 3))
    else:
        life.arrive(said(OrderCancelled, 1))
        life.arrive(shipped(2), scan(S.IN_TRANSIT, 3))
    before = life.kinds()
    life.arrive(scan(S.IN_TRANSIT, 6, milestone=Milestone.CUSTOMS))
    assert [c.kind for c in life.cases.values()] == [CaseKind.MOVED_AFTER_CANCEL]
    assert life.kinds() == before
    assert before[-1] == "cancelled"
    life.arrive(scan(S.DELIVERED, 9))
    assert life.kinds()[-1] == "delivered"


def test_a_cancelled_shipment_that_is_scanned_again_is_followed_and_a_person_told_once():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.CANCELLED, 2))
    life.arrive(scan(S.IN_TRANSIT, 3))
    life.set_case(CaseKind.MOVED_AFTER_CANCEL, state="closed")
    life.arrive(scan(S.OUT_FOR_DELIVERY, 4))
    assert life.kinds()[1:] == ["shipped", "cancelled", "in_transit", "out_for_delivery"]
    assert [c.kind for c in life.cases.values()] == [CaseKind.MOVED_AFTER_CANCEL]


def test_a_voided_label_is_no_news():
    life = Life().begin()
    life.arrive(said(ShipmentCreated, 1, shipment=BOX))
    life.arrive(scan(S.CANCELLED, 2, event_id="void"))
    assert life.kinds() == ["order_confirmation"]
    assert life.why("void") == ["no_news"]


def test_each_refund_and_return_is_told_once():
    life = Life().begin()
    for hour in (1, 2):
        life.arrive(said(OrderRefunded, hour, refund_id="R1", amount="5", currency="EUR"))
    life.arrive(said(OrderRefunded, 3, refund_id="R2", amount="7", currency="EUR"))
    life.arrive(said(OrderReturned, 4, return_id="X"), said(OrderReturned, 5, return_id="X"))
    assert life.kinds() == ["order_confirmation", "refunded", "refunded", "returned"]


def test_a_pickup_is_never_shipped_but_ready_and_not_collected():
    bag = parcel("store", pickup={"name": "Store"})
    life = Life(order=order(placed_at=START, fulfilment=Fulfilment.PICKUP, shipments=(bag,))).begin()
    life.arrive(scan(S.READY_FOR_PICKUP, 3, ref="store"))
    life.arrive(scan(S.EXCEPTION, 200, ref="store", reason_code="not_collected"))
    assert life.kinds() == ["order_confirmation", "ready_for_pickup", "issue"]
    assert [c.kind for c in life.cases.values()] == [CaseKind.UNDELIVERABLE]


def test_our_own_van_needs_no_tracking_number():
    van = parcel("drop", carrier="own-fleet")
    promise = WindowPromise(starts_at=at(2), ends_at=at(3), zone="Europe/Madrid")
    life = Life(order=order(placed_at=START, fulfilment=Fulfilment.OWN_FLEET, shipments=(van,), promise=promise))
    life.begin()
    life.arrive(said(ShipmentShipped, 1, shipment=van))
    life.arrive(scan(S.OUT_FOR_DELIVERY, 1.5, ref="drop"))
    life.arrive(scan(S.DELIVERED, 2.5, ref="drop"))
    assert life.kinds() == ["order_confirmation", "shipped", "out_for_delivery", "delivered"]


def test_scans_of_an_unknown_shipment_count_once_it_is_known():
    life = Life().begin()
    life.arrive(scan(S.IN_TRANSIT, 2, event_id="early"))
    assert life.why("early") == ["unknown_shipment"]
    life.arrive(shipped(3))
    life.arrive(scan(S.OUT_FOR_DELIVERY, 4))
    assert life.kinds()[1:] == ["shipped", "out_for_delivery"]


def test_an_unknown_code_says_so_in_its_decision():
    life = Life().begin()
    life.arrive(shipped(1))
    life.arrive(scan(S.UNKNOWN, 2, event_id="odd", raw_code="ZZ"))
    assert life.why("odd") == ["unknown_code"]


def test_a_late_event_that_changes_nothing_is_not_announced():
    life = Life().begin()
    life.arrive(shipped(1), scan(S.OUT_FOR_DELIVERY, 20))
    before = life.kinds()
    life.arrive(scan(S.IN_TRANSIT, 10, event_id="late"), now=at(21))
    life.arrive(scan(S.OUT_FOR_DELIVERY, 19.5, event_id="earlier"), now=at(21.5))
    assert life.kinds() == before
    assert life.why("late") == ["overtaken"]


def test_deciding_again_with_nothing_new_plans_nothing():
    life = Life(brand=brand(), contacts=(contact(Channel.EMAIL, Channel.SMS),)).begin()
    for entries in ([shipped(1)], [scan(S.EXCEPTION, 3, reason_code="lost")], [scan(S.DELIVERED, 5)]):
        life.arrive(*entries)
        plan = life.step([])
        assert (plan.messages, plan.decisions, plan.cases, plan.superseded, plan.handled) == ([], [], [], [], [])


def test_kinds_are_those_of_the_vocabulary():
    assert set(Life().begin().kinds()) <= set(MessageKind)
