"""News about one shipment: its present status compared with what was last told of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ordertrail.domain.decisions import Why
from ordertrail.domain.events import ShipmentShipped
from ordertrail.domain.order_state import ShipmentState
from ordertrail.domain.policy.belief import PROBLEMS, is_believed, is_settled, reasons
from ordertrail.domain.policy.memory import ShipmentMemory
from ordertrail.domain.policy.news import Mark, News, shipment_told, told
from ordertrail.domain.policy.situation import Hints, Situation
from ordertrail.domain.vocabulary import CaseKind, Fulfilment, MessageKind, ReasonCode, ShipmentStatus

_K, _S = MessageKind, ShipmentStatus

KIND_OF: Mapping[ShipmentStatus, MessageKind] = MappingProxyType(
    {
        _S.IN_TRANSIT: _K.IN_TRANSIT,
        _S.OUT_FOR_DELIVERY: _K.OUT_FOR_DELIVERY,
        _S.DELIVERY_ATTEMPTED: _K.DELIVERY_ATTEMPTED,
        _S.READY_FOR_PICKUP: _K.READY_FOR_PICKUP,
        _S.ON_HOLD: _K.ISSUE,
        _S.EXCEPTION: _K.ISSUE,
        _S.DELIVERED: _K.DELIVERED,
        _S.RETURNING: _K.ISSUE,
        _S.RETURNED: _K.RETURNED,
        _S.CANCELLED: _K.CANCELLED,
    }
)
"""What a status is told as; those not here are told as `shipped`, or not at all."""

_SHIPPED_IS_NEWS = frozenset({_S.UNKNOWN, _S.LABEL_CREATED, _S.PICKED_UP, _S.IN_TRANSIT})
_ON_THE_MOVE = frozenset({_S.PICKED_UP, _S.IN_TRANSIT})
_GOING_OUT = _ON_THE_MOVE | {_S.OUT_FOR_DELIVERY, _S.DELIVERY_ATTEMPTED, _S.READY_FOR_PICKUP, _S.DELIVERED}
_NOT_DELIVERED = (_GOING_OUT | PROBLEMS | {_S.RETURNING}) - {_S.DELIVERED}
"""What contradicts a delivery that the customer was told of; a return to the sender has a message of its own."""

_CASE_BY_REASON: Mapping[ReasonCode | None, CaseKind] = MappingProxyType(
    {
        ReasonCode.DAMAGED: CaseKind.DAMAGED,
        ReasonCode.LOST: CaseKind.LOST,
        ReasonCode.ADDRESS_ISSUE: CaseKind.UNDELIVERABLE,
        ReasonCode.REFUSED: CaseKind.UNDELIVERABLE,
        ReasonCode.NOT_COLLECTED: CaseKind.UNDELIVERABLE,
    }
)
MANY_ATTEMPTS = 3
"""At the how-manyeth failed attempt a person steps in; carriers return a parcel after three."""


def shipment_news(situation: Situation, shipment: ShipmentState) -> Iterator[News]:
    """`shipped` if it is due, then what the present status means to the customer."""
    memory = situation.memory.shipment(shipment.ref)
    shipped = _shipped(situation, shipment, memory)
    if shipped is not None:
        yield shipped
    recent = situation.now - situation.brand.policy.late_after
    just_shipped = shipped is not None and shipped.unsaid is None and shipped.occurred_at >= recent
    if not is_settled(shipment, memory):
        if shipment.fold.since is not None:
            yield _status(situation, shipment, memory, just_shipped=just_shipped)
    else:
        yield from _new_milestone(situation, shipment, memory, just_shipped=just_shipped)
    yield from _goes_out_all_the_same(situation, shipment)


def _shipped(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory) -> News | None:
    if shipment.shipped_at is None or memory.shipped_told or situation.order.fulfilment is Fulfilment.PICKUP:
        return None
    parcel = situation.order.fulfilment is Fulfilment.PARCEL
    unsaid = Why.PERSON_DECIDES if situation.state.cancelled_at is not None else None
    if shipment.fold.status not in _SHIPPED_IS_NEWS:
        unsaid = Why.OVERTAKEN
    return News(
        kind=_K.SHIPPED,
        name="shipped",
        shipment_ref=shipment.ref,
        hints=Hints(happened_at=shipment.shipped_at, promise=situation.state.promise_of(shipment.ref)),
        mark=shipment_told(shipment.ref, shipped_told=True),
        event_ids=_reports_of_shipping(situation, shipment),
        unsaid=unsaid,
        ready=not parcel or shipment.facts.tracking_number is not None,
    )


def _reports_of_shipping(situation: Situation, shipment: ShipmentState) -> tuple[str, ...]:
    """The events of this step that say so: the shop's own word, or else the scan."""
    words = [
        entry.event_id
        for entry in situation.batch
        if isinstance(entry.event, ShipmentShipped) and entry.event.shipment.ref == shipment.ref
    ]
    return tuple(words) or tuple(episode.event_id for episode in shipment.fold.episodes[-1:])


def _status(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory, *, just_shipped: bool) -> News:
    fold = shipment.fold
    kind = _kind(situation, shipment, memory)
    news = News(
        kind=kind or _K.IN_TRANSIT,
        name=f"{fold.status}:{fold.since}",
        shipment_ref=shipment.ref,
        hints=_hints(situation, shipment),
        mark=_decided(shipment, memory),
        believe=_believes(shipment),
        event_ids=(fold.episodes[-1].event_id,) if fold.episodes else (),
        unsaid=_unsaid(situation, shipment, memory, kind, just_shipped=just_shipped),
        case=_case(shipment, kind),
        instead=_K.IN_TRANSIT if kind is _K.BACK_ON_TRACK else None,
    )
    return replace(news, name=f"{news.name}:{fold.milestone}") if kind is _K.IN_TRANSIT else news


def _kind(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory) -> MessageKind | None:
    status = shipment.fold.status
    if memory.believes is _S.DELIVERED and status in _NOT_DELIVERED:
        return _K.CORRECTION
    if memory.believes in PROBLEMS and status is _S.IN_TRANSIT:
        return _K.BACK_ON_TRACK
    if status is _S.CANCELLED and (situation.state.cancelled_at is not None or shipment.shipped_at is None):
        return None  # told by the order's own message; or a label that was voided and perhaps printed anew
    return KIND_OF.get(status)


def _unsaid(
    situation: Situation, shipment: ShipmentState, memory: ShipmentMemory, kind: MessageKind | None, *,
    just_shipped: bool,
) -> Why | None:  # fmt: skip
    if situation.state.cancelled_at is not None and shipment.fold.status in _ON_THE_MOVE:
        return Why.PERSON_DECIDES
    if kind is None:
        return Why.NO_NEWS
    if kind is _K.IN_TRANSIT and just_shipped:
        return Why.OVERTAKEN
    return Why.ALREADY_TOLD if is_believed(situation, shipment, memory) else None


def _decided(shipment: ShipmentState, memory: ShipmentMemory) -> Mark:
    fold = shipment.fold
    return shipment_told(
        shipment.ref,
        told_status=fold.status,
        told_until=max(filter(None, (fold.since, fold.last_scan_at))),
        told_reasons=reasons(shipment) or memory.told_reasons,
        told_action=fold.action_required,
        told_milestones=memory.told_milestones | ({fold.milestone} if fold.milestone else set()),
    )


def _believes(shipment: ShipmentState) -> Mark:
    fold = shipment.fold
    return shipment_told(shipment.ref, believes=fold.status, believes_since=fold.since, told_attempt=fold.attempt_no)


def _new_milestone(
    situation: Situation, shipment: ShipmentState, memory: ShipmentMemory, *, just_shipped: bool
) -> Iterator[News]:
    """A further step of the journey within the same status; each is told once, in whatever order sources report."""
    fold = shipment.fold
    at = fold.milestone_at or fold.since
    fresh = fold.milestone is not None and fold.milestone not in memory.told_milestones
    if fold.status is not _S.IN_TRANSIT or not fresh or at is None:
        return
    unsaid = Why.OVERTAKEN if just_shipped else None
    yield News(
        kind=_K.IN_TRANSIT,
        name=f"milestone:{fold.milestone}",
        shipment_ref=shipment.ref,
        hints=Hints(
            happened_at=at, milestone=fold.milestone, promise=situation.state.promise_of(shipment.ref)
        ),
        mark=shipment_told(
            shipment.ref, told_milestones=memory.told_milestones | {fold.milestone}, told_until=fold.last_scan_at
        ),
        unsaid=Why.PERSON_DECIDES if situation.state.cancelled_at is not None else unsaid,
    )  # fmt: skip


def _goes_out_all_the_same(situation: Situation, shipment: ShipmentState) -> Iterator[News]:
    """What was cancelled is on its way to the customer: nothing to tell, but a person must know, once."""
    fold = shipment.fold
    anchor = f"cancelled_moving:{shipment.ref}"
    if fold.since is None or anchor in situation.memory.told or fold.status not in _GOING_OUT:
        return
    cancelled = situation.state.cancelled_at
    delivered_before = cancelled is not None and fold.status is _S.DELIVERED and fold.since <= cancelled
    if fold.moved_after_cancel or (cancelled is not None and not delivered_before):
        yield News(
            kind=_K.IN_TRANSIT,
            name=anchor,
            shipment_ref=shipment.ref,
            hints=Hints(happened_at=fold.since),
            mark=told(anchor),
            unsaid=Why.PERSON_DECIDES,
            case=CaseKind.MOVED_AFTER_CANCEL,
        )


def _hints(situation: Situation, shipment: ShipmentState) -> Hints:
    fold = shipment.fold
    return Hints(
        happened_at=fold.since or situation.now,
        reason_code=fold.reason_code,
        action_required=fold.action_required,
        attempt_no=fold.attempt_no or None,
        milestone=fold.milestone,
        promise=situation.state.promise_of(shipment.ref),
    )


def _case(shipment: ShipmentState, kind: MessageKind | None) -> CaseKind | None:
    fold = shipment.fold
    if kind is _K.CORRECTION:
        return CaseKind.REVERSAL
    if fold.status is _S.RETURNED:
        return CaseKind.RETURNED_TO_SENDER
    if fold.status is _S.RETURNING or (fold.status is _S.DELIVERY_ATTEMPTED and fold.attempt_no >= MANY_ATTEMPTS):
        return CaseKind.UNDELIVERABLE
    return _CASE_BY_REASON.get(fold.reason_code) if fold.status in PROBLEMS else None
