"""The state of an order as a pure fold over its whole timeline; the heart that policy reads."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.events import (
    Change,
    DeliveryReport,
    Envelope,
    OrderBackordered,
    OrderCancelled,
    OrderChanged,
    OrderOnHold,
    OrderOutOfStock,
    OrderPacked,
    OrderProcessing,
    OrderRefunded,
    OrderReleased,
    OrderRestocked,
    OrderReturned,
    PromiseChanged,
    TrackingEvent,
)
from ordertrail.domain.message import OrderStage
from ordertrail.domain.order import CanonicalOrder, OrderLine, Totals
from ordertrail.domain.order_status import BlockerKind, Standing, order_status
from ordertrail.domain.ordering import Moment, in_order, only, standing
from ordertrail.domain.promise import Promise
from ordertrail.domain.shipment_state import PromiseGiven, ShipmentState, fold_shipments, promise_history
from ordertrail.domain.vocabulary import OrderStatus, ReasonCode

__all__ = [
    "Blocker",
    "GoodsReturned",
    "OrderState",
    "PromiseGiven",
    "Refund",
    "ShipmentState",
    "StageReached",
    "fold_order",
]

_STAGES = (OrderProcessing, OrderPacked, OrderChanged, OrderRestocked, OrderReleased)
_BLOCKERS = (OrderBackordered, OrderOutOfStock, OrderOnHold)
_CLEARED_BY: Mapping[BlockerKind, Literal["restocked", "released"]] = MappingProxyType(
    {"backordered": "restocked", "out_of_stock": "restocked", "on_hold": "released"}
)


class StageReached(Stored):
    """A step of the order's own story. `changes` belong to `changed`, `shipment_ref` to `packed`."""

    stage: OrderStage
    event_id: str
    occurred_at: Instant
    shipment_ref: str | None = None
    changes: tuple[Change, ...] = ()


class Blocker(Stored):
    """Something that keeps the order from going on; `cleared_at` None means it still does."""

    kind: BlockerKind
    event_id: str
    since: Instant
    reason_code: ReasonCode
    skus: tuple[str, ...] = ()
    action_required: bool = False
    promise: Promise | None = None
    cleared_at: Instant | None = None
    cleared_by: str | None = None


class Refund(Stored):
    """Money given back. `event_id` and `occurred_at` are of its first report, the rest of its newest."""

    refund_id: str
    event_id: str
    occurred_at: Instant
    amount: Decimal
    currency: str
    expected: Promise | None = None


class GoodsReturned(Stored):
    """Goods that came back to the shop after a delivery."""

    return_id: str
    event_id: str
    occurred_at: Instant


class OrderState(Stored):
    """Where an order stands. Instants are aware UTC; sequences are in order of time.

    `promise` is the shop's newest one for the whole order, the last of `promise_history`. `unplaced` are the ids of
    tracking events and promises for shipments that the order does not know (yet); `outdated` those of events whose
    source had told a newer version of the order before.
    """

    status: OrderStatus
    lines: tuple[OrderLine, ...]
    totals: Totals
    shipments: tuple[ShipmentState, ...] = ()
    stages: tuple[StageReached, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    cancelled_at: Instant | None = None
    cancelled_by: str | None = None
    cancel_reason: ReasonCode | None = None
    refunds: tuple[Refund, ...] = ()
    returns: tuple[GoodsReturned, ...] = ()
    promise: Promise | None = None
    promise_history: tuple[PromiseGiven, ...] = ()
    unplaced: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    @property
    def open_blockers(self) -> tuple[Blocker, ...]:
        """What keeps the order from going on now."""
        return tuple(blocker for blocker in self.blockers if blocker.cleared_at is None)

    def shipment(self, ref: str) -> ShipmentState | None:
        """The shipment with this ref, or None."""
        return next((shipment for shipment in self.shipments if shipment.ref == ref), None)

    def promise_of(self, ref: str) -> Promise | None:
        """What the customer was promised for this shipment: its own promise, or else the order's."""
        shipment = self.shipment(ref)
        return (shipment.promise if shipment else None) or self.promise


def fold_order(order: CanonicalOrder, entries: Sequence[Envelope]) -> OrderState:
    """Fold an order and its whole timeline, arrived in any order and any number of times, into its present state.

    Tracking entries count for the shipment in `entry.shipment_ref`, resolved beforehand.
    """
    tracked = [entry for entry in entries if isinstance(entry.event, TrackingEvent)]
    moments = in_order(e for e in entries if not isinstance(e.event, TrackingEvent | DeliveryReport))
    changed = only(moments, OrderChanged)
    lines = _last(changed, "lines", order.lines)
    shipments = fold_shipments(order, lines, moments, tracked)
    stages, blockers, returns = _stages(moments), _blockers(moments), _returns(moments)
    cancellations = only(moments, OrderCancelled)
    history = promise_history(order.promise, order.placed_at, standing(moments, _promise))
    status = order_status(
        Standing(
            shipments=shipments,
            lines=lines,
            cancelled=bool(cancellations),
            came_back=bool(returns),
            blocked_by=frozenset(blocker.kind for blocker in blockers if blocker.cleared_at is None),
            reached=frozenset(stage.stage for stage in stages),
        )
    )
    return OrderState(
        status=status,
        lines=lines,
        totals=_last(changed, "totals", order.totals),
        shipments=shipments,
        stages=stages,
        blockers=blockers,
        cancelled_at=cancellations[0].at if cancellations else None,
        cancelled_by=cancellations[0].entry.event_id if cancellations else None,
        cancel_reason=_last(cancellations, "reason_code", None),
        refunds=_refunds(moments),
        returns=returns,
        promise=history[-1].promise if history else None,
        promise_history=history,
        unplaced=_unplaced(entries, {shipment.ref for shipment in shipments}),
        outdated=_outdated(moments),
    )


def _last(moments: Sequence[Moment[Any]], fact: str, placed: Any) -> Any:
    """The newest word on a fact, or what was placed when there is none."""
    claims = standing(moments, lambda event: getattr(event, fact))
    return claims[-1].value if claims else placed


def _promise(event: object) -> Promise | None:
    """The promise an event makes for the whole order."""
    match event:
        case PromiseChanged(shipment_ref=None, promise=promise):
            return promise
        case OrderBackordered(promise=expected) | OrderRestocked(promise=expected):
            return expected
        case _:
            return None


def _stages(moments: Sequence[Moment[Any]]) -> tuple[StageReached, ...]:
    reached: list[Moment[Any]] = only(moments, *_STAGES)
    return tuple(
        StageReached(
            stage=moment.event.kind,
            event_id=moment.entry.event_id,
            occurred_at=moment.at,
            shipment_ref=getattr(moment.event, "shipment_ref", None),
            changes=getattr(moment.event, "changes", ()),
        )
        for moment in reached
    )


def _blockers(moments: Sequence[Moment[Any]]) -> tuple[Blocker, ...]:
    return tuple(_blocker(moment, moments) for moment in only(moments, *_BLOCKERS))


def _blocker(raised: Moment[Any], moments: Sequence[Moment[Any]]) -> Blocker:
    """One blocker, with the first event that cleared it; in the same instant the good news counts as the later one."""
    event = raised.event
    clearing = (m for m in moments if m.event.kind == _CLEARED_BY[event.kind] and m.at >= raised.at)
    cleared = next(clearing, None)
    return Blocker(
        kind=event.kind,
        event_id=raised.entry.event_id,
        since=raised.at,
        reason_code=event.reason_code,
        skus=getattr(event, "skus", ()),
        action_required=getattr(event, "action_required", False),
        promise=getattr(event, "promise", None),
        cleared_at=cleared.at if cleared else None,
        cleared_by=cleared.entry.event_id if cleared else None,
    )


def _refunds(moments: Sequence[Moment[Any]]) -> tuple[Refund, ...]:
    reports: dict[str, list[Moment[OrderRefunded]]] = {}
    for moment in only(moments, OrderRefunded):
        reports.setdefault(moment.event.refund_id, []).append(moment)
    return tuple(
        Refund(
            refund_id=refund_id,
            event_id=told[0].entry.event_id,
            occurred_at=told[0].at,
            amount=_last(told, "amount", None),
            currency=_last(told, "currency", None),
            expected=_last(told, "expected", None),
        )
        for refund_id, told in reports.items()
    )


def _returns(moments: Sequence[Moment[Any]]) -> tuple[GoodsReturned, ...]:
    first: dict[str, Moment[OrderReturned]] = {}
    for moment in only(moments, OrderReturned):
        first.setdefault(moment.event.return_id, moment)
    return tuple(
        GoodsReturned(return_id=return_id, event_id=moment.entry.event_id, occurred_at=moment.at)
        for return_id, moment in first.items()
    )


def _unplaced(entries: Sequence[Envelope], known: set[str]) -> tuple[str, ...]:
    astray = [e for e in entries if _meant_for(e) is not None and _meant_for(e) not in known]
    return tuple(moment.entry.event_id for moment in in_order(astray))


def _outdated(moments: Sequence[Moment[Any]]) -> tuple[str, ...]:
    newest: dict[str, int] = {}
    late = []
    for moment in moments:
        version, source = moment.entry.source_version, moment.entry.source
        if version is None:
            continue
        if version < newest.get(source, version):
            late.append(moment.entry.event_id)
        newest[source] = max(version, newest.get(source, version))
    return tuple(late)


def _meant_for(entry: Envelope) -> str | None:
    """The shipment that must be known before the entry can count; '' when scans were resolved to none."""
    match entry.event:
        case TrackingEvent():
            return entry.shipment_ref or ""
        case PromiseChanged(shipment_ref=ref):
            return ref
        case _:
            return None
