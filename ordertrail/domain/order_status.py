"""The status of a whole order, derived from its own events and its shipments by rules in order of weight."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ordertrail.domain.order import OrderLine, ShipmentLine
from ordertrail.domain.shipment_state import ShipmentState
from ordertrail.domain.vocabulary import OrderStatus, ShipmentStatus

_O = OrderStatus
_S = ShipmentStatus

BlockerKind = Literal["backordered", "out_of_stock", "on_hold"]
"""What can keep an order from going on, until it is cleared."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an order's status follows from. `blocked_by` are the blockers still open; `reached` the stages behind it."""

    shipments: Sequence[ShipmentState]
    lines: Sequence[OrderLine]
    cancelled: bool = False
    came_back: bool = False
    blocked_by: frozenset[BlockerKind] = frozenset()
    reached: frozenset[str] = frozenset()

    @property
    def live(self) -> list[ShipmentState]:
        """The shipments that count: a cancelled one was planned and given up."""
        return [shipment for shipment in self.shipments if shipment.fold.status is not _S.CANCELLED]

    def within(self, *statuses: ShipmentStatus) -> list[ShipmentState]:
        """The shipments in one of these statuses."""
        return [shipment for shipment in self.shipments if shipment.fold.status in statuses]

    @property
    def gone(self) -> list[ShipmentState]:
        return [shipment for shipment in self.live if shipment.shipped_at is not None]

    @property
    def all_gone(self) -> bool:
        return len(self.gone) == len(self.live) and self.covers(self.gone)

    @property
    def all_ended(self) -> bool:
        ended = self.within(_S.DELIVERED, _S.RETURNED)
        return bool(ended) and len(ended) == len(self.live)

    def covers(self, some: Sequence[ShipmentState]) -> bool:
        """Whether these shipments hold everything ordered.

        Shipments without lines do not say what is in them: then they hold everything only if they are all there are.
        """
        if not some:
            return False
        if any(not shipment.facts.lines for shipment in self.live):
            return len(some) == len(self.live)
        held = _by_sku(part for shipment in some for part in shipment.facts.lines)
        ordered = _by_sku(self.lines)
        return all(held.get(sku, 0) >= quantity for sku, quantity in ordered.items())


def _by_sku(parts: Iterable[OrderLine | ShipmentLine]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for part in parts:
        total[part.sku] = total.get(part.sku, Decimal(0)) + part.quantity
    return total


def _needs_attention(shipment: ShipmentState) -> bool:
    return shipment.fold.status in (_S.EXCEPTION, _S.ON_HOLD) or shipment.fold.action_required


def _goods_move(standing: Standing) -> bool:
    ended = (_S.RETURNED, _S.CANCELLED)
    return any(s.fold.first_moved_at is not None and s.fold.status not in ended for s in standing.shipments)


_RULES: tuple[tuple[OrderStatus, Callable[[Standing], bool]], ...] = (
    # A cancelled order is just that, unless goods are out there all the same: then they are what must be looked at.
    (_O.CANCELLED, lambda o: o.cancelled and not _goods_move(o)),
    (_O.ATTENTION, lambda o: any(_needs_attention(shipment) for shipment in o.live)),
    # What the customer sent back counts as the whole order; the OMS does not say how much of it came back.
    (_O.RETURNED, lambda o: o.all_ended and (o.came_back or not o.within(_S.DELIVERED))),
    (_O.DELIVERED, lambda o: o.all_ended and o.covers(o.within(_S.DELIVERED))),
    (_O.PARTIALLY_DELIVERED, lambda o: bool(o.within(_S.DELIVERED))),
    (_O.RETURNING, lambda o: bool(o.within(_S.RETURNING))),
    # A hold on what has left already holds nothing.
    (_O.ON_HOLD, lambda o: "on_hold" in o.blocked_by and not o.all_gone),
    (_O.READY_FOR_PICKUP, lambda o: bool(o.within(_S.READY_FOR_PICKUP))),
    (_O.OUT_FOR_DELIVERY, lambda o: bool(o.within(_S.OUT_FOR_DELIVERY))),
    (_O.SHIPPED, lambda o: o.all_gone),
    (_O.PARTIALLY_SHIPPED, lambda o: bool(o.gone)),
    (_O.BACKORDERED, lambda o: not o.blocked_by.isdisjoint({"backordered", "out_of_stock"})),
    (_O.PACKED, lambda o: "packed" in o.reached),
    # A label is printed by somebody who is at work on the order.
    (_O.PROCESSING, lambda o: "processing" in o.reached or bool(o.within(_S.LABEL_CREATED))),
    (_O.PLACED, lambda o: True),
)
"""The first rule that holds decides. A failed attempt without a needed action is still on its way: shipped."""


def order_status(standing: Standing) -> OrderStatus:
    """The order's status; total, so that every order has one."""
    return next(status for status, holds in _RULES if holds(standing))
