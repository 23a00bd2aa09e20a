"""How far an order and each of its parcels have come, as the few steps a customer thinks in."""

from dataclasses import dataclass
from typing import Literal

from ordertrail.domain.document import OrderDocument, ShipmentView
from ordertrail.domain.vocabulary import Fulfilment, OrderStatus, ShipmentStatus

_O = OrderStatus
_S = ShipmentStatus

StepKey = Literal["placed", "preparing", "on_the_way", "out", "ready", "done", "collected"]
StepState = Literal["done", "current", "todo"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; exactly one step of an order is `current`."""

    key: StepKey
    state: StepState


_PARCEL: tuple[StepKey, ...] = ("placed", "preparing", "on_the_way", "out", "done")
_TO_POINT: tuple[StepKey, ...] = ("placed", "preparing", "on_the_way", "ready", "collected")
_OWN_FLEET: tuple[StepKey, ...] = ("placed", "preparing", "on_the_way", "done")
_PICKUP: tuple[StepKey, ...] = ("placed", "preparing", "ready", "collected")

_STEPS: dict[Fulfilment, tuple[StepKey, ...]] = {
    Fulfilment.PARCEL: _PARCEL,
    Fulfilment.OWN_FLEET: _OWN_FLEET,
    Fulfilment.PICKUP: _PICKUP,
}

_REACHED: dict[OrderStatus, StepKey] = {
    _O.PLACED: "placed",
    _O.PROCESSING: "preparing",
    _O.PACKED: "preparing",
    _O.BACKORDERED: "preparing",
    _O.PARTIALLY_SHIPPED: "on_the_way",
    _O.SHIPPED: "on_the_way",
    _O.OUT_FOR_DELIVERY: "out",
    _O.READY_FOR_PICKUP: "ready",
    _O.PARTIALLY_DELIVERED: "on_the_way",
    _O.DELIVERED: "done",
}
"""An order on hold or in need of attention stands where its parcels are; the others below have no steps at all."""
_OVER = frozenset({_O.RETURNING, _O.RETURNED, _O.CANCELLED})
_PARCEL_OVER = frozenset({_S.RETURNING, _S.RETURNED, _S.CANCELLED})
_NOT_LEFT = frozenset({_S.UNKNOWN, _S.LABEL_CREATED, _S.CANCELLED})
_PARCEL_REACHED: dict[ShipmentStatus, StepKey] = {
    _S.UNKNOWN: "preparing",
    _S.LABEL_CREATED: "preparing",
    _S.PICKED_UP: "on_the_way",
    _S.IN_TRANSIT: "on_the_way",
    _S.OUT_FOR_DELIVERY: "out",
    _S.DELIVERY_ATTEMPTED: "out",
    _S.READY_FOR_PICKUP: "ready",
    _S.DELIVERED: "done",
}
"""A parcel that is held up stands where it was before; see `_parcel_reached`."""
# What a step is called where the fulfilment has no such step.
_ALIKE: dict[StepKey, tuple[StepKey, ...]] = {
    "out": ("on_the_way", "preparing"),
    "on_the_way": ("preparing",),
    "ready": ("on_the_way",),
    "done": ("collected",),
}


def progress(document: OrderDocument) -> tuple[Step, ...]:
    """The steps of the order, or none where it goes no further (cancelled, going back)."""
    if document.status in _OVER:
        return ()
    keys = _STEPS[document.fulfilment]
    if document.fulfilment is Fulfilment.PARCEL and any(_collected_at_point(each) for each in document.shipments):
        keys = _TO_POINT
    return _steps(keys, _REACHED.get(document.status) or _where_parcels_are(document))


def parcel_progress(document: OrderDocument, parcel: ShipmentView) -> tuple[Step, ...]:
    """The same steps for one of the order's parcels, or none where the parcel or the order goes no further."""
    if document.status in _OVER or parcel.status in _PARCEL_OVER:
        return ()
    keys = _STEPS[document.fulfilment]
    if document.fulfilment is Fulfilment.PARCEL and _collected_at_point(parcel):
        keys = _TO_POINT
    return _steps(keys, _parcel_reached(parcel))


def steps_at(fulfilment: Fulfilment, reached: StepKey, *, to_point: bool = False) -> tuple[Step, ...]:
    """The steps of goods that have come as far as `reached`. `to_point`: the carrier brings them to a pickup point."""
    return _steps(_TO_POINT if to_point and fulfilment is Fulfilment.PARCEL else _STEPS[fulfilment], reached)


def _steps(keys: tuple[StepKey, ...], reached: StepKey) -> tuple[Step, ...]:
    at = keys.index(reached if reached in keys else next(key for key in _ALIKE[reached] if key in keys))
    return tuple(
        Step(key=key, state="current" if index == at else "done" if index < at else "todo")
        for index, key in enumerate(keys)
    )


def _collected_at_point(parcel: ShipmentView) -> bool:
    return parcel.status is _S.READY_FOR_PICKUP or parcel.pickup is not None


def _parcel_reached(parcel: ShipmentView) -> StepKey:
    reached = _PARCEL_REACHED.get(parcel.status)
    if reached:
        return reached
    before = (_PARCEL_REACHED.get(scan.status) for scan in parcel.scans)
    return next((step for step in before if step), "on_the_way" if parcel.shipped_at else "preparing")


def _where_parcels_are(document: OrderDocument) -> StepKey:
    left = any(parcel.shipped_at is not None or parcel.status not in _NOT_LEFT for parcel in document.shipments)
    return "on_the_way" if left else "preparing"
