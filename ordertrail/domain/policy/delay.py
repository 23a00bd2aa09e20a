"""Delays: why a part of an order runs late, since when that is known, and when time alone could change it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ordertrail.domain.brand import Policy
from ordertrail.domain.ids import jitter
from ordertrail.domain.policy.scopes import Scope, hysteresis, later_than, missed_at
from ordertrail.domain.policy.situation import Situation
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import Condition, ReasonCode, ShipmentStatus

MOVING = frozenset({ShipmentStatus.PICKED_UP, ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY})
"""Statuses in which scans are expected."""
_SAYS_NOTHING = frozenset({ReasonCode.NO_SCANS, ReasonCode.PROMISE_MISSED, ReasonCode.OTHER})
"""Reasons that only say that something is late, not why."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a scope is late, since when, and the new date if there is one. `missed`: a promise has passed."""

    reason: ReasonCode
    since: datetime
    promise: Promise | None = None
    missed: bool = False


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Where a scope stands. `causes`: the gravest first; `changes_at`: instants at which time alone may change it.

    `given_up_at`: when a silent parcel becomes a person's business.
    """

    scope: Scope
    causes: tuple[Cause, ...]
    conditions: tuple[Condition, ...]
    changes_at: tuple[datetime, ...]
    given_up_at: datetime | None = None

    @property
    def missed(self) -> bool:
        """Whether a promise has passed."""
        return any(cause.missed for cause in self.causes)

    @property
    def only_silent(self) -> bool:
        """Whether nothing is known but that no scan came."""
        return all(cause.reason is ReasonCode.NO_SCANS for cause in self.causes)

    @property
    def reason(self) -> ReasonCode:
        """The reason to give: the first that explains something."""
        told = (cause.reason for cause in self.causes if cause.reason not in _SAYS_NOTHING)
        return next(told, self.causes[0].reason)


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
    return Assessment(
        scope=scope,
        causes=tuple(causes),
        conditions=tuple(sorted(raised)),
        changes_at=tuple(at for at, _ in clocks if at > situation.now),
        given_up_at=_silent_at(situation, scope, patience=2),
    )


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
    silent = _silent_at(situation, scope, patience=1)
    if silent is not None:
        yield silent, Cause(reason=ReasonCode.NO_SCANS, since=silent)


def _silent_at(situation: Situation, scope: Scope, *, patience: int) -> datetime | None:
    """When a parcel on its way has been silent for `patience` times what its service level allows."""
    fold = scope.shipment.fold if scope.shipment else None
    if scope.shipment is None or fold is None or fold.status not in MOVING or fold.last_scan_at is None:
        return None
    if fold.carrier_stale and patience == 1:
        return fold.last_scan_at  # the carrier itself has given up expecting scans
    policy = situation.brand.policy
    allowed = policy.silence_by_service.get(scope.shipment.facts.service_level or "", policy.silence)
    return fold.last_scan_at + patience * allowed


def _known_causes(situation: Situation, scope: Scope, policy: Policy) -> list[Cause]:
    """What somebody has told us."""
    causes: list[Cause] = []
    fold = scope.shipment.fold if scope.shipment else None
    if fold is not None and fold.carrier_delayed:
        reason = fold.carrier_delay_reason or ReasonCode.CARRIER_DELAY
        causes.append(Cause(reason=reason, since=fold.carrier_delayed_at or situation.now, promise=fold.estimate))
    elif fold is not None and scope.expected is not None and _estimate_slips(scope, hysteresis(scope.expected, policy)):
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
    return estimate is not None and scope.expected is not None and estimate.ends() - scope.expected.ends() > slack
