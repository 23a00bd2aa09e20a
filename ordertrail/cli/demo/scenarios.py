"""The thirteen orders of the demo: what happens to each, and what its customer should hear."""

from typing import Any

from ordertrail.cli.demo.catalogue import (
    AMMAN,
    DUSSELDORF,
    LYON,
    SEVILLE,
    STORE,
    UNREACHABLE_PHONE,
    at,
    drop,
    order,
    parcel,
    person,
)
from ordertrail.cli.demo.plot import Expected, InDays, Scenario, Step, Within, oms, scan, told
from ordertrail.domain.vocabulary import Channel, MessageKind

_K = MessageKind


def _scenario(
    title: str, starts: float, order: dict[str, Any], steps: tuple[Step, ...], expected: tuple[Expected, ...],
    **more: Any,
) -> Scenario:  # fmt: skip
    brand, zone = ("tavola", "America/New_York") if order["currency"] == "USD" else ("nordlicht", "Europe/Berlin")
    return Scenario(
        title=title, brand=brand, zone=zone, starts=starts, order=order, steps=steps, expected=expected, **more
    )


def plain() -> Scenario:
    """Everything as it should be. `processing` is overtaken by `packed` before it was worth telling."""
    box = parcel("P1", "dhl", "00340434161094010101")
    customer = person("Jana Brandt", "jana@customer.example", locale="de")
    return _scenario(
        "A plain parcel",
        0,
        order("N-1001", customer, "TENT-2", promise=InDays(days=3)),
        (
            oms(3, "processing"), oms(4, "packed"), oms(9, "shipped", shipment=box),
            scan(15, "in_transit", box, **at("Leipzig", "DE")),
            scan(21, "out_for_delivery", box, **at("Berlin", "DE")), scan(27, "delivered", box, **at("Berlin", "DE")),
        ),
        told(_K.ORDER_CONFIRMATION, _K.ORDER_UPDATE, _K.SHIPPED, _K.IN_TRANSIT, _K.OUT_FOR_DELIVERY, _K.DELIVERED),
    )  # fmt: skip


def three_carriers() -> Scenario:
    """Each shipment tells its own story."""
    a = parcel("A", "dhl", "00340434161094020202", "TENT-2")
    b = parcel("B", "ups", "1Z999AA10123456784", "BOOTS-43")
    c = parcel("C", "gls", "50123456789", "LAMP")
    customer = person("Camille Laurent", "camille@customer.example", locale="fr", zone="Europe/Paris")
    return _scenario(
        "Three shipments, three carriers",
        1.5,
        order("N-1002", customer, "TENT-2", "BOOTS-43", "LAMP", promise=InDays(days=4), shipping_address=LYON),
        (
            oms(4, "shipped", shipment=a), oms(6, "shipped", shipment=b), oms(8, "shipped", shipment=c),
            scan(12, "out_for_delivery", a, **at("Lyon", "FR")), scan(14, "in_transit", b, **at("Strasbourg", "FR")),
            scan(18, "delivered", a, **at("Lyon", "FR")), scan(20, "out_for_delivery", b, **at("Lyon", "FR")),
            scan(22, "out_for_delivery", c, **at("Lyon", "FR")), scan(25, "delivered", b, **at("Lyon", "FR")),
            scan(28, "delivered", c, **at("Lyon", "FR")),
        ),
        told(
            _K.ORDER_CONFIRMATION, *[_K.SHIPPED] * 3, _K.IN_TRANSIT, *[_K.OUT_FOR_DELIVERY] * 3, *[_K.DELIVERED] * 3
        ),
    )  # fmt: skip


def catering() -> Scenario:
    """Our own driver, in a promised window; the customer agreed to texts."""
    van = drop("drop-1", carrier="own-fleet")
    customer = person(
        "Rosa Miller", "rosa@customer.example", locale="en-US", zone="America/New_York", phone="+12025550110", sms=True
    )
    return _scenario(
        "Catering by own fleet, in its window",
        3,
        order("T-2001", customer, "LUNCH-20", fulfilment="own_fleet", shipments=[van],
              promise=Within(starts=15, ends=3600)),
        (oms(3, "processing"), scan(10, "out_for_delivery", van), scan(20, "delivered", van, left_at="reception")),
        told(_K.ORDER_CONFIRMATION, _K.ORDER_UPDATE, _K.OUT_FOR_DELIVERY, _K.DELIVERED)
        + told(_K.OUT_FOR_DELIVERY, _K.DELIVERED, by=Channel.SMS),
    )  # fmt: skip


def pickup() -> Scenario:
    """The customer collects in the store."""
    bag = drop("store", pickup=STORE)
    customer = person("Ole Petersen", "ole@customer.example", locale="de", phone="+491713920010", sms=True)
    return _scenario(
        "A store pickup",
        4.5,
        order("N-1003", customer, "LAMP", "STOVE", fulfilment="pickup", shipments=[bag]),
        (oms(3, "packed"), scan(9, "ready_for_pickup", bag, pickup=STORE), scan(20, "delivered", bag)),
        told(_K.ORDER_CONFIRMATION, _K.ORDER_UPDATE, _K.READY_FOR_PICKUP, _K.DELIVERED)
        + told(_K.READY_FOR_PICKUP, _K.DELIVERED, by=Channel.SMS),
    )


def backordered() -> Scenario:
    """A delay with its new date, then the old date again."""
    box = parcel("P1", "dpd", "05222000000001")
    customer = person("Lucía Fernández", "lucia@customer.example", locale="es", zone="Europe/Madrid")
    return _scenario(
        "A backordered item",
        6,
        order("N-1004", customer, "BOOTS-43", promise=InDays(days=3), shipping_address=SEVILLE),
        (
            oms(4, "backordered", skus=["BOOTS-43"], promise=InDays(days=12)),
            oms(14, "restocked", promise=InDays(days=3)),
            oms(19, "shipped", shipment=box),
            scan(27, "delivered", box, **at("Sevilla", "ES")),
        ),
        told(_K.ORDER_CONFIRMATION, _K.DELAY, _K.BACK_ON_TRACK, _K.SHIPPED, _K.DELIVERED),
    )


def missed_promise() -> Scenario:
    """Nobody reports anything: the clock alone finds it, tells the customer and makes a case."""
    box = parcel("P1", "hermes", "H1000200030004000506")
    customer = person("Beatriz Carvalho", "beatriz@customer.example", locale="pt-BR", phone="+491713920011", sms=True)
    return _scenario(
        "A missed promise, a support case",
        7.5,
        order("N-1005", customer, "MAT-R", "STOVE", promise=Within(starts=2, ends=14)),
        (oms(4, "shipped", shipment=box),),
        told(_K.ORDER_CONFIRMATION, _K.SHIPPED, _K.DELAY) + told(_K.SHIPPED, _K.DELAY, by=Channel.SMS),
        case=True,
    )


def recovered() -> Scenario:
    """Something goes wrong on the way, and right again."""
    box = parcel("P1", "ups", "1Z999AA10123456793")
    return _scenario(
        "An exception that recovers",
        9,
        order("N-1006", person("佐藤 美咲", "misaki@customer.example", locale="ja"), "MAT-R", promise=InDays(days=3),
              shipping_address=DUSSELDORF),
        (
            oms(3, "shipped", shipment=box), scan(8, "in_transit", box, **at("Hannover", "DE")),
            scan(14, "exception", box, reason_code="weather", **at("Dortmund", "DE")),
            scan(20, "in_transit", box, **at("Dortmund", "DE")), scan(27, "delivered", box, **at("Düsseldorf", "DE")),
        ),
        told(_K.ORDER_CONFIRMATION, _K.SHIPPED, _K.IN_TRANSIT, _K.ISSUE, _K.BACK_ON_TRACK, _K.DELIVERED),
    )  # fmt: skip


def failed_attempt() -> Scenario:
    """Nobody was at home; the driver comes again."""
    box = parcel("P1", "dhl", "00340434161094030303")
    return _scenario(
        "A failed attempt",
        10.5,
        order("N-1007", person("Timo Wagner", "timo@customer.example", locale="de"), "STOVE", promise=InDays(days=2)),
        (
            oms(3, "shipped", shipment=box), scan(9, "out_for_delivery", box, **at("Berlin", "DE")),
            scan(14, "delivery_attempted", box, reason_code="nobody_home", attempt_no=1),
            scan(21, "out_for_delivery", box), scan(27, "delivered", box),
        ),
        told(_K.ORDER_CONFIRMATION, _K.SHIPPED, *[_K.OUT_FOR_DELIVERY] * 2, _K.DELIVERY_ATTEMPTED, _K.DELIVERED),
    )  # fmt: skip


def back_to_sender() -> Scenario:
    """The carrier's last word is 'delivered', to us; the customer must not be congratulated."""
    box = parcel("P1", "gls", "50123456790")
    customer = person("ليلى حداد", "layla@customer.example", locale="ar", zone="Asia/Amman")
    return _scenario(
        "Delivered back to its sender",
        12,
        order("N-1008", customer, "LAMP", promise=InDays(days=3), shipping_address=AMMAN),
        (
            oms(3, "shipped", shipment=box),
            scan(10, "returning", box, reason_code="address_issue", **at("Amman", "JO")),
            scan(20, "delivered", box),
        ),
        told(_K.ORDER_CONFIRMATION, _K.SHIPPED, _K.ISSUE, _K.RETURNED),
        case=True,
    )


def cancelled() -> Scenario:
    """Cancelled before it left, and the money given back."""
    refund = {"refund_id": "R-1", "amount": "34.90", "currency": "EUR", "expected": InDays(days=5)}
    return _scenario(
        "A cancelled order",
        13.5,
        order(
            "N-1009", person("Noah Williams", "noah@customer.example", locale="en-GB"), "LAMP", promise=InDays(days=3)
        ),
        (oms(6, "cancelled", reason_code="customer_request"), oms(12, "refunded", **refund)),
        told(_K.ORDER_CONFIRMATION, _K.CANCELLED, _K.REFUNDED),
    )


def dead_phone() -> Scenario:
    """The customer prefers texts to a number that does not work: email takes over."""
    van = drop("drop-1", carrier="own-fleet")
    customer = person(
        "Pablo Morales",
        "pablo@customer.example",
        locale="es-US",
        zone="America/New_York",
        phone=UNREACHABLE_PHONE,
        sms=True,
        preferred_channel="sms",
    )
    return _scenario(
        "A phone number that does not work",
        15,
        order("T-2002", customer, "PASTRY", fulfilment="own_fleet", shipments=[van],
              promise=Within(starts=10, ends=3600)),
        (scan(8, "out_for_delivery", van), scan(18, "delivered", van)),
        told(_K.ORDER_CONFIRMATION, _K.OUT_FOR_DELIVERY, _K.DELIVERED),
        failed=frozenset({Channel.SMS}),
    )  # fmt: skip


def shuffled() -> Scenario:
    """Late, out of order, twice, and once more under another id: still one message."""
    box = parcel("P1", "dhl", "00340434161094040404")
    delivered = scan(14, "delivered", box, happened=13, event_id="N-1010-d")
    return _scenario(
        "Duplicated and shuffled events",
        16.5,
        order("N-1010", person("Mia Hoffmann", "mia@customer.example", locale="de"), "STOVE", promise=InDays(days=3)),
        (
            oms(3, "shipped", shipment=box),
            delivered,
            scan(14.5, "in_transit", box, happened=7),
            delivered,
            scan(15, "out_for_delivery", box, happened=10),
            scan(15.5, "picked_up", box, happened=5),
            scan(16, "delivered", box, happened=13, event_id="N-1010-other-source"),
            delivered,
        ),
        told(_K.ORDER_CONFIRMATION, _K.SHIPPED, _K.DELIVERED),
    )


def early_scan() -> Scenario:
    """The carrier is faster than the OMS: its scan waits for the shipment it belongs to."""
    box = parcel("P1", "dpd", "05222000000002")
    return _scenario(
        "A scan before its shipment is known",
        18,
        order("N-1011", person("Emil Larsson", "emil@customer.example", locale="en"), "MAT-R", promise=InDays(days=3)),
        (scan(4, "in_transit", box), oms(10, "shipped", shipment=box), scan(20, "delivered", box)),
        told(_K.ORDER_CONFIRMATION, _K.SHIPPED, _K.DELIVERED),
    )


SCENARIOS: tuple[Scenario, ...] = (
    plain(), three_carriers(), catering(), pickup(), backordered(), missed_promise(), recovered(), failed_attempt(),
    back_to_sender(), cancelled(), dead_phone(), shuffled(), early_scan(),
)  # fmt: skip
