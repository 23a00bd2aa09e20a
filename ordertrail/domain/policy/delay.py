"""Delays: which parts of an order run late and why, since when that is known, and when it could next change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ordertrail.domain.brand import Policy
from ordertrail.domain.ids import ORDER_SCOPE, jitter
from ordertrail.domain.order_state import OrderState, PromiseGiven, ShipmentState
from ordertrail.domain.policy.situation import Situation
from ordertrail.domain.promise import DatePromise, Promise
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, Condition, OrderStatus, ReasonCode, ShipmentStatus

_MOVING = frozenset({ShipmentStatus.PICKED_UP, ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY})
_NOT_LATE = TERMINAL_SHIPMENT | {ShipmentStatus.RETURNING, ShipmentStatus.READY_FOR_PICKUP}
"""Statuses in which a promise of delivery no longer runs: what is wrong then is told in another way."""
_ORDER_OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.DELIVERED, OrderStatus.RETURNED, OrderStatus.RETURNING})


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The part of an order that a delay is about: all of it (`key` empty), or one of several shipments."""

    key: str
    shipment: ShipmentState | None
    promise: Promise | None
    history: tuple[PromiseGiven, ...]
    whole_order: bool

    @property
    def shipment_ref(self) -> str:
        """The shipment a message about this scope shows."""
        return self.shipment.ref if self.shipment else ORDER_SCOPE


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a scope is late, since when, and the new date if there is one."""

    reason: ReasonCode
    since: datetime
    promise: Promise | None = None
    missed: bool = False


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Where a scope stands. `causes`: the gravest first; `changes_at`: instants at which time alone may change it."""

    scope: Scope
    causes: tuple[Cause, ...]
    conditions: tuple[Condition, ...]
    changes_at: tuple[datetime, ...]


def scopes(state: OrderState) -> list[Scope]:
    """The parts of the order whose delays are told apart. Up to one shipment: the order is one scope."""
    if state.status in _ORDER_OVER:
        return []
    if len(state.shipments) <= 1:
        only = state.shipments[0] if state.shipments else None
        if only is not None and only.fold.status in _NOT_LATE:
            return []
        own = only is not None and only.promise is not None
        history = state.promise_history + (only.promise_history if only else ())
        promise = only.promise if only is not None and own else state.promise
        return [Scope(key=ORDER_SCOPE, shipment=only, promise=promise, history=history, whole_order=True)]
    found = [
        Scope(key=s.ref, shipment=s, promise=s.promise, history=s.promise_history, whole_order=False)
        for s in state.shipments
        if s.fold.status not in _NOT_LATE
    ]
    if any(scope.promise is None for scope in found):
        found.append(
            Scope(
                key=ORDER_SCOPE, shipment=None, promise=state.promise, history=state.promise_history, whole_order=True
            )
        )
    return found


def assess(situation: Situation, scope: Scope) -> Assessment:
    """Judge one scope at `situation.now`."""
    policy = situation.brand.policy
    clocks = list(_clocks(situation, scope))
    fallen = [cause for at, cause in clocks if at <= situation.now]
    causes = [cause for cause in fallen if cause.missed]
    causes += _known_causes(situation, scope, policy)
    causes += [cause for cause in fallen if not cause.missed]
    raised = set()
    if any(cause.reason is not ReasonCode.NO_SCANS for cause in causes):
        raised.add(Condition.DELAYED)
    if any(cause.reason is ReasonCode.NO_SCANS for cause in causes):
        raised.add(Condition.STALE)
    if not causes and _estimate_slips(scope, timedelta(0)):
        raised.add(Condition.AT_RISK)
    changes = tuple(at for at, _ in clocks if at > situation.now)
    return Assessment(scope=scope, causes=tuple(causes), conditions=tuple(sorted(raised)), changes_at=changes)


def missed_at(situation: Situation, promise: Promise) -> datetime:
    """When a promise counts as missed: its end, the brand's grace, and for a date a spread over the jitter span."""
    policy = situation.brand.policy
    spread = jitter(situation.order_id, policy.jitter) if isinstance(promise, DatePromise) else timedelta(0)
    return promise.ends() + policy.promise_grace + spread


def hysteresis(promise: Promise, policy: Policy) -> timedelta:
    """How much later a promise may become without being a delay; a window is a sharper promise than a day."""
    return policy.promise_hysteresis if isinstance(promise, DatePromise) else policy.promise_hysteresis / 4


def later_than(new: Promise, old: Promise, policy: Policy) -> bool:
    """Whether `new` is later than `old` by more than the hysteresis."""
    return new.ends() - old.ends() > hysteresis(old, policy)


def _clocks(situation: Situation, scope: Scope) -> Iterator[tuple[datetime, Cause]]:
    """What becomes true by the mere passing of time, and when."""
    policy, order = situation.brand.policy, situation.order
    if scope.promise is not None:
        at = missed_at(situation, scope.promise)
        hope = scope.shipment.fold.estimate if scope.shipment else None
        later = hope if hope is not None and hope.ends() > situation.now else None
        yield at, Cause(reason=ReasonCode.PROMISE_MISSED, since=at, promise=later, missed=True)
    shipped = any(shipment.shipped_at for shipment in situation.state.shipments)
    if order.ship_by is not None and scope.whole_order and not shipped:
        at = order.ship_by + policy.ship_by_grace + jitter(situation.order_id, policy.jitter)
        yield at, Cause(reason=ReasonCode.SHIP_BY_MISSED, since=at)
    fold = scope.shipment.fold if scope.shipment else None
    if fold is not None and fold.status in _MOVING and fold.last_scan_at is not None:
        service = (scope.shipment.facts.service_level if scope.shipment else None) or ""
        at = fold.last_scan_at + policy.silence_by_service.get(service, policy.silence)
        if fold.carrier_stale:
            at = fold.last_scan_at
        yield at, Cause(reason=ReasonCode.NO_SCANS, since=at)


def _known_causes(situation: Situation, scope: Scope, policy: Policy) -> list[Cause]:
    """What somebody has told us."""
    causes: list[Cause] = []
    fold = scope.shipment.fold if scope.shipment else None
    if fold is not None and fold.carrier_delayed:
        reason = fold.carrier_delay_reason or ReasonCode.CARRIER_DELAY
        causes.append(Cause(reason=reason, since=fold.carrier_delayed_at or situation.now, promise=fold.estimate))
    elif fold is not None and scope.promise is not None and _estimate_slips(scope, hysteresis(scope.promise, policy)):
        since = fold.estimate_at or situation.now
        causes.append(Cause(reason=ReasonCode.CARRIER_DELAY, since=since, promise=fold.estimate))
    if scope.whole_order:
        causes += [
            Cause(reason=blocker.reason_code, since=blocker.since, promise=blocker.promise)
            for blocker in situation.state.open_blockers
            if blocker.kind == "backordered"
        ]
    if len(scope.history) > 1 and later_than(scope.history[-1].promise, scope.history[0].promise, policy):
        moved = scope.history[-1]
        reason = moved.reason_code or ReasonCode.PROMISE_MOVED
        causes.append(Cause(reason=reason, since=moved.occurred_at, promise=moved.promise))
    return causes


def _estimate_slips(scope: Scope, slack: timedelta) -> bool:
    estimate = scope.shipment.fold.estimate if scope.shipment else None
    return estimate is not None and scope.promise is not None and estimate.ends() - scope.promise.ends() > slack
