"""News about the order as a whole: its confirmation, its steps in the warehouse, what stops it, and its end."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ordertrail.domain.decisions import Why
from ordertrail.domain.ids import ORDER_SCOPE
from ordertrail.domain.order_state import Blocker, OrderState, StageReached
from ordertrail.domain.policy.memory import Memory
from ordertrail.domain.policy.news import News, told
from ordertrail.domain.policy.situation import Hints, Situation
from ordertrail.domain.vocabulary import CaseKind, MessageKind, OrderStatus, ReasonCode

_K = MessageKind
_BEFORE_SHIPPING = frozenset({OrderStatus.PLACED, OrderStatus.PROCESSING, OrderStatus.PACKED, OrderStatus.BACKORDERED,
                              OrderStatus.ON_HOLD})  # fmt: skip
_GONE = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.RETURNING, OrderStatus.RETURNED})
_ENDED = frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED})
_CASE_BY_REASON: Mapping[ReasonCode, CaseKind] = MappingProxyType(
    {ReasonCode.PAYMENT: CaseKind.PAYMENT, ReasonCode.FRAUD_REVIEW: CaseKind.PAYMENT}
)


def order_news(situation: Situation) -> Iterator[News]:
    """News about the order as a whole, oldest first."""
    order, state, memory = situation.order, situation.state, situation.memory
    if "confirmation" not in memory.told:
        yield _order(_K.ORDER_CONFIRMATION, "confirmation", Hints(happened_at=order.placed_at, promise=state.promise))
    yield from _changes(state, memory)
    yield from _steps(state, memory)
    yield from _blockers(state, memory)
    if state.cancelled_at is not None and "cancelled" not in memory.told:
        hints = Hints(happened_at=state.cancelled_at, reason_code=state.cancel_reason)
        yield _order(_K.CANCELLED, "cancelled", hints, state.cancelled_by)
    for refund in state.refunds:
        if (anchor := f"refund:{refund.refund_id}") not in memory.told:
            yield _order(_K.REFUNDED, anchor, Hints(happened_at=refund.occurred_at, refund=refund), refund.event_id)
    for back in state.returns:
        if (anchor := f"return:{back.return_id}") not in memory.told:
            yield _order(_K.RETURNED, anchor, Hints(happened_at=back.occurred_at), back.event_id)


def _order(kind: MessageKind, anchor: str, hints: Hints, event_id: str | None = None) -> News:
    return News(
        kind=kind, name=anchor, shipment_ref=ORDER_SCOPE, hints=hints, mark=told(anchor),
        event_ids=(event_id,) if event_id else (),
    )  # fmt: skip


def _changes(state: OrderState, memory: Memory) -> Iterator[News]:
    """What was changed about the order; several changes in a row are one piece of news."""
    untold = [s for s in state.stages if s.stage == "changed" and f"changed:{s.event_id}" not in memory.told]
    if untold:
        yield News(
            kind=_K.ORDER_UPDATE,
            name="changed",
            shipment_ref=ORDER_SCOPE,
            hints=Hints(
                happened_at=untold[-1].occurred_at,
                stage="changed",
                changes=tuple(change for stage in untold for change in stage.changes),
            ),
            mark=told(*(f"changed:{stage.event_id}" for stage in untold)),
            event_ids=tuple(stage.event_id for stage in untold),
            unsaid=Why.OVERTAKEN if state.cancelled_at is not None or state.status in _ENDED else None,
        )


def _steps(state: OrderState, memory: Memory) -> Iterator[News]:
    """Steps in the warehouse: only the newest untold one is news, and none once the goods have left."""
    steps = [(stage, _anchor(stage)) for stage in state.stages if stage.stage in ("processing", "packed")]
    untold = [(stage, anchor) for stage, anchor in steps if anchor not in memory.told]
    packed = any(stage.stage == "packed" for stage, _ in steps)
    # What is packed has been processed, whenever the shop says so.
    newest = next((anchor for stage, anchor in reversed(untold) if stage.stage == "packed" or not packed), None)
    over = state.status not in _BEFORE_SHIPPING
    for anchor in dict.fromkeys(anchor for _, anchor in untold):
        reports = [stage for stage, its_anchor in untold if its_anchor == anchor]  # a shop may say the same step often
        hints = Hints(happened_at=reports[0].occurred_at, stage=reports[0].stage)
        news = replace(_order(_K.ORDER_UPDATE, anchor, hints), event_ids=tuple(stage.event_id for stage in reports))
        yield replace(news, unsaid=Why.OVERTAKEN if over or anchor != newest else None)


def _anchor(stage: StageReached) -> str:
    return f"stage:{stage.stage}:{stage.shipment_ref or ''}"


def _blockers(state: OrderState, memory: Memory) -> Iterator[News]:
    """Out of stock and holds; a backorder is a delay and told as one."""
    for blocker in state.blockers:
        if blocker.kind == "backordered":
            continue
        if f"blocked:{blocker.event_id}" not in memory.told:
            yield _blocked(blocker, state)
        elif blocker.cleared_at is not None and f"cleared:{blocker.event_id}" not in memory.told:
            yield _cleared(blocker, state)


def _blocked(blocker: Blocker, state: OrderState) -> News:
    hints = Hints(
        happened_at=blocker.since, reason_code=blocker.reason_code, action_required=blocker.action_required,
        skus=blocker.skus,
    )  # fmt: skip
    anchor, cleared = f"blocked:{blocker.event_id}", f"cleared:{blocker.event_id}"
    news = _order(_K.ISSUE, anchor, hints, blocker.event_id)
    silent = replace(news, mark=told(anchor, cleared))
    if blocker.cleared_at is not None or state.cancelled_at is not None:
        return replace(silent, unsaid=Why.OVERTAKEN)
    if any(_repeats(blocker, other) for other in state.blockers):
        return replace(silent, unsaid=Why.ALREADY_TOLD)
    case = CaseKind.STOCK if blocker.kind == "out_of_stock" else _CASE_BY_REASON.get(blocker.reason_code)
    if _over(state):  # too late to stop anything, but a person may want to know of a payment that is in doubt
        return replace(silent, unsaid=Why.OVERTAKEN, case=case)
    return replace(news, case=case)


def _repeats(blocker: Blocker, other: Blocker) -> bool:
    """Whether `blocker` only says again what `other` had said and what still held."""
    before = (other.since, other.event_id) < (blocker.since, blocker.event_id)
    same = (other.kind, other.reason_code, other.skus) == (blocker.kind, blocker.reason_code, blocker.skus)
    held = other.cleared_at is None or other.cleared_at > blocker.since
    return before and same and held and other.action_required >= blocker.action_required


def _cleared(blocker: Blocker, state: OrderState) -> News:
    hints = Hints(
        happened_at=blocker.cleared_at or blocker.since,
        stage="restocked" if blocker.kind == "out_of_stock" else "released",
        skus=blocker.skus,
        promise=state.promise,
    )
    news = _order(_K.BACK_ON_TRACK, f"cleared:{blocker.event_id}", hints, blocker.cleared_by)
    return replace(news, instead=_K.ORDER_UPDATE, unsaid=Why.OVERTAKEN if _over(state) else None)


def _over(state: OrderState) -> bool:
    """Whether what concerns the warehouse no longer concerns the customer: all has left, or nothing will."""
    return state.cancelled_at is not None or state.status in _GONE
