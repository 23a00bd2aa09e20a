"""What a customer is shown of a timeline, beyond the status it amounts to."""

from ordertrail.domain.order_state import fold_order
from ordertrail.domain.read_model import build_document
from tests.domain.builders import at, order, parcel, scan


def shown_scans(*statuses: str, **last: bool) -> list[str]:
    placed = order(shipments=(parcel("S1"),))
    early = [scan(status, hours) for hours, status in enumerate(statuses[:-1])]
    entries = [*early, scan(statuses[-1], len(statuses), **last)]
    document = build_document(
        "ord_1", placed, fold_order(placed, entries), entries, now=at(99), tracking_page="/t/x", conditions={},
        promises=(), messages_sent=0, case_open=False,
    )  # fmt: skip
    return [str(one.status) for one in reversed(document.shipments[0].scans)]


def test_the_carriers_delivered_after_a_return_is_shown_as_back_with_us():
    assert shown_scans("in_transit", "returning", "delivered") == ["in_transit", "returning", "returned"]
    assert shown_scans("in_transit", "delivered", to_sender=True) == ["in_transit", "returned"]


def test_what_happens_on_the_way_back_is_shown_as_that():
    assert shown_scans("returning", "out_for_delivery", "delivered") == ["returning", "returning", "returned"]
    assert shown_scans("in_transit", "exception", to_sender=True) == ["in_transit", "exception"]


def test_a_delivery_before_the_return_stays_one():
    assert shown_scans("delivered", "returning", "delivered") == ["delivered", "returning", "returned"]
    assert shown_scans("in_transit", "delivered") == ["in_transit", "delivered"]
