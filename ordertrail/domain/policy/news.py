"""News: what the customer should know now and has not been told, read off the state; so it cannot depend on arrival."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ordertrail.domain.base import Instant
from ordertrail.domain.ids import ORDER_SCOPE
from ordertrail.domain.order_state import Blocker, OrderState, StageReached
from ordertrail.domain.policy.memory import Memory, ShipmentMemory
from ordertrail.domain.policy.situation import Hints, Situation
from ordertrail.domain.vocabulary import CaseKind, MessageKind, OrderStatus, ReasonCode

_K = MessageKind
_BEFORE_SHIPPING = frozenset({OrderStatus.PLACED, OrderStatus.PROCESSING, OrderStatus.PACKED, OrderStatus.BACKORDERED,
                              OrderStatus.ON_HOLD})  # fmt: skip

Mark = Callable[[Memory], Memory]
"""How memory changes once the news is told, or deliberately not told."""


@dataclass(frozen=True, kw_only=True)
class News:
    """One thing to tell. `name` tells it apart while it waits; `overtaken`: something later makes it worthless."""

    kind: MessageKind
    name: str
    shipment_ref: str
    hints: Hints
    mark: Mark
    event_ids: tuple[str, ...] = ()
    overtaken: bool = False
    ready: bool = True
    case: CaseKind | None = None

    @property
    def occurred_at(self) -> Instant:
        """When it happened."""
        return self.hints.happened_at


def told(*anchors: str) -> Mark:
    """Remember order-level anchors."""
    return lambda memory: memory.model_copy(update={"told": memory.told | set(anchors)})


def shipment_told(ref: str, **changes: object) -> Mark:
    """Remember changes of one shipment's memory."""

    def mark(memory: Memory) -> Memory:
        updated = memory.shipments.get(ref, ShipmentMemory()).model_copy(update=changes)
        return memory.model_copy(update={"shipments": {**memory.shipments, ref: updated}})

    return mark


def order_news(situation: Situation) -> Iterator[News]:
    """News about the order as a whole, oldest first."""
    order, state, memory = situation.order, situation.state, situation.memory
    if "confirmation" not in memory.told:
        yield _order(_K.ORDER_CONFIRMATION, "confirmation", Hints(happened_at=order.placed_at, promise=state.promise))
    yield from _stages(state, memory)
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


def _stages(state: OrderState, memory: Memory) -> Iterator[News]:
    """Steps in the warehouse: only the newest untold one is news, and none once the goods have left."""
    steps = [
        (stage, _stage_anchor(stage)) for stage in state.stages if stage.stage in ("processing", "packed", "changed")
    ]
    untold = [(stage, anchor) for stage, anchor in steps if anchor not in memory.told]
    over = state.status not in _BEFORE_SHIPPING
    newest = next((anchor for stage, anchor in reversed(untold) if stage.stage != "changed"), None)
    for stage, anchor in untold:
        hints = Hints(happened_at=stage.occurred_at, stage=stage.stage, changes=stage.changes)
        news = _order(_K.ORDER_UPDATE, anchor, hints, stage.event_id)
        passed = stage.stage != "changed" and (over or anchor != newest or _passed(stage, memory))
        yield replace(news, overtaken=passed or state.cancelled_at is not None)


def _stage_anchor(stage: StageReached) -> str:
    return (
        f"changed:{stage.event_id}" if stage.stage == "changed" else f"stage:{stage.stage}:{stage.shipment_ref or ''}"
    )


def _passed(stage: StageReached, memory: Memory) -> bool:
    """`processing` that arrives after `packed` was told."""
    return stage.stage == "processing" and any(anchor.startswith("stage:packed") for anchor in memory.told)


_BLOCKER_CASES = {ReasonCode.PAYMENT: CaseKind.PAYMENT, ReasonCode.FRAUD_REVIEW: CaseKind.PAYMENT}


def _blockers(state: OrderState, memory: Memory) -> Iterator[News]:
    """Out of stock and holds; a backorder is a delay and told as one."""
    for blocker in state.blockers:
        if blocker.kind == "backordered":
            continue
        anchor = f"blocked:{blocker.event_id}"
        if anchor not in memory.told:
            yield _blocked(blocker, anchor, state)
        elif blocker.cleared_at is not None and (cleared := f"cleared:{blocker.event_id}") not in memory.told:
            stage = "restocked" if blocker.kind == "out_of_stock" else "released"
            hints = Hints(happened_at=blocker.cleared_at, stage=stage, skus=blocker.skus)
            news = _order(_K.BACK_ON_TRACK, cleared, hints, blocker.cleared_by)
            yield replace(news, overtaken=state.cancelled_at is not None)


def _blocked(blocker: Blocker, anchor: str, state: OrderState) -> News:
    hints = Hints(
        happened_at=blocker.since, reason_code=blocker.reason_code, action_required=blocker.action_required,
        skus=blocker.skus,
    )  # fmt: skip
    news = _order(_K.ISSUE, anchor, hints, blocker.event_id)
    over = blocker.cleared_at is not None or state.cancelled_at is not None
    case = CaseKind.STOCK if blocker.kind == "out_of_stock" else _BLOCKER_CASES.get(blocker.reason_code)
    marks = told(anchor, f"cleared:{blocker.event_id}") if over else news.mark
    return replace(news, mark=marks, overtaken=over, case=None if over else case)
