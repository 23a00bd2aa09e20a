"""One shipment as policy sees it: what the OMS said of it, what its scans amount to, and what was promised."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.events import Envelope, PromiseChanged, ShipmentCreated, ShipmentShipped, TrackingEvent
from ordertrail.domain.fold import ShipmentFold, fold_shipment
from ordertrail.domain.order import CanonicalOrder, OrderLine, Shipment
from ordertrail.domain.ordering import Claim, Moment, only, standing
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import ReasonCode

_Statement = ShipmentCreated | ShipmentShipped
_PLAIN_FIELDS = ("carrier", "service_level", "tracking_number", "lines", "pickup")


class PromiseGiven(Stored):
    """A promise and where it came from: `order` (as placed) or `oms` (an event; then `event_id` names it)."""

    promise: Promise
    source: str
    occurred_at: Instant
    event_id: str | None = None
    reason_code: ReasonCode | None = None


class ShipmentState(Stored):
    """One parcel or drop of an order.

    `facts` are the OMS's newest words; `fold` the scans'. `shipped_at` is the OMS's `shipped`, or else the first scan
    that proves movement. `promise` is the shop's promise for this very shipment, if it made one (the carrier's is
    `fold.estimate`); `promise_history` ends with it. `lines` is what is in it, with this shipment's quantities.
    """

    ref: str
    facts: Shipment
    fold: ShipmentFold = ShipmentFold()
    shipped_at: Instant | None = None
    promise: Promise | None = None
    promise_history: tuple[PromiseGiven, ...] = ()
    lines: tuple[OrderLine, ...] = ()


def fold_shipments(
    order: CanonicalOrder, lines: Sequence[OrderLine], moments: Sequence[Moment[Any]], tracked: Iterable[Envelope]
) -> tuple[ShipmentState, ...]:
    """Every shipment the order or its events name, in the order in which they became known.

    `moments` are the order's own events in order; `tracked` the tracking entries, of any shipment and in any order.
    """
    placed = {shipment.ref: shipment for shipment in order.shipments}
    statements: list[Moment[_Statement]] = only(moments, ShipmentCreated, ShipmentShipped)
    refs = dict.fromkeys([*placed, *(moment.event.shipment.ref for moment in statements)])
    scans = _by_ref(tracked)
    return tuple(
        _fold_one(
            order,
            placed.get(ref, Shipment(ref=ref)),
            lines,
            [moment for moment in moments if _names(moment.event) == ref],
            scans.get(ref, []),
        )
        for ref in refs
    )


def _by_ref(tracked: Iterable[Envelope]) -> Mapping[str | None, list[Envelope]]:
    found: dict[str | None, list[Envelope]] = {}
    for entry in tracked:
        found.setdefault(entry.shipment_ref, []).append(entry)
    return found


def promise_history(
    placed: Promise | None, placed_at: Instant, claims: Iterable[Claim[Promise]]
) -> tuple[PromiseGiven, ...]:
    """Every promise that ever stood, from the one given with the order to the present one; repetitions left out."""
    history = [] if placed is None else [PromiseGiven(promise=placed, source="order", occurred_at=placed_at)]
    for claim in claims:
        if history and history[-1].promise == claim.value:
            continue
        event = claim.entry.event
        history.append(
            PromiseGiven(
                promise=claim.value,
                source="oms",
                occurred_at=claim.at,
                event_id=claim.entry.event_id,
                reason_code=None if isinstance(event, TrackingEvent) else getattr(event, "reason_code", None),
            )
        )
    return tuple(history)


def _names(event: object) -> str | None:
    """The shipment an order event speaks of, or None."""
    match event:
        case ShipmentCreated(shipment=shipment) | ShipmentShipped(shipment=shipment):
            return shipment.ref
        case PromiseChanged(shipment_ref=ref):
            return ref
        case _:
            return None


def _fold_one(
    order: CanonicalOrder,
    placed: Shipment,
    lines: Sequence[OrderLine],
    moments: Sequence[Moment[Any]],
    scans: Sequence[Envelope],
) -> ShipmentState:
    statements: list[Moment[_Statement]] = only(moments, ShipmentCreated, ShipmentShipped)
    fold = fold_shipment([*scans, *(moment.entry for moment in statements)])
    history = promise_history(placed.promise, order.placed_at, standing(moments, _promise))
    promise = history[-1].promise if history else None
    facts = _facts(placed, statements).model_copy(update={"promise": promise})
    handed_over = only(statements, ShipmentShipped)
    return ShipmentState(
        ref=placed.ref,
        facts=facts,
        fold=fold,
        shipped_at=handed_over[0].at if handed_over else fold.first_moved_at,
        promise=promise,
        promise_history=history,
        lines=_contents(facts, lines),
    )


def _promise(event: _Statement | PromiseChanged) -> Promise | None:
    return event.promise if isinstance(event, PromiseChanged) else event.shipment.promise


def _facts(placed: Shipment, statements: Sequence[Moment[_Statement]]) -> Shipment:
    """The shipment field by field: the newest word on each, and nothing unsaid by a later silence."""
    known = {name: _last_word(name, placed, statements) for name in _PLAIN_FIELDS}
    number = known["tracking_number"]
    # A link that came with an earlier number leads to another parcel: better none than that one.
    linked = [m for m in statements if m.event.shipment.tracking_number in (None, number)]
    first = placed if placed.tracking_number in (None, number) else Shipment(ref=placed.ref)
    return placed.model_copy(update={**known, "tracking_url": _last_word("tracking_url", first, linked)})


def _last_word(name: str, placed: Shipment, statements: Sequence[Moment[_Statement]]) -> Any:
    claims = standing(statements, lambda event: getattr(event.shipment, name) or None)
    return claims[-1].value if claims else getattr(placed, name)


def _contents(facts: Shipment, lines: Sequence[OrderLine]) -> tuple[OrderLine, ...]:
    """The order's lines that are in this shipment; an article the order does not have has no name to be shown by."""
    if not facts.lines:
        return tuple(lines)
    known = {line.sku: line for line in reversed(lines)}
    return tuple(
        known[part.sku].model_copy(update={"quantity": part.quantity}) for part in facts.lines if part.sku in known
    )
