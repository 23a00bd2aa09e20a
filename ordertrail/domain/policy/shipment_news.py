"""News about one shipment: its present status compared with what was last told of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ordertrail.domain.order_state import ShipmentState
from ordertrail.domain.policy.memory import ShipmentMemory
from ordertrail.domain.policy.news import Mark, News, shipment_told
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

PROBLEMS = frozenset({_S.ON_HOLD, _S.EXCEPTION})
_SHIPPED_IS_NEWS = frozenset({_S.UNKNOWN, _S.LABEL_CREATED, _S.PICKED_UP, _S.IN_TRANSIT})

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
    if _has_been_told(shipment, memory):
        yield from _new_milestone(shipment, memory, just_shipped=shipped is not None)
    elif shipment.fold.since is not None:
        yield _status(situation, shipment, memory, just_shipped=shipped is not None)


def _has_been_told(shipment: ShipmentState, memory: ShipmentMemory) -> bool:
    """Whether the present episode is the one last told, however its first report may since have moved."""
    fold = shipment.fold
    if fold.status != memory.told_status or memory.told_until is None or fold.since is None:
        return False
    return fold.since <= memory.told_until and (fold.status not in PROBLEMS or fold.reason_code == memory.told_reason)


def _shipped(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory) -> News | None:
    if shipment.shipped_at is None or memory.shipped_told or situation.order.fulfilment is Fulfilment.PICKUP:
        return None
    parcel = situation.order.fulfilment is Fulfilment.PARCEL
    return News(
        kind=_K.SHIPPED,
        name="shipped",
        shipment_ref=shipment.ref,
        hints=Hints(happened_at=shipment.shipped_at, promise=situation.state.promise_of(shipment.ref)),
        mark=shipment_told(shipment.ref, shipped_told=True),
        event_ids=_reports_of_shipping(situation, shipment),
        overtaken=shipment.fold.status not in _SHIPPED_IS_NEWS,
        ready=not parcel or shipment.facts.tracking_number is not None,
    )


def _reports_of_shipping(situation: Situation, shipment: ShipmentState) -> tuple[str, ...]:
    """The events of this step that say so: the shop's own word, and the scans."""
    words = [e.event_id for e in situation.batch if e.kind == "shipped" and e.shipment_ref == shipment.ref]
    return (*words, *(episode.event_id for episode in shipment.fold.episodes[-1:]))


def _status(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory, *, just_shipped: bool) -> News:
    fold = shipment.fold
    kind = _kind(situation, shipment, memory)
    silent = kind is None or (kind is _K.IN_TRANSIT and just_shipped)
    news = News(
        kind=kind or _K.IN_TRANSIT,
        name=f"{fold.status}:{fold.since}",
        shipment_ref=shipment.ref,
        hints=_hints(situation, shipment),
        mark=_told_status(shipment, problem=kind in (_K.ISSUE, _K.CORRECTION), told=not silent),
        event_ids=(fold.episodes[-1].event_id,) if fold.episodes else (),
        overtaken=silent,
        case=_case(shipment, kind),
    )
    return replace(news, name=f"{news.name}:{fold.milestone}") if kind is _K.IN_TRANSIT else news


def _kind(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory) -> MessageKind | None:
    status = shipment.fold.status
    kind = KIND_OF.get(status)
    if memory.delivered_told and status in (_S.EXCEPTION, _S.RETURNING):
        return _K.CORRECTION
    if memory.problem_told and status is _S.IN_TRANSIT:
        return _K.BACK_ON_TRACK
    if status is _S.CANCELLED and situation.state.cancelled_at is not None:
        return None
    if situation.state.cancelled_at is not None and status in (_S.IN_TRANSIT, _S.PICKED_UP):
        return None  # moves after a cancellation: a person decides what to say
    return kind


def _told_status(shipment: ShipmentState, *, problem: bool, told: bool) -> Mark:
    fold = shipment.fold
    changes: dict[str, object] = {
        "told_status": fold.status,
        "told_reason": fold.reason_code,
        "told_until": max(filter(None, (fold.since, fold.last_scan_at))),
        "told_milestone": fold.milestone,
        "problem_told": problem,
    }
    if fold.status is _S.DELIVERED:
        changes["delivered_told"] = told
    return shipment_told(shipment.ref, **changes)


def _new_milestone(shipment: ShipmentState, memory: ShipmentMemory, *, just_shipped: bool) -> Iterator[News]:
    """A further step of the journey within the same status."""
    fold = shipment.fold
    if fold.status is _S.IN_TRANSIT and fold.milestone is not None and fold.milestone != memory.told_milestone:
        at = fold.milestone_at or fold.since
        if at is not None:
            yield News(
                kind=_K.IN_TRANSIT,
                name=f"milestone:{fold.milestone}",
                shipment_ref=shipment.ref,
                hints=Hints(happened_at=at, milestone=fold.milestone, promise=shipment.promise),
                mark=shipment_told(shipment.ref, told_milestone=fold.milestone, told_until=fold.last_scan_at),
                overtaken=just_shipped,
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
    if fold.moved_after_cancel:
        return CaseKind.MOVED_AFTER_CANCEL
    if kind is _K.CORRECTION:
        return CaseKind.REVERSAL
    if fold.status is _S.RETURNED:
        return CaseKind.RETURNED_TO_SENDER
    if fold.status is _S.RETURNING or (fold.status is _S.DELIVERY_ATTEMPTED and fold.attempt_no >= MANY_ATTEMPTS):
        return CaseKind.UNDELIVERABLE
    return _CASE_BY_REASON.get(fold.reason_code) if fold.status in PROBLEMS else None
