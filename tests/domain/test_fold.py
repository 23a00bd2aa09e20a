"""What a shipment's scans amount to, example by example."""

from datetime import datetime

import pytest

from ordertrail.domain.events import Envelope, OrderPlaced, Place, ShipmentCreated, ShipmentShipped
from ordertrail.domain.fold import ShipmentFold, fold_shipment
from ordertrail.domain.vocabulary import Milestone, ReasonCode, ShipmentStatus
from tests.domain.builders import at, on, parcel, said, scan

S = ShipmentStatus


def fold(*entries: Envelope) -> ShipmentFold:
    return fold_shipment(entries)


def story(*statuses: str) -> ShipmentFold:
    """One scan an hour."""
    return fold(*(scan(status, hour) for hour, status in enumerate(statuses)))


def path(folded: ShipmentFold) -> list[str]:
    return [str(episode.status) for episode in folded.episodes]


def test_a_plain_journey():
    folded = story("label_created", "picked_up", "in_transit", "in_transit", "out_for_delivery", "delivered")
    assert path(folded) == ["label_created", "picked_up", "in_transit", "out_for_delivery", "delivered"]
    assert folded.status is S.DELIVERED
    assert (folded.since, folded.first_moved_at, folded.last_scan_at) == (at(5), at(1), at(5))
    assert [episode.after for episode in folded.episodes] == [S.UNKNOWN, *(e.status for e in folded.episodes[:-1])]


def test_nothing_known_is_unknown():
    assert fold() == ShipmentFold()
    assert fold(said(OrderPlaced)) == ShipmentFold()


@pytest.mark.parametrize("status", ["exception", "on_hold", "in_transit"])
def test_from_the_van_it_may_go_aside_or_back_to_the_depot_and_out_again(status):
    folded = story("out_for_delivery", status, "out_for_delivery", "delivered")
    assert path(folded) == ["out_for_delivery", status, "out_for_delivery", "delivered"]


@pytest.mark.parametrize("status", ["exception", "returning"])
def test_a_delivery_is_truly_reversed(status):
    folded = story("delivered", status)
    assert folded.status == status
    assert folded.reversed_delivery


def test_a_reversal_lasts_until_delivered_again():
    assert story("delivered", "exception", "in_transit").reversed_delivery
    again = story("delivered", "exception", "in_transit", "delivered")
    assert again.status is S.DELIVERED
    assert not again.reversed_delivery


def test_an_exception_that_happened_before_the_delivery_reverses_nothing():
    folded = fold(scan("delivered", 5), scan("exception", 3, recorded=at(9)))
    assert folded.status is S.DELIVERED
    assert not folded.reversed_delivery


@pytest.mark.parametrize("late", [s for s in S if s not in (S.EXCEPTION, S.RETURNING, S.RETURNED, S.DELIVERED)])
def test_delivered_stays_delivered(late):
    folded = story("delivered", late)
    assert folded.status is S.DELIVERED
    assert len(folded.episodes) == 1


def test_a_delivery_on_the_way_back_is_to_the_sender():
    folded = story("in_transit", "returning", "in_transit", "out_for_delivery", "delivered")
    assert path(folded) == ["in_transit", "returning", "returned"]
    assert folded.going_back


def test_the_way_back_is_remembered_through_an_exception():
    folded = story("returning", "exception", "in_transit", "delivered")
    assert path(folded) == ["returning", "exception", "returning", "returned"]


def test_a_scan_addressed_to_the_sender_is_the_way_back():
    folded = fold(scan("in_transit", 0), scan("in_transit", 1, to_sender=True), scan("delivered", 2))
    assert path(folded) == ["in_transit", "returning", "returned"]


def test_a_parcel_that_moves_after_its_cancellation():
    folded = story("label_created", "cancelled", "in_transit")
    assert folded.status is S.IN_TRANSIT
    assert folded.moved_after_cancel
    assert not story("label_created", "cancelled").moved_after_cancel


def test_a_label_does_not_undo_a_cancellation():
    folded = fold(scan("cancelled", 1), said(ShipmentShipped, 2, shipment=parcel()), scan("label_created", 3))
    assert folded.status is S.CANCELLED


def test_an_unknown_code_is_counted_is_a_scan_and_moves_nothing():
    folded = story("label_created", "unknown", "unknown")
    assert folded.status is S.LABEL_CREATED
    assert folded.unknown_codes == 2
    assert folded.first_moved_at is None
    assert folded.last_scan_at == at(2)


def test_the_carriers_word_on_a_condition_is_no_unknown_code():
    assert fold(scan("unknown", 1, delayed=True), scan("unknown", 2, stale=True)).unknown_codes == 0


def test_the_oms_has_no_scans_only_labels():
    created = said(ShipmentCreated, 1, shipment=parcel())
    shipped = said(ShipmentShipped, 2, shipment=parcel())
    folded = fold(created, shipped)
    assert path(folded) == ["label_created"]
    assert (folded.first_moved_at, folded.last_scan_at) == (None, None)
    assert fold(scan("in_transit", 1), shipped).status is S.IN_TRANSIT


def test_a_hold_before_pickup_proves_no_movement():
    assert story("label_created", "on_hold", "exception").first_moved_at is None


def test_attempts_count_when_the_carrier_gives_no_number():
    folded = fold(scan("delivery_attempted", 0), scan("delivery_attempted", 1), scan("delivery_attempted", 24))
    assert [episode.attempt_no for episode in folded.episodes] == [1, 2]
    assert folded.attempt_no == 2


def test_attempts_on_either_side_of_the_local_midnight_are_two():
    before = scan("delivery_attempted", when=datetime.fromisoformat("2026-03-02T23:50:00-05:00"))
    after = scan("delivery_attempted", when=datetime.fromisoformat("2026-03-03T00:10:00-05:00"))
    same_utc_day = fold(before, after)
    assert same_utc_day.attempt_no == 2


def test_one_local_day_over_the_utc_midnight_is_one_attempt():
    noon = scan("delivery_attempted", when=datetime.fromisoformat("2026-03-02T16:00:00-08:00"))
    told_again = scan("delivery_attempted", when=datetime.fromisoformat("2026-03-02T15:00:00-08:00"))
    assert fold(noon, told_again).attempt_no == 1


def test_the_carriers_number_of_an_attempt_decides():
    first = scan("delivery_attempted", 0, attempt_no=1)
    second = scan("delivery_attempted", 1, attempt_no=2)
    told_again = scan("delivery_attempted", 25, attempt_no=2)
    folded = fold(first, second, told_again)
    assert [episode.attempt_no for episode in folded.episodes] == [1, 2]


def test_an_attempt_after_another_tour_counts_on_the_same_day():
    folded = story("out_for_delivery", "delivery_attempted", "out_for_delivery", "delivery_attempted")
    assert [episode.attempt_no for episode in folded.episodes] == [None, 1, None, 2]


@pytest.mark.parametrize("status", ["exception", "on_hold"])
def test_another_reason_is_news_and_the_same_is_not(status):
    folded = fold(
        scan(status, 0, reason_code="customs"),
        scan(status, 1, reason_code="customs"),
        scan(status, 2),
        scan(status, 3, reason_code="damaged"),
        scan(status, 4, reason_code="customs"),
    )
    assert [episode.reason_code for episode in folded.episodes] == [ReasonCode.CUSTOMS, ReasonCode.DAMAGED]
    assert folded.reason_code is ReasonCode.CUSTOMS


def test_a_needed_action_stands_until_the_shipment_moves():
    hold = scan("on_hold", 0, action_required=True)
    assert fold(hold, scan("on_hold", 1)).action_required
    assert not fold(hold, scan("on_hold", 1), scan("in_transit", 2)).action_required


@pytest.mark.parametrize(
    ("after", "delayed"),
    [
        (scan("in_transit", 2), True),
        (scan("in_transit", 2, delayed=False), False),
        (scan("out_for_delivery", 2), False),
        (scan("out_for_delivery", 2, delayed=True), True),
        (scan("delivered", 2), False),
        (scan("out_for_delivery", 0.5), True),
    ],
)
def test_the_carriers_delay_lasts_until_it_is_taken_back(after, delayed):
    assert fold(scan("in_transit", 1, delayed=True), after).carrier_delayed is delayed


def test_a_delay_keeps_its_beginning_and_its_reason():
    folded = fold(
        scan("in_transit", 1, delayed=True, reason_code="weather"),
        scan("in_transit", 2, delayed=True),
    )
    assert folded.carrier_delayed_at == at(1)
    assert folded.carrier_delay_reason is ReasonCode.WEATHER


def test_what_has_arrived_is_not_delayed_or_stale():
    folded = fold(scan("delivered", 1), scan("in_transit", 2, delayed=True), scan("unknown", 3, stale=True))
    assert not folded.carrier_delayed
    assert not folded.carrier_stale


def test_stale_until_the_next_scan_and_no_scan_itself():
    expired = scan("unknown", 48, stale=True)
    folded = fold(scan("in_transit", 0), expired)
    assert folded.carrier_stale
    assert folded.last_scan_at == at(0)
    assert not fold(scan("in_transit", 0), expired, scan("in_transit", 50)).carrier_stale


def test_the_newest_estimate_counts_since_it_was_first_given():
    folded = fold(
        scan("in_transit", 0, promise=on(5)),
        scan("in_transit", 1, promise=on(6)),
        scan("in_transit", 2),
        scan("in_transit", 3, promise=on(6)),
    )
    assert (folded.estimate, folded.estimate_at) == (on(6), at(1))


def test_an_older_version_does_not_overwrite_a_newer_estimate():
    newer = scan("in_transit", 1, promise=on(6), source_version=7)
    older = scan("in_transit", 2, promise=on(4), source_version=6)
    assert fold(older, newer).estimate == on(6)
    other_source = scan("in_transit", 3, promise=on(8), source_version=1, source="easypost")
    assert fold(older, newer, other_source).estimate == on(8)


def test_the_estimate_of_the_way_back_is_not_the_customers():
    folded = fold(scan("in_transit", 0, promise=on(4)), scan("returning", 1, promise=on(9)))
    assert folded.estimate == on(4)


def test_milestones_are_those_of_the_way_forward():
    folded = fold(
        scan("in_transit", 0, milestone="left_origin"),
        scan("in_transit", 1, milestone="local_facility"),
        scan("in_transit", 2, milestone="local_facility"),
        scan("exception", 3, milestone="customs"),
    )
    assert (folded.milestone, folded.milestone_at) == (Milestone.LOCAL_FACILITY, at(1))


def test_milestones_begin_anew_after_a_tour():
    out = [scan("in_transit", 0, milestone="local_facility"), scan("out_for_delivery", 1)]
    assert fold(*out).milestone is Milestone.LOCAL_FACILITY
    assert fold(*out, scan("in_transit", 2)).milestone is None
    again = fold(*out, scan("in_transit", 2, milestone="local_facility"))
    assert again.milestone_at == at(2)


def test_the_newest_place_and_whereabouts_are_kept():
    folded = fold(
        scan("in_transit", 0, place=Place(city="Zaragoza", country="ES")),
        scan("delivered", 1, left_at="reception"),
    )
    assert folded.place == Place(city="Zaragoza", country="ES")
    assert folded.left_at == "reception"


def test_the_same_event_twice_counts_once_as_first_recorded():
    once = scan("unknown", 0, event_id="E1", recorded=at(1))
    again = scan("unknown", 0, event_id="E1", recorded=at(9))
    assert fold(once, again) == fold(again, once) == fold(once)
    elsewhere = scan("unknown", 0, event_id="E1", source="easypost")
    assert fold(once, elsewhere).unknown_codes == 2


def test_a_retransmission_cannot_move_a_future_scan():
    ahead = scan("in_transit", 10, event_id="E1", recorded=at(1))
    resent = scan("in_transit", 10, event_id="E1", recorded=at(12))
    delivered = scan("out_for_delivery", 5)
    assert fold(ahead, delivered, resent) == fold(resent, delivered, ahead)
    assert fold(ahead, delivered, resent).status is S.OUT_FOR_DELIVERY


def test_one_id_with_two_bodies_ends_the_same_either_way():
    one = scan("in_transit", 1, event_id="E1", recorded=at(2))
    other = scan("exception", 1, event_id="E1", recorded=at(2))
    assert fold(one, other) == fold(other, one)


def test_a_clock_ahead_of_ours_is_not_believed():
    ahead = scan("in_transit", 10, recorded=at(1))
    folded = fold(ahead, scan("delivered", 3))
    assert folded.status is S.DELIVERED
    assert folded.first_moved_at == at(1)


def test_at_the_same_instant_the_nearer_source_has_the_last_word():
    carrier = scan("out_for_delivery", 1, source="carrier:ups")
    aggregator = scan("exception", 1, source="aftership")
    assert fold(carrier, aggregator).status is S.OUT_FOR_DELIVERY


def test_a_carrier_that_knows_only_days_is_read_along_the_journey():
    day = ["delivered", "out_for_delivery", "delivery_attempted", "picked_up", "in_transit", "label_created"]
    folded = fold(*(scan(status, 0, event_id=f"E{i}") for i, status in enumerate(day)))
    assert path(folded) == [
        "label_created",
        "picked_up",
        "in_transit",
        "out_for_delivery",
        "delivery_attempted",
        "delivered",
    ]


def test_a_label_of_the_oms_comes_first_among_scans_of_its_instant():
    folded = fold(scan("in_transit", 1, source="somebody"), said(ShipmentShipped, 1, shipment=parcel()))
    assert path(folded) == ["label_created", "in_transit"]


def test_two_sources_alike_in_everything_still_have_an_order():
    one = scan("in_transit", 1, source="easypost", event_id="E1", place=Place(city="Zaragoza"))
    other = scan("in_transit", 1, source="shippo", event_id="E1", place=Place(city="Huesca"))
    assert fold(one, other) == fold(other, one)


def test_a_lower_number_told_later_takes_no_attempt_back():
    folded = fold(
        scan("delivery_attempted", 0, attempt_no=2), scan("in_transit", 1), scan("delivery_attempted", 2, attempt_no=1)
    )
    assert folded.attempt_no == 2


def test_an_interruption_before_any_tour_keeps_the_milestone():
    folded = fold(scan("in_transit", 0, milestone="customs"), scan("on_hold", 1), scan("in_transit", 2))
    assert (folded.milestone, folded.milestone_at) == (Milestone.CUSTOMS, at(0))
