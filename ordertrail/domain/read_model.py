"""Builds the order's document: everything a page or a client shows, without personal data."""

from datetime import datetime

from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.document import (
    Destination,
    OrderDocument,
    OrderEventView,
    PaymentView,
    PromiseRecord,
    RefundView,
    Scan,
    ShipmentLineView,
    ShipmentView,
)
from ordertrail.domain.events import Envelope, TrackingEvent
from ordertrail.domain.order import CanonicalOrder
from ordertrail.domain.order_state import OrderState, ShipmentState, fold_order
from ordertrail.domain.statuses import ON_THE_WAY_BACK
from ordertrail.domain.vocabulary import Condition, ShipmentStatus

DEFAULT_ZONE, DEFAULT_LOCALE = "UTC", "en"
_NOT_SHOWN = frozenset({"delivery_report", "shipment_created", "condition"})


def initial_document(order_id: str, order: CanonicalOrder, now: datetime, *, tracking_page: str) -> OrderDocument:
    """The document of an order that was stored a moment ago, before its first step."""
    state = fold_order(order, [])
    return build_document(
        order_id, order, state, [], now=now, tracking_page=tracking_page, conditions={}, promises=(), messages_sent=0,
        case_open=False,
    )  # fmt: skip


def build_document(
    order_id: str, order: CanonicalOrder, state: OrderState, entries: list[Envelope], *, now: datetime,
    tracking_page: str, conditions: dict[str, tuple[Condition, ...]], promises: tuple[PromiseRecord, ...],
    messages_sent: int, case_open: bool, zone: str | None = None, locale: str | None = None,
) -> OrderDocument:  # fmt: skip
    """The whole read model of one order. `entries` is its timeline, `conditions` what is raised per scope."""
    receiver = order.recipient or order.customer
    address = order.shipping_address
    return OrderDocument(
        order_id=order_id,
        brand=order.brand,
        channel=order.channel,
        external_id=order.external_id,
        number=order.shown_number,
        placed_at=order.placed_at,
        updated_at=now,
        status=state.status,
        conditions=tuple(sorted({condition for raised in conditions.values() for condition in raised})),
        fulfilment=order.fulfilment,
        currency=order.currency,
        totals=state.totals,
        payment=PaymentView(state=order.payment.state, method=order.payment.method),
        lines=state.lines,
        shipping_method=order.shipping_method,
        destination=Destination(city=address.city, country=address.country) if address else None,
        promise=state.promise,
        promise_history=promises,
        zone=zone or receiver.zone or order.customer.zone or DEFAULT_ZONE,
        locale=locale or order.customer.locale or DEFAULT_LOCALE,
        shipments=tuple(_shipment(s, entries, conditions.get(s.ref, ())) for s in state.shipments),
        events=_events(entries),
        refunds=tuple(RefundView(amount=r.amount, currency=r.currency, at=r.occurred_at) for r in state.refunds),
        cancelled_at=state.cancelled_at,
        messages_sent=messages_sent,
        case_open=case_open,
        tracking_page=tracking_page,
    )


def _shipment(shipment: ShipmentState, entries: list[Envelope], conditions: tuple[Condition, ...]) -> ShipmentView:
    facts, fold = shipment.facts, shipment.fold
    events = [e.event for e in entries if isinstance(e.event, TrackingEvent) and e.shipment_ref == shipment.ref]
    turned = min((event.occurred_at for event in events if _turns_back(event)), default=None)
    scans = [
        Scan(
            at=event.occurred_at,
            status=_as_seen_by_customer(event, turned),
            place=event.place,
            milestone=event.milestone,
            reason_code=event.reason_code,
        )
        for event in events
    ]
    return ShipmentView(
        ref=shipment.ref,
        status=fold.status,
        carrier=facts.carrier,
        carrier_name=carrier_name(facts.carrier) if facts.carrier else None,
        service_level=facts.service_level,
        tracking_number=facts.tracking_number,
        tracking_url=str(facts.tracking_url) if facts.tracking_url else None,
        promise=shipment.promise or fold.estimate,
        conditions=conditions,
        lines=tuple(ShipmentLineView(sku=line.sku, quantity=line.quantity) for line in facts.lines),
        pickup=fold.pickup or facts.pickup,
        pickup_until=fold.pickup_until,
        left_at=fold.left_at,
        shipped_at=shipment.shipped_at,
        delivered_at=fold.since if fold.status is ShipmentStatus.DELIVERED else None,
        reason_code=fold.reason_code,
        scans=tuple(sorted(scans, key=lambda scan: scan.at, reverse=True)),
    )


def _turns_back(event: TrackingEvent) -> bool:
    meant = ON_THE_WAY_BACK.get(event.status) if event.to_sender else event.status
    return meant in (ShipmentStatus.RETURNING, ShipmentStatus.RETURNED)


def _as_seen_by_customer(event: TrackingEvent, turned: datetime | None) -> ShipmentStatus:
    """A carrier calls it delivered when a parcel that turned back arrives at its sender; its customer would not."""
    back = event.to_sender or (turned is not None and event.occurred_at >= turned)
    return ON_THE_WAY_BACK.get(event.status, event.status) if back else event.status


def _events(entries: list[Envelope]) -> tuple[OrderEventView, ...]:
    shown = [
        OrderEventView(at=e.occurred_at, kind=e.kind, reason_code=getattr(e.event, "reason_code", None))
        for e in entries
        if not isinstance(e.event, TrackingEvent) and e.kind not in _NOT_SHOWN
    ]
    return tuple(sorted(shown, key=lambda event: event.at, reverse=True))
