"""The order's status: one table of situations, each with the one word for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.events import (
    OrderBackordered,
    OrderCancelled,
    OrderOnHold,
    OrderOutOfStock,
    OrderPacked,
    OrderProcessing,
    OrderReleased,
    OrderRestocked,
    OrderReturned,
    ShipmentCreated,
    ShipmentShipped,
)
from ordertrail.domain.order_state import fold_order
from ordertrail.domain.vocabulary import Fulfilment, OrderStatus, ShipmentStatus
from tests.domain.builders import order, parcel, said, scan

PLAIN = order()
ONE = order(shipments=(parcel("S1"),))
TWO = order(shipments=(parcel("S1"), parcel("S2")))
SPLIT = order(shipments=(parcel("S1", lines={"MUG": 2}), parcel("S2", lines={"TEA": 1})))
HALF = order(shipments=(parcel("S1", lines={"MUG": 1}),))
PICKUP = order(fulfilment=Fulfilment.PICKUP, shipments=(parcel("S1"),))

SHIPPED = said(ShipmentShipped, 2, shipment=parcel("S1"))
ON_HOLD = said(OrderOnHold, 1)
BACKORDERED = said(OrderBackordered, 1)
CANCELLED = said(OrderCancelled, 3)
BACK = said(OrderReturned, 9, return_id="RMA1")


def first(status: str, hours: float = 4, **facts: object):
    return scan(status, hours, ref="S1", **facts)


def second(status: str, hours: float = 4):
    return scan(status, hours, ref="S2")


SITUATIONS = [
    (PLAIN, [], "placed"),
    (PLAIN, [said(OrderProcessing, 1)], "processing"),
    (ONE, [first("label_created")], "processing"),
    (ONE, [said(ShipmentCreated, 1, shipment=parcel("S1"))], "processing"),
    (PLAIN, [said(OrderPacked, 2), said(OrderProcessing, 1)], "packed"),
    (PLAIN, [said(OrderProcessing, 2), BACKORDERED], "backordered"),
    (PLAIN, [said(OrderOutOfStock, 1)], "backordered"),
    (PLAIN, [BACKORDERED, said(OrderRestocked, 2)], "placed"),
    (PLAIN, [ON_HOLD, BACKORDERED], "on_hold"),
    (PLAIN, [ON_HOLD, said(OrderReleased, 2)], "placed"),
    (ONE, [ON_HOLD, SHIPPED], "shipped"),
    (ONE, [SHIPPED], "shipped"),
    (ONE, [first("in_transit")], "shipped"),
    (ONE, [first("delivery_attempted")], "shipped"),
    (ONE, [first("delivery_attempted", action_required=True)], "attention"),
    (TWO, [SHIPPED], "partially_shipped"),
    (TWO, [ON_HOLD, SHIPPED], "on_hold"),
    (TWO, [BACKORDERED, SHIPPED], "partially_shipped"),
    (HALF, [SHIPPED], "partially_shipped"),
    (TWO, [first("in_transit"), second("cancelled")], "shipped"),
    (TWO, [first("out_for_delivery"), second("in_transit")], "out_for_delivery"),
    (TWO, [first("delivered"), second("in_transit")], "partially_delivered"),
    (TWO, [first("delivered"), second("returned")], "partially_delivered"),
    (HALF, [first("delivered")], "partially_delivered"),
    (TWO, [first("delivered"), second("delivered")], "delivered"),
    (SPLIT, [first("delivered"), second("delivered")], "delivered"),
    (SPLIT, [first("delivered"), second("returned")], "partially_delivered"),
    (ONE, [first("exception")], "attention"),
    (TWO, [first("delivered"), second("on_hold")], "attention"),
    (ONE, [first("returning")], "returning"),
    (ONE, [first("returning"), first("delivered", 5)], "returned"),
    (ONE, [first("delivered"), BACK], "returned"),
    (TWO, [first("delivered"), second("in_transit"), BACK], "partially_delivered"),
    (PICKUP, [first("ready_for_pickup")], "ready_for_pickup"),
    (PICKUP, [first("ready_for_pickup"), first("delivered", 5)], "delivered"),
    (PLAIN, [CANCELLED], "cancelled"),
    (ONE, [SHIPPED, CANCELLED], "cancelled"),  # the OMS's word alone does not prove that goods are out there
    (ONE, [CANCELLED, first("in_transit")], "shipped"),
    (ONE, [CANCELLED, first("returning")], "returning"),
    (ONE, [CANCELLED, first("returned")], "cancelled"),
    (ONE, [CANCELLED, first("cancelled")], "cancelled"),
    (ONE, [first("cancelled")], "placed"),
]


@pytest.mark.parametrize(("placed", "timeline", "expected"), SITUATIONS)
def test_the_word_for_a_situation(placed, timeline, expected):
    assert fold_order(placed, timeline).status == expected


def test_every_status_has_a_situation():
    assert {expected for _, _, expected in SITUATIONS} == set(OrderStatus)


def test_a_replacement_of_what_came_back_completes_the_order():
    everything = {"MUG": 2, "TEA": 1}
    placed = order(shipments=(parcel("S1", lines=everything), parcel("S2", lines=everything)))
    assert fold_order(placed, [first("returned"), second("delivered", 9)]).status is OrderStatus.DELIVERED


@given(st.lists(st.sampled_from(ShipmentStatus), min_size=1, max_size=4))
def test_an_order_is_delivered_only_if_all_that_counts_of_it_is(statuses):
    refs = [f"S{number}" for number in range(len(statuses))]
    placed = order(shipments=tuple(parcel(ref) for ref in refs))
    state = fold_order(placed, [scan(status, ref=ref) for ref, status in zip(refs, statuses, strict=True)])
    counted = set(statuses) - {ShipmentStatus.CANCELLED}
    assert (state.status is OrderStatus.DELIVERED) == (counted == {ShipmentStatus.DELIVERED})
