"""How far the goods have come as a message tells it."""

from typing import Literal

from ordertrail.domain.message import MessageFacts
from ordertrail.domain.vocabulary import MessageKind, ShipmentStatus
from ordertrail.messages.progress import Step, StepKey, steps_at

_K = MessageKind
_NEWS: dict[MessageKind, StepKey | Literal["as_it_stands"]] = {
    _K.ORDER_CONFIRMATION: "placed",
    _K.ORDER_UPDATE: "preparing",
    _K.SHIPPED: "on_the_way",
    _K.IN_TRANSIT: "on_the_way",
    _K.OUT_FOR_DELIVERY: "out",
    _K.READY_FOR_PICKUP: "ready",
    _K.DELIVERY_ATTEMPTED: "out",
    _K.DELIVERED: "done",
    _K.DELAY: "as_it_stands",
    _K.BACK_ON_TRACK: "as_it_stands",
}
"""How far each kind of news says the goods have come; the others are not about progress."""
_NOT_LEFT = frozenset({ShipmentStatus.UNKNOWN, ShipmentStatus.LABEL_CREATED, ShipmentStatus.CANCELLED})


def message_steps(facts: MessageFacts) -> tuple[Step, ...]:
    """The steps as the message's news leaves them; none for news that is not about progress.

    Of the parcel the message is about, where there is one: another parcel may be further or not as far.
    """
    reached = _NEWS.get(facts.kind)
    if reached is None:
        return ()
    if reached == "as_it_stands":
        gone = facts.shipment is not None and facts.shipment.status not in _NOT_LEFT
        reached = "on_the_way" if gone else "preparing"
    to_point = facts.pickup is not None or facts.kind is _K.READY_FOR_PICKUP
    return steps_at(facts.fulfilment, reached, to_point=to_point)
