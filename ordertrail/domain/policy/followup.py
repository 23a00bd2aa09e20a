"""What became of earlier messages: fall through to the next channel, release what was held, drop what was overtaken."""

from ordertrail.domain.decisions import Send, Suppress, Why
from ordertrail.domain.policy.announce import plan_message
from ordertrail.domain.policy.channels import choose, is_off
from ordertrail.domain.policy.escalation import open_case
from ordertrail.domain.policy.overtaking import why_worthless
from ordertrail.domain.policy.severity import calls_for
from ordertrail.domain.policy.situation import CUSTOMER, Contact, Deadline, DeliveryView, Hints, Plan, Situation
from ordertrail.domain.vocabulary import CaseKind, Channel, DeliveryState

_S = DeliveryState
UNSENT = frozenset({_S.HELD, _S.PLANNED})
OPEN = UNSENT | {_S.CLAIMED}
LOST = frozenset({_S.FAILED, _S.EXPIRED, _S.UNKNOWN})
TAKEN = frozenset({_S.PLANNED, _S.CLAIMED, _S.ACCEPTED})
"""On its way, as far as anybody knows; where receipts are given, one is due."""
ARRIVED = TAKEN | {_S.HELD, _S.DELIVERED}


def follow_up(situation: Situation, plan: Plan) -> None:
    """Go through the deliveries that are not settled."""
    for delivery in situation.deliveries:
        if delivery.state in OPEN and delivery.not_after <= situation.now:
            _expire(situation, plan, delivery)
        elif delivery.state in LOST and not delivery.handled:
            _lost(situation, plan, delivery)
        elif _may_be_dropped(delivery) and (reason := why_worthless(situation, plan, delivery)) is not None:
            plan.superseded.append(delivery.id)
            plan.decisions.append(_suppress(delivery, reason))
        elif delivery.state is _S.HELD:
            _release(situation, plan, delivery)
        elif delivery.state in TAKEN and delivery.receipt_due_at is not None and not delivery.handled:
            _await_receipt(situation, plan, delivery)


def _may_be_dropped(delivery: DeliveryView) -> bool:
    """A claimed one may be at its provider: it is only marked, so that an unclear attempt is not made again."""
    return delivery.state in UNSENT or (delivery.state is _S.CLAIMED and not delivery.overtaken)


def _expire(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    """Its useful life ended while it was retried; an attempt may be out there, so a claimed one ends as unknown."""
    state = _S.UNKNOWN if delivery.state is _S.CLAIMED else _S.EXPIRED
    plan.expired[delivery.id] = state
    if delivery.handled:
        return
    _lost(situation, plan, delivery.model_copy(update={"state": state}))


def _release(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    if delivery.not_before > situation.now:
        plan.deadlines.append(Deadline(at=delivery.not_before, what=f"quiet hours end, {delivery.kind}"))
        return
    plan.released.append(delivery.id)
    plan.decisions.append(
        Send(
            reason=Why.NEWS, message_kind=delivery.kind, shipment_ref=delivery.shipment_ref,
            occurrence=delivery.occurrence, recipient=delivery.recipient, channel=delivery.channel,
            inputs={"after": Why.QUIET_HOURS.value},
        )
    )  # fmt: skip
    if delivery.receipt_due_at is not None and delivery.receipt_due_at > situation.now:
        plan.deadlines.append(Deadline(at=delivery.receipt_due_at, what=f"receipt of {delivery.kind}"))


def _await_receipt(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    """Not confirmed in time, or not even taken by its provider: the next channel has its turn."""
    if delivery.receipt_due_at is not None and delivery.receipt_due_at > situation.now:
        plan.deadlines.append(Deadline(at=delivery.receipt_due_at, what=f"receipt of {delivery.kind}"))
        return
    plan.handled.append(delivery.id)
    _next_channel(situation, plan, delivery, Why.NO_RECEIPT)


def _lost(situation: Situation, plan: Plan, delivery: DeliveryView) -> None:
    plan.handled.append(delivery.id)
    if delivery.state is _S.UNKNOWN:
        plan.decisions.append(_suppress(delivery, Why.DELIVERY_UNKNOWN))
    elif not delivery.critical and (delivery.state is _S.EXPIRED or delivery.not_after <= situation.now):
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
    stood_in = any(message.copy_of == d.id for message in plan.messages for d in same)
    if stood_in or any(d.state in ARRIVED and d.id != delivery.id and not _silent(d, situation) for d in same):
        plan.decisions.append(_suppress(delivery, Why.OTHER_CHANNEL_TOLD))
        return
    if (worthless := why_worthless(situation, plan, delivery)) is not None:
        plan.decisions.append(_suppress(delivery, worthless))
        return
    contact = next((contact for contact in situation.contacts if contact.role == delivery.recipient), None)
    tried = frozenset(d.channel for d in same)
    channels = _stand_ins(situation, plan, delivery, contact, tried) if contact else []
    if contact is None or not channels:
        _give_up(situation, plan, delivery, reason)
        return
    plan_message(
        situation, plan, kind=delivery.kind, ref=delivery.shipment_ref, occurrence=delivery.occurrence, contact=contact,
        channel=channels[0], hints=Hints(happened_at=situation.now), reason=reason, copy_of=delivery.id,
    )  # fmt: skip


def _stand_ins(
    situation: Situation, plan: Plan, delivery: DeliveryView, contact: Contact, tried: frozenset[Channel]
) -> list[Channel]:
    policy, kind = situation.brand.policy, delivery.kind
    unwanted = {channel for channel in Channel if is_off(kind, channel, contact, policy)}
    call = calls_for(situation, plan, contact, kind=kind, ref=delivery.shipment_ref)
    return choose(kind, contact, policy, tried=tried | unwanted, call=call)


def _give_up(situation: Situation, plan: Plan, delivery: DeliveryView, reason: Why) -> None:
    plan.decisions.append(_suppress(delivery, Why.NO_CHANNEL))
    if reason is Why.NO_RECEIPT:
        return  # its provider has it, or still tries; there is only no other way to make sure
    plan.unreachable.append(delivery.id)
    if delivery.recipient == CUSTOMER:
        open_case(situation, plan, CaseKind.UNREACHABLE, "", reason=Why.CUSTOMER_UNREACHABLE, detail=delivery.kind)


def _same_message(one: DeliveryView, other: DeliveryView) -> bool:
    return (one.kind, one.shipment_ref, one.occurrence, one.recipient) == (
        other.kind, other.shipment_ref, other.occurrence, other.recipient,
    )  # fmt: skip


def _silent(delivery: DeliveryView, situation: Situation) -> bool:
    """Given to its provider long ago and never confirmed, where confirmation was due."""
    due = delivery.receipt_due_at
    return delivery.state in TAKEN and due is not None and due <= situation.now


def _suppress(delivery: DeliveryView, reason: Why) -> Suppress:
    return Suppress(
        reason=reason, message_kind=delivery.kind, shipment_ref=delivery.shipment_ref, occurrence=delivery.occurrence,
        recipient=delivery.recipient, channel=delivery.channel, inputs={"was": delivery.state, "why": delivery.reason},
    )  # fmt: skip
