"""What an order's timeline amounts to, example by example, and independent of the order of arrival."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.events import (
    Change,
    OrderBackordered,
    OrderCancelled,
    OrderChanged,
    OrderOnHold,
    OrderPacked,
    OrderProcessing,
    OrderRefunded,
    OrderReleased,
    OrderRestocked,
    OrderReturned,
    PromiseChanged,
    ShipmentCreated,
    ShipmentShipped,
)
from ordertrail.domain.order import Totals
from ordertrail.domain.order_state import OrderState, fold_order
from ordertrail.domain.vocabulary import ReasonCode, ShipmentStatus
from tests.domain.builders import at, line, on, order, parcel, said, scan

QUANTITY = Change(what="quantity", sku="MUG", before="2", after="3")


def given_promises(state: OrderState) -> list[tuple[object, str]]:
    return [(given.promise, given.source) for given in state.promise_history]


def test_a_new_order_is_what_was_placed():
    placed = order(promise=on(5), shipments=(parcel("S1", promise=on(6)),))
    state = fold_order(placed, [])
    assert (state.lines, state.totals, state.promise) == (placed.lines, placed.totals, on(5))
    assert given_promises(state) == [(on(5), "order")]
    (shipment,) = state.shipments
    assert (shipment.ref, shipment.promise, shipment.shipped_at) == ("S1", on(6), None)
    assert shipment.fold.status is ShipmentStatus.UNKNOWN


def test_a_shipment_gathers_its_facts_and_loses_none():
    state = fold_order(
        order(shipments=(parcel("S1", service_level="express"),)),
        [
            said(ShipmentCreated, 1, shipment=parcel("S1", carrier="ups", lines={"MUG": 2})),
            said(ShipmentShipped, 2, shipment=parcel("S1", tracking_number="1Z999")),
        ],
    )
    (shipment,) = state.shipments
    facts = shipment.facts
    assert (facts.carrier, facts.service_level, facts.tracking_number) == ("ups", "express", "1Z999")
    assert shipment.shipped_at == at(2)
    assert [(held.name, held.quantity) for held in shipment.lines] == [("Mug", 2)]


def test_the_newest_word_on_a_shipment_counts_by_the_sources_own_versions():
    newer = said(ShipmentCreated, 1, shipment=parcel("S1", carrier="dhl"), source_version=9)
    older = said(ShipmentCreated, 2, shipment=parcel("S1", carrier="ups", service_level="eco"), source_version=8)
    (shipment,) = fold_order(order(), [older, newer]).shipments
    assert (shipment.facts.carrier, shipment.facts.service_level) == ("dhl", "eco")


def test_what_a_source_tells_after_a_newer_version_is_outdated():
    newer = said(OrderPacked, 1, event_id="newer", source_version=9)
    older = said(OrderProcessing, 2, event_id="older", source_version=8)
    elsewhere = said(OrderProcessing, 3, source="erp", source_version=1)
    unnumbered = said(OrderProcessing, 4)
    assert fold_order(order(), [elsewhere, older, unnumbered, newer]).outdated == ("older",)


def test_a_link_of_an_earlier_tracking_number_is_dropped():
    first = said(
        ShipmentCreated, 1, shipment=parcel("S1", tracking_number="OLD1", tracking_url="https://t.example/OLD1")
    )
    relabelled = said(ShipmentCreated, 2, shipment=parcel("S1", tracking_number="NEW1"))
    linked = said(ShipmentCreated, 3, shipment=parcel("S1", tracking_url="https://t.example/NEW1"))
    assert str(fold_order(order(), [first]).shipments[0].facts.tracking_url) == "https://t.example/OLD1"
    assert fold_order(order(), [first, relabelled]).shipments[0].facts.tracking_url is None
    assert str(fold_order(order(), [first, relabelled, linked]).shipments[0].facts.tracking_url).endswith("NEW1")


def test_without_the_oms_the_first_movement_is_the_shipping():
    state = fold_order(order(shipments=(parcel(),)), [scan("label_created", 1), scan("picked_up", 2)])
    assert state.shipments[0].shipped_at == at(2)


def test_articles_the_order_does_not_have_are_left_out_of_a_shipments_lines():
    (shipment,) = fold_order(order(shipments=(parcel(lines={"GIFT": 1, "TEA": 1}),)), []).shipments
    assert [held.sku for held in shipment.lines] == ["TEA"]


def test_scans_count_for_their_own_shipment_and_strays_are_listed():
    stray = scan("delivered", 2, ref="S9", event_id="stray")
    nowhere = scan("delivered", 1, event_id="nowhere").model_copy(update={"shipment_ref": None})
    promised = said(PromiseChanged, 3, promise=on(9), shipment_ref="S9", event_id="promised")
    shared = [scan("in_transit", 0, ref=ref, event_id="same scan") for ref in ("S1", "S2")]
    state = fold_order(order(shipments=(parcel("S1"), parcel("S2"))), [stray, nowhere, promised, *shared])
    assert [shipment.fold.status for shipment in state.shipments] == [ShipmentStatus.IN_TRANSIT] * 2
    assert state.unplaced == ("nowhere", "stray", "promised")
    known = fold_order(order(shipments=(parcel("S9"),)), [stray, promised])
    assert known.unplaced == ()
    assert known.promise_of("S9") == on(9)


def test_lines_and_totals_are_as_last_changed():
    more, fewer = (line("MUG", 3),), (line("MUG", 1),)
    totals = Totals(items=Decimal("9.50"), total=Decimal("9.50"))
    state = fold_order(
        order(),
        [
            said(OrderChanged, 2, changes=(QUANTITY,), lines=fewer, totals=totals),
            said(OrderChanged, 1, changes=(QUANTITY,), lines=more),
            said(OrderChanged, 3, changes=(Change(what="address"),)),
        ],
    )
    assert (state.lines, state.totals) == (fewer, totals)
    assert [stage.changes[0].what for stage in state.stages] == ["quantity", "quantity", "address"]


def test_stages_are_kept_with_their_events():
    state = fold_order(
        order(),
        [said(OrderPacked, 2, event_id="P", shipment_ref="S1"), said(OrderProcessing, 1, event_id="W")],
    )
    assert [(s.stage, s.event_id, s.occurred_at, s.shipment_ref) for s in state.stages] == [
        ("processing", "W", at(1), None),
        ("packed", "P", at(2), "S1"),
    ]


def test_a_backorder_is_cleared_by_what_came_after_it_only():
    restocked = said(OrderRestocked, 2, event_id="R")
    early, late = said(OrderBackordered, 1, skus=("MUG",)), said(OrderBackordered, 3, skus=("TEA",))
    state = fold_order(order(), [late, restocked, early])
    assert [(b.skus, b.cleared_at, b.cleared_by) for b in state.blockers] == [
        (("MUG",), at(2), "R"),
        (("TEA",), None, None),
    ]
    assert [blocker.skus for blocker in state.open_blockers] == [("TEA",)]


def test_a_hold_is_cleared_by_a_release_and_by_nothing_else():
    hold = said(OrderOnHold, 1, reason_code="fraud_review", action_required=True)
    held = fold_order(order(), [hold, said(OrderRestocked, 2)])
    assert [(b.reason_code, b.action_required) for b in held.open_blockers] == [(ReasonCode.FRAUD_REVIEW, True)]
    assert fold_order(order(), [hold, said(OrderReleased, 1)]).open_blockers == ()


def test_a_cancellation_keeps_its_first_moment_and_its_reason():
    state = fold_order(
        order(),
        [said(OrderCancelled, 4, reason_code="customer_request"), said(OrderCancelled, 2, event_id="C")],
    )
    assert (state.cancelled_at, state.cancelled_by, state.cancel_reason) == (at(2), "C", ReasonCode.CUSTOMER_REQUEST)


def test_refunds_are_one_by_id_and_as_last_told():
    def refund(hours: float, refund_id: str, amount: str, event_id: str):
        return said(
            OrderRefunded, hours, refund_id=refund_id, amount=Decimal(amount), currency="EUR", event_id=event_id
        )

    state = fold_order(order(), [refund(3, "R1", "12", "c"), refund(2, "R2", "5", "b"), refund(1, "R1", "10", "a")])
    assert [(r.refund_id, r.event_id, r.occurred_at, r.amount) for r in state.refunds] == [
        ("R1", "a", at(1), Decimal(12)),
        ("R2", "b", at(2), Decimal(5)),
    ]


def test_returns_are_one_by_id():
    back = [said(OrderReturned, hours, return_id="RMA1", event_id=f"E{hours}") for hours in (2, 1)]
    (returned,) = fold_order(order(), back).returns
    assert (returned.return_id, returned.event_id) == ("RMA1", "E1")


def test_every_promise_of_the_order_is_kept_and_the_newest_counts():
    state = fold_order(
        order(promise=on(5)),
        [
            said(PromiseChanged, 3, promise=on(12), reason_code="warehouse_backlog", event_id="later"),
            said(OrderBackordered, 1, promise=on(9)),
            said(OrderBackordered, 2, promise=on(9)),
            said(OrderRestocked, 4),
        ],
    )
    assert given_promises(state) == [(on(5), "order"), (on(9), "oms"), (on(12), "oms")]
    newest = state.promise_history[-1]
    assert (newest.event_id, newest.occurred_at, newest.reason_code) == ("later", at(3), ReasonCode.WAREHOUSE_BACKLOG)
    assert state.promise == on(12)


def test_good_news_from_the_warehouse_may_bring_an_earlier_promise():
    state = fold_order(order(), [said(OrderBackordered, 1, promise=on(9)), said(OrderRestocked, 2, promise=on(6))])
    assert given_promises(state) == [(on(9), "oms"), (on(6), "oms")]


def test_a_promise_the_source_had_already_replaced_never_counts():
    newer = said(PromiseChanged, 1, promise=on(9), source_version=4)
    older = said(PromiseChanged, 2, promise=on(7), source_version=3)
    state = fold_order(order(promise=on(5)), [older, newer])
    assert given_promises(state) == [(on(5), "order"), (on(9), "oms")]


def test_a_shipment_has_its_own_promise_and_the_carriers_estimate_apart():
    state = fold_order(
        order(promise=on(5), shipments=(parcel("S1", promise=on(6)), parcel("S2"))),
        [
            said(PromiseChanged, 1, promise=on(8), shipment_ref="S1"),
            said(ShipmentShipped, 2, shipment=parcel("S1", promise=on(10))),
            scan("in_transit", 3, promise=on(11)),
        ],
    )
    first = state.shipment("S1")
    assert first is not None
    assert [given.promise for given in first.promise_history] == [on(6), on(8), on(10)]
    assert first.promise == first.facts.promise == on(10)
    assert first.fold.estimate == on(11)
    assert (state.promise, state.promise_of("S1"), state.promise_of("S2")) == (on(5), on(10), on(5))


def test_the_state_survives_storage():
    state = fold_order(
        order(promise=on(5), shipments=(parcel("S1", tracking_url="https://t.example/1"),)),
        [scan("delivered", 1), said(OrderBackordered, 2), said(OrderCancelled, 3)],
    )
    assert OrderState.model_validate_json(state.model_dump_json()) == state


TIMELINE = [
    said(OrderProcessing, 1),
    said(OrderBackordered, 1, promise=on(9), source_version=1),
    said(OrderRestocked, 1, source_version=3),
    said(PromiseChanged, 2, promise=on(8), source_version=2),
    said(PromiseChanged, 2, promise=on(7), shipment_ref="S1"),
    said(OrderOnHold, 3),
    said(OrderReleased, 3),
    said(OrderChanged, 3, changes=(QUANTITY,), lines=(line("MUG", 3),)),
    said(OrderChanged, 3, changes=(QUANTITY,), lines=(line("MUG", 4),)),
    said(ShipmentCreated, 4, shipment=parcel("S1", carrier="ups"), source_version=5),
    said(ShipmentCreated, 4, shipment=parcel("S2", carrier="dhl", promise=on(6))),
    said(ShipmentShipped, 5, shipment=parcel("S1", carrier="dhl", tracking_number="OLD1"), source_version=4),
    scan("out_for_delivery", 6),
    scan("delivered", 6, source="easypost"),
    scan("exception", 6, ref="S2", reason_code="damaged"),
    scan("in_transit", 6, ref="S3"),
    said(OrderRefunded, 7, refund_id="R1", amount=Decimal(1), currency="EUR"),
    said(OrderRefunded, 7, refund_id="R1", amount=Decimal(2), currency="EUR"),
    said(OrderReturned, 7, return_id="RMA1"),
    said(OrderCancelled, 7, reason_code="customer_request"),
    said(OrderCancelled, 7),
]


@given(st.data())
def test_any_shuffle_and_duplication_of_any_timeline_ends_in_the_same_state(data):
    timeline = data.draw(st.lists(st.sampled_from(TIMELINE), max_size=21))
    again = data.draw(st.lists(st.sampled_from(timeline), max_size=5)) if timeline else []
    placed = order(promise=on(5), shipments=(parcel("S1"),))
    shuffled = data.draw(st.permutations([*timeline, *again]))
    assert fold_order(placed, shuffled) == fold_order(placed, timeline)
