"""The facts of one message, gathered from the order's state at the moment of the decision."""

from ordertrail.domain.message import MessageFacts, ShipmentFacts
from ordertrail.domain.order import Person
from ordertrail.domain.order_state import OrderState, ShipmentState
from ordertrail.domain.policy.situation import RECIPIENT, NewMessage, Situation
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, MessageKind, ShipmentStatus

_TELLS_OF_THE_PAST = frozenset({MessageKind.DELAY, MessageKind.CORRECTION, MessageKind.DELIVERED})
_NOT_YET_GONE = frozenset({ShipmentStatus.UNKNOWN, ShipmentStatus.LABEL_CREATED})


def message_facts(situation: Situation, message: NewMessage, *, page_url: str, short_url: str) -> MessageFacts:
    """Everything a template may state about this message; personal data inside, so it stays in SQL."""
    order, state, hints = situation.order, situation.state, message.hints
    person: Person = (order.recipient if message.contact.role == RECIPIENT else None) or order.customer
    shipment = state.shipment(message.shipment_ref)
    refund = hints.refund
    return MessageFacts(
        kind=message.kind,
        occurrence=message.occurrence,
        order_number=order.shown_number,
        order_id=situation.order_id,
        order_status=state.status,
        fulfilment=order.fulfilment,
        recipient_name=person.name,
        for_gift_recipient=message.contact.role == RECIPIENT,
        locale=message.contact.locale,
        zone=message.contact.zone,
        currency=order.currency,
        lines=state.lines,
        totals=state.totals,
        payment=order.payment,
        shipping_method=order.shipping_method,
        shipment=_shipment(state, shipment) if shipment else None,
        promise=_still_ahead(situation, message, hints.promise),
        previous_promise=hints.previous_promise,
        happened_at=hints.happened_at,
        stage=hints.stage,
        changes=hints.changes,
        reason_code=hints.reason_code,
        action_required=hints.action_required,
        attempt_no=hints.attempt_no,
        milestone=hints.milestone,
        place=shipment.fold.place if shipment else None,
        pickup=(shipment.fold.pickup or shipment.facts.pickup) if shipment else None,
        pickup_until=shipment.fold.pickup_until if shipment else None,
        left_at=shipment.fold.left_at if shipment else None,
        skus=hints.skus,
        refund_amount=refund.amount if refund else None,
        refund_currency=refund.currency if refund else None,
        refund_expected=refund.expected if refund else None,
        remedies=situation.brand.policy.remedies if message.kind is MessageKind.DELAY else (),
        page_url=page_url,
        short_url=short_url,
    )


def _still_ahead(situation: Situation, message: NewMessage, promise: Promise | None) -> Promise | None:
    """A date that has passed is not stated as one to come."""
    if promise is None or message.kind in _TELLS_OF_THE_PAST or promise.ends() > message.not_before:
        return promise
    return None


def _shipment(state: OrderState, shipment: ShipmentState) -> ShipmentFacts:
    counted = [s for s in state.shipments if s is shipment or s.fold.status is not ShipmentStatus.CANCELLED]
    refs = [other.ref for other in counted]
    arrived = shipment.fold.status is ShipmentStatus.DELIVERED
    return ShipmentFacts(
        ref=shipment.ref,
        status=shipment.fold.status,
        carrier=shipment.facts.carrier,
        service_level=shipment.facts.service_level,
        tracking_number=shipment.facts.tracking_number,
        tracking_url=str(shipment.facts.tracking_url) if shipment.facts.tracking_url else None,
        lines=shipment.lines,
        number=refs.index(shipment.ref) + 1,
        of=len(refs),
        rest=sum(_still_to_come(other, arrived) for other in counted if other is not shipment),
    )


def _still_to_come(other: ShipmentState, arrived: bool) -> bool:
    """Beside a parcel that arrived, one on its way is to come as well; beside one that leaves, those that wait."""
    if arrived:
        return other.fold.status not in TERMINAL_SHIPMENT
    return other.shipped_at is None and other.fold.status in _NOT_YET_GONE
