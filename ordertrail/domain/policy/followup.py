"""What became of earlier messages: fall through to the next channel, release what was held, drop what was overtaken."""

from collections.abc import Mapping
from types import MappingProxyType

from ordertrail.domain.decisions import Send, Suppress, Why
from ordertrail.domain.policy.announce import plan_message
from ordertrail.domain.policy.channels import choose
from ordertrail.domain.policy.escalation import open_case
from ordertrail.domain.policy.situation import Deadline, DeliveryView, Hints, Plan, Situation
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, CaseKind, DeliveryState, MessageKind, OrderStatus

_K, _S = MessageKind, DeliveryState
UNSENT = frozenset({_S.HELD, _S.PLANNED})
OPEN = UNSENT | {_S.CLAIMED}
LOST = frozenset({_S.FAILED, _S.EXPIRED, _S.UNKNOWN})
ARRIVED = frozenset({_S.HELD, _S.PLANNED, _S.CLAIMED, _S.ACCEPTED, _S.DELIVERED})

RANK: Mapping[MessageKind, int] = MappingProxyType(
    {
        _K.ORDER_UPDATE: 1,
        _K.SHIPPED: 2,
        _K.IN_TRANSIT: 3,
        _K.BACK_ON_TRACK: 3,
        _K.DELAY: 3,
        _K.OUT_FOR_DELIVERY: 4,
        _K.READY_FOR_PICKUP: 4,
        _K.DELIVERY_ATTEMPTED: 4,
        _K.ISSUE: 4,
        _K.DELIVERED: 6,
        _K.RETURNED: 6,
        _K.CANCELLED: 6,
    }
)
"""A message of a lower rank is worth nothing once one of a higher rank about the same shipment is told."""


def follow_up(situation: Situation, plan: Plan) -> None:
    """Go through the deliveries that are not settled."""
    for delivery in situation.deliveries:
        if delivery.state in OPEN and delivery.not_after <= situation.now:
            _expire(situation, plan, delivery)
        elif delivery.state in LOST and not delivery.handled:
            _lost(situation, plan, delivery)
        elif delivery.state in UNSENT and _overtaken(situation, plan, delivery):
            plan.superseded.append(delivery.id)
            plan.decisions.append(_suppress(delivery, Why.OVERTAKEN))
        elif delivery.state is _S.HELD:
            _release(situation, plan, delivery)
        elif delivery.state is _S.ACCEPTED and delivery.receipt_due_at is not None and not delivery.handled:
            _await_receipt(situation, plan, delivery)


def _expire(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    """Its useful life ended while it was retried; an attempt may be out there, so a claimed one ends as unknown."""
    state = _S.UNKNOWN if delivery.state is _S.CLAIMED else _S.EXPIRED
    plan.expired[delivery.id] = state
    _lost(situation, plan, delivery.model_copy(update={"state": state}))


def _overtaken(situation: Situation, plan: Plan, delivery: DeliveryView) -> bool:
    """Whether what this says is no longer the newest, or no longer true."""
    ref, rank = delivery.shipment_ref, RANK.get(delivery.kind)
    if rank is None:
        return False
    if any(m.shipment_ref == ref and m.kind is not delivery.kind and RANK.get(m.kind, 0) > rank for m in plan.messages):
        return True
    if situation.state.status is OrderStatus.CANCELLED and rank < RANK[_K.CANCELLED]:
        return True
    shipment = situation.state.shipment(ref)
    return shipment is not None and shipment.fold.status in TERMINAL_SHIPMENT and rank < RANK[_K.DELIVERED]


def _release(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    if delivery.not_before <= situation.now:
        plan.released.append(delivery.id)
        plan.decisions.append(
            Send(
                reason=Why.NEWS, message_kind=delivery.kind, shipment_ref=delivery.shipment_ref,
                occurrence=delivery.occurrence, recipient=delivery.recipient, channel=delivery.channel,
                inputs={"after": Why.QUIET_HOURS.value},
            )
        )  # fmt: skip
    else:
        plan.deadlines.append(Deadline(at=delivery.not_before, what=f"quiet hours end, {delivery.kind}"))


def _await_receipt(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    if delivery.receipt_due_at is None or delivery.receipt_due_at > situation.now:
        if delivery.receipt_due_at is not None:
            plan.deadlines.append(Deadline(at=delivery.receipt_due_at, what=f"receipt of {delivery.kind}"))
        return
    plan.handled.append(delivery.id)
    _next_channel(situation, plan, delivery, Why.NO_RECEIPT)


def _lost(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    plan.handled.append(delivery.id)
    if delivery.state is _S.UNKNOWN:
        plan.decisions.append(_suppress(delivery, Why.DELIVERY_UNKNOWN))
    elif delivery.state is _S.EXPIRED and not delivery.critical:
        plan.decisions.append(_suppress(delivery, Why.USEFUL_LIFE_OVER))
    elif (delivery.reason or "").startswith("preflight"):
        plan.decisions.append(_suppress(delivery, Why.PREFLIGHT))
        plan.unreachable.append(delivery.id)
        if delivery.critical:
            open_case(situation, plan, CaseKind.UNREACHABLE, "", reason=Why.PREFLIGHT, detail=delivery.reason or "")
    else:
        _next_channel(situation, plan, delivery, Why.OTHER_CHANNEL_FAILED)


def _next_channel(situation: Situation, plan: Plan, delivery: DeliveryView, reason: Why) -> None:
    """The same message on the next channel allowed, unless another one has it; when none is left, a person is asked."""
    same = [d for d in situation.deliveries if _same_message(d, delivery)]
    if any(d.state in ARRIVED and d.id != delivery.id and not _silent(d, situation) for d in same):
        plan.decisions.append(_suppress(delivery, Why.OTHER_CHANNEL_TOLD))
        return
    if _overtaken(situation, plan, delivery):
        plan.decisions.append(_suppress(delivery, Why.NO_LONGER_TRUE))
        return
    contact = next((contact for contact in situation.contacts if contact.role == delivery.recipient), None)
    tried = frozenset(d.channel for d in same)
    channels = choose(delivery.kind, contact, situation.brand.policy, tried=tried) if contact else []
    if contact is None or not channels:
        _give_up(situation, plan, delivery, reason)
        return
    plan_message(
        situation, plan, kind=delivery.kind, ref=delivery.shipment_ref, occurrence=delivery.occurrence, contact=contact,
        channel=channels[0], hints=Hints(happened_at=situation.now), reason=reason, copy_of=delivery.id,
    )  # fmt: skip


def _give_up(situation: Situation, plan: Plan, delivery: DeliveryView, reason: Why) -> None:
    plan.decisions.append(_suppress(delivery, Why.NO_CHANNEL))
    if reason is Why.NO_RECEIPT:
        return  # it was accepted; there is only no other way to make sure
    plan.unreachable.append(delivery.id)
    open_case(situation, plan, CaseKind.UNREACHABLE, "", reason=Why.CUSTOMER_UNREACHABLE, detail=delivery.kind)


def _same_message(one: DeliveryView, other: DeliveryView) -> bool:
    return (one.kind, one.shipment_ref, one.occurrence, one.recipient) == (
        other.kind, other.shipment_ref, other.occurrence, other.recipient,
    )  # fmt: skip


def _silent(delivery: DeliveryView, situation: Situation) -> bool:
    """Accepted long ago and never confirmed, where confirmation was due."""
    due = delivery.receipt_due_at
    return delivery.state is _S.ACCEPTED and due is not None and due <= situation.now


def _suppress(delivery: DeliveryView, reason: Why) -> Suppress:
    return Suppress(
        reason=reason, message_kind=delivery.kind, shipment_ref=delivery.shipment_ref, occurrence=delivery.occurrence,
        recipient=delivery.recipient, channel=delivery.channel, inputs={"was": delivery.state, "why": delivery.reason},
    )  # fmt: skip
