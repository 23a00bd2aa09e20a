"""What goes wrong with an order, as the tracking page tells it: each trouble once, and with the parcel it is about."""

from dataclasses import dataclass
from typing import Literal

from ordertrail.domain.document import OrderDocument, ShipmentView
from ordertrail.domain.vocabulary import Condition, OrderStatus, ReasonCode, ShipmentStatus

_C = Condition
_O = OrderStatus
_S = ShipmentStatus

TroubleKind = Literal["problem", "attempted", "on_hold", "returning", "delayed", "silent", "backordered", "attention"]


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One thing to be told plainly. `parcel` is its number from 1 where there are several, else None."""

    kind: TroubleKind
    reason: ReasonCode | None = None
    parcel: int | None = None


_OF_PARCEL: dict[ShipmentStatus, TroubleKind] = {
    _S.EXCEPTION: "problem",
    _S.DELIVERY_ATTEMPTED: "attempted",
    _S.ON_HOLD: "on_hold",
    _S.RETURNING: "returning",
}
_OF_ORDER: dict[OrderStatus, TroubleKind] = {
    _O.ON_HOLD: "on_hold",
    _O.BACKORDERED: "backordered",
    _O.ATTENTION: "attention",
    _O.RETURNING: "returning",
}
# `at_risk` is our own guess: it is worth a person's attention, not a customer's worry.
_OF_CONDITION: dict[Condition, TroubleKind] = {_C.DELAYED: "delayed", _C.STALE: "silent"}
_OVER = frozenset({_O.DELIVERED, _O.RETURNED, _O.CANCELLED})
_PARCEL_OVER = frozenset({_S.DELIVERED, _S.RETURNED, _S.CANCELLED})


def troubles(document: OrderDocument) -> tuple[Trouble, ...]:
    """What the customer of this order should read first; empty when all is well or over.

    Troubles of parcels are told with their parcel; what is said of the order as a whole then only repeats them.
    """
    if document.status in _OVER:
        return ()
    several = len(document.shipments) > 1
    found = [
        trouble
        for number, parcel in enumerate(document.shipments, start=1)
        for trouble in _of_parcel(parcel, number if several else None)
    ]
    if found:
        return tuple(found)
    of_order = _OF_ORDER.get(document.status)
    general = [of_order] if of_order else [_OF_CONDITION[each] for each in document.conditions if each in _OF_CONDITION]
    reason = next((event.reason_code for event in document.events if event.reason_code), None)
    return tuple(Trouble(kind=kind, reason=reason) for kind in general)


def _of_parcel(parcel: ShipmentView, number: int | None) -> list[Trouble]:
    if parcel.status in _PARCEL_OVER:
        return []
    kinds = [_OF_PARCEL[parcel.status]] if parcel.status in _OF_PARCEL else []
    # A parcel that has met a problem is late because of it: one trouble, not two.
    kinds = kinds or [_OF_CONDITION[each] for each in parcel.conditions if each in _OF_CONDITION]
    return [Trouble(kind=kind, reason=parcel.reason_code, parcel=number) for kind in kinds]
