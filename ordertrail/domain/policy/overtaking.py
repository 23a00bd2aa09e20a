"""When a message that has not left yet is worth nothing any more: something newer is told, or it is no longer true."""

from collections.abc import Mapping
from types import MappingProxyType

from ordertrail.domain.decisions import Why
from ordertrail.domain.order_state import OrderState
from ordertrail.domain.policy.situation import DeliveryView, Plan, Situation
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, MessageKind, OrderStatus, ShipmentStatus

_K, _S = MessageKind, ShipmentStatus

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

_REPLACED_BY: Mapping[MessageKind, frozenset[MessageKind]] = MappingProxyType(
    {
        _K.IN_TRANSIT: frozenset({_K.IN_TRANSIT, _K.BACK_ON_TRACK}),
        _K.OUT_FOR_DELIVERY: frozenset({_K.OUT_FOR_DELIVERY, _K.DELIVERY_ATTEMPTED}),
        _K.DELIVERY_ATTEMPTED: frozenset({_K.DELIVERY_ATTEMPTED}),
        _K.DELAY: frozenset({_K.DELAY, _K.BACK_ON_TRACK}),
        _K.BACK_ON_TRACK: frozenset({_K.DELAY, _K.ISSUE, _K.BACK_ON_TRACK}),
        _K.DELIVERED: frozenset({_K.CORRECTION}),
    }
)
"""What besides a higher rank makes a waiting message about the same shipment worthless, when it is told later."""

_TRUE_WHILE: Mapping[MessageKind, frozenset[ShipmentStatus]] = MappingProxyType(
    {
        _K.IN_TRANSIT: frozenset({_S.PICKED_UP, _S.IN_TRANSIT}),
        _K.OUT_FOR_DELIVERY: frozenset({_S.OUT_FOR_DELIVERY}),
        _K.READY_FOR_PICKUP: frozenset({_S.READY_FOR_PICKUP}),
        _K.DELIVERY_ATTEMPTED: frozenset(
            {_S.DELIVERY_ATTEMPTED, _S.PICKED_UP, _S.IN_TRANSIT, _S.ON_HOLD, _S.EXCEPTION}
        ),
        _K.ISSUE: frozenset({_S.ON_HOLD, _S.EXCEPTION, _S.RETURNING, _S.PICKED_UP}),
        _K.DELIVERED: frozenset({_S.DELIVERED}),
    }
)
"""The statuses in which a message about a shipment still helps; kinds not here do not depend on one."""

_ENDED = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.RETURNED})


def why_worthless(situation: Situation, plan: Plan, delivery: DeliveryView) -> Why | None:
    """The reason not to send what is still waiting, or None."""
    ref, rank = delivery.shipment_ref, RANK.get(delivery.kind)
    if rank is None:
        return None
    replaced = _REPLACED_BY.get(delivery.kind, frozenset())
    newer = [m.kind for m in plan.messages if m.copy_of is None and _same_subject(situation, m.shipment_ref, ref)]
    if any(kind in replaced or RANK.get(kind, 0) > rank for kind in newer):
        return Why.OVERTAKEN
    if _over(situation.state, ref) and rank < RANK[_K.DELIVERED]:
        return Why.OVERTAKEN
    return None if _still_true(situation.state, delivery) else Why.NO_LONGER_TRUE


def _same_subject(situation: Situation, one: str, other: str) -> bool:
    """In an order of one parcel, the order and the parcel are the same to the customer."""
    return one == other or ("" in (one, other) and len(situation.state.shipments) <= 1)


def _over(state: OrderState, ref: str) -> bool:
    shipment = state.shipment(ref)
    if state.cancelled_at is not None and state.status is OrderStatus.CANCELLED:
        return True
    return shipment.fold.status in TERMINAL_SHIPMENT if shipment else state.status in _ENDED


def _still_true(state: OrderState, delivery: DeliveryView) -> bool:
    shipment = state.shipment(delivery.shipment_ref)
    if shipment is None:
        blocked = any(blocker.kind != "backordered" for blocker in state.open_blockers)
        return delivery.kind is not _K.ISSUE or blocked
    return shipment.fold.status in _TRUE_WHILE.get(delivery.kind, frozenset(_S))
