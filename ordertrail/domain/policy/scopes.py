"""The parts of an order whose delays are told apart, and what the customer was promised for each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ordertrail.domain.brand import Policy
from ordertrail.domain.ids import ORDER_SCOPE, jitter
from ordertrail.domain.order_state import OrderState, PromiseGiven, ShipmentState
from ordertrail.domain.policy.situation import Situation
from ordertrail.domain.promise import DatePromise, Promise
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, OrderStatus, ReasonCode, ShipmentStatus

_S = ShipmentStatus
_NOT_LATE = TERMINAL_SHIPMENT | {_S.RETURNING, _S.READY_FOR_PICKUP}
"""Statuses in which a promise of delivery no longer runs: what is wrong then is told in another way."""
_HOPELESS = frozenset({ReasonCode.LOST, ReasonCode.DAMAGED, ReasonCode.REFUSED})
"""Exceptions after which a date is no longer the question."""
_ORDER_OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.DELIVERED, OrderStatus.RETURNED, OrderStatus.RETURNING})
_WINDOW_IS_SHARPER = 4
"""A window is a sharper promise than a day: grace and hysteresis are that many times smaller."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The part of an order that a delay is about: all of it (`key` empty), or one of several shipments.

    `promise` is the one whose passing makes this scope late; `expected` what the customer expects of it, which may be
    the whole order's promise. `history` is every promise that stood for this scope, in order of time.
    """

    key: str
    shipment: ShipmentState | None
    promise: Promise | None
    expected: Promise | None
    history: tuple[PromiseGiven, ...]
    whole_order: bool

    @property
    def shipment_ref(self) -> str:
        """The shipment a message about this scope shows."""
        return self.shipment.ref if self.shipment else ORDER_SCOPE


def scopes(state: OrderState) -> list[Scope]:
    """The parts of the order that can be late now. Up to one shipment: the order is one scope."""
    if state.cancelled_at is not None or state.status in _ORDER_OVER:
        return []
    live = [shipment for shipment in state.shipments if not _decided_otherwise(shipment)]
    if len(state.shipments) <= 1 and len(live) == len(state.shipments):
        return [_only(state, live[0] if live else None)]
    found = [
        Scope(
            key=s.ref, shipment=s, promise=s.promise, expected=s.promise or state.promise, history=s.promise_history,
            whole_order=False,
        )
        for s in live
    ]  # fmt: skip
    rest_unknown = not live and state.status in (OrderStatus.PARTIALLY_DELIVERED, OrderStatus.PARTIALLY_SHIPPED)
    if rest_unknown or any(scope.promise is None for scope in found):
        found.append(_whole(state))
    return found


def _decided_otherwise(shipment: ShipmentState) -> bool:
    fold = shipment.fold
    hopeless = fold.status is _S.EXCEPTION and (fold.reason_code in _HOPELESS or fold.reversed_delivery)
    return hopeless or fold.status in _NOT_LATE


def _only(state: OrderState, shipment: ShipmentState | None) -> Scope:
    """An order that is one parcel: what was promised for the one was promised for the other; the newest word counts."""
    own = shipment.promise_history if shipment else ()
    history = tuple(sorted((*state.promise_history, *own), key=lambda given: given.occurred_at))
    promise = history[-1].promise if history else None
    return Scope(
        key=ORDER_SCOPE, shipment=shipment, promise=promise, expected=promise, history=history, whole_order=True
    )


def _whole(state: OrderState) -> Scope:
    return Scope(
        key=ORDER_SCOPE, shipment=None, promise=state.promise, expected=state.promise, history=state.promise_history,
        whole_order=True,
    )  # fmt: skip


def missed_at(situation: Situation, promise: Promise) -> datetime:
    """When a promise counts as missed: its end, the brand's grace, and for a date a spread over the jitter span."""
    policy = situation.brand.policy
    if isinstance(promise, DatePromise):
        return promise.ends() + policy.promise_grace + jitter(situation.order_id, policy.jitter)
    return promise.ends() + policy.promise_grace / _WINDOW_IS_SHARPER


def hysteresis(promise: Promise, policy: Policy) -> timedelta:
    """How much later a promise may become without being a delay."""
    whole = policy.promise_hysteresis
    return whole if isinstance(promise, DatePromise) else whole / _WINDOW_IS_SHARPER


def later_than(new: Promise, old: Promise, policy: Policy) -> bool:
    """Whether `new` is later than `old` by more than the hysteresis."""
    return new.ends() - old.ends() > hysteresis(old, policy)
