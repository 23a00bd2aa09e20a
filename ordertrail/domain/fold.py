"""The status of a shipment as a pure fold over all its tracking events; independent of the order of arrival."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, NamedTuple

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.events import Envelope, Place, ShipmentCreated, ShipmentShipped, TrackingEvent
from ordertrail.domain.order import PickupPoint
from ordertrail.domain.ordering import Moment, in_order, standing
from ordertrail.domain.promise import Promise
from ordertrail.domain.statuses import STAGE, UNKNOWN_SOURCE, Move, Reinterpret, Stay, source_precedence, transition
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, Milestone, ReasonCode, ShipmentStatus

_S = ShipmentStatus
_INDEX = {status: index for index, status in enumerate(ShipmentStatus)}
_LABEL_FACTS = (ShipmentCreated, ShipmentShipped)
_PROOF_OF_MOVEMENT = frozenset(
    {_S.PICKED_UP, _S.IN_TRANSIT, _S.OUT_FOR_DELIVERY, _S.DELIVERY_ATTEMPTED, _S.READY_FOR_PICKUP, _S.DELIVERED,
     _S.RETURNING, _S.RETURNED}
)  # fmt: skip
"""A hold or an exception may befall a parcel that nobody has picked up, so they prove nothing."""


class Episode(Stored):
    """A stretch of time in one status, from the event that moved the shipment there."""

    status: ShipmentStatus
    since: Instant
    event_id: str
    reason_code: ReasonCode | None = None
    attempt_no: int | None = None
    after: ShipmentStatus = ShipmentStatus.UNKNOWN


class ShipmentFold(Stored):
    """What all tracking events of one shipment amount to. Instants are aware UTC.

    `reason_code` and `action_required` are those of the present status. `attempt_no` is the number of the latest
    attempt. `first_moved_at` is the first scan that proves the goods left; `last_scan_at` the last scan of any kind.
    `milestone_at`, `carrier_delayed_at` and `estimate_at` tell since when the value has been what it is.
    `estimate` is the carrier's word on delivery to the customer; the shop's promises are kept elsewhere.
    """

    episodes: tuple[Episode, ...] = ()
    status: ShipmentStatus = ShipmentStatus.UNKNOWN
    since: Instant | None = None
    reason_code: ReasonCode | None = None
    action_required: bool = False
    attempt_no: int = 0
    first_moved_at: Instant | None = None
    last_scan_at: Instant | None = None
    milestone: Milestone | None = None
    milestone_at: Instant | None = None
    carrier_delayed: bool = False
    carrier_delayed_at: Instant | None = None
    carrier_delay_reason: ReasonCode | None = None
    carrier_stale: bool = False
    estimate: Promise | None = None
    estimate_at: Instant | None = None
    place: Place | None = None
    pickup: PickupPoint | None = None
    pickup_until: Instant | None = None
    left_at: str | None = None
    going_back: bool = False
    reversed_delivery: bool = False
    moved_after_cancel: bool = False
    unknown_codes: int = 0


class _Step(NamedTuple):
    """One tracking event and what it left behind. `opened`: the episode it began, if it did."""

    moment: Moment[TrackingEvent]
    status: ShipmentStatus
    going_back: bool
    opened: Episode | None

    @property
    def facts(self) -> TrackingEvent:
        return self.moment.event

    @property
    def at(self) -> datetime:
        return self.moment.at


def fold_shipment(entries: Sequence[Envelope]) -> ShipmentFold:
    """Fold the tracking entries of one shipment, in any order of arrival, into its present state.

    Entries of other kinds are ignored, except `shipment_created` and `shipped` (the caller gives those of this shipment
    only): they count as a label and no more, since an OMS's word does not prove that a carrier has the goods.
    Scans are sorted by (time, source precedence, stage, event id) and then led through the table of statuses.
    """
    counted = [entry for entry in entries if isinstance(entry.event, (TrackingEvent, *_LABEL_FACTS))]
    walk = _Walk()
    for moment in in_order(counted, rank=_rank):
        walk.take(moment)
    status, steps = walk.status, walk.steps
    delay = None if status in TERMINAL_SHIPMENT else _delay(steps)
    milestone, estimate = _milestone(steps), _estimate(steps)
    return ShipmentFold(
        episodes=tuple(walk.episodes),
        status=status,
        since=walk.episodes[-1].since if walk.episodes else None,
        reason_code=walk.reason_code,
        action_required=walk.action_required,
        attempt_no=walk.attempt_no,
        first_moved_at=next((step.at for step in steps if step.facts.status in _PROOF_OF_MOVEMENT), None),
        last_scan_at=next((step.at for step in reversed(steps) if not step.facts.stale), None),
        milestone=milestone.value if milestone else None,
        milestone_at=milestone.at if milestone else None,
        carrier_delayed=delay is not None,
        carrier_delayed_at=delay.at if delay else None,
        carrier_delay_reason=delay.value if delay else None,
        carrier_stale=bool(steps) and steps[-1].facts.stale and status not in TERMINAL_SHIPMENT,
        estimate=estimate.value if estimate else None,
        estimate_at=estimate.at if estimate else None,
        place=_newest(steps, "place"),
        pickup=_newest(steps, "pickup"),
        pickup_until=_newest(steps, "pickup_until"),
        left_at=_newest(steps, "left_at"),
        going_back=walk.going_back,
        reversed_delivery=status is not _S.DELIVERED and any(e.status is _S.DELIVERED for e in walk.episodes),
        moved_after_cancel=status is not _S.CANCELLED and any(e.after is _S.CANCELLED for e in walk.episodes),
        unknown_codes=sum(_is_unknown_code(step.facts) for step in steps),
    )


def _rank(entry: Envelope) -> tuple[int, ...]:
    # Within a stage the order of the vocabulary is that of a journey: out, attempted, ready for pickup.
    event = entry.event
    if isinstance(event, TrackingEvent):
        return (source_precedence(entry.source), STAGE[event.status], _INDEX[event.status])
    return (UNKNOWN_SOURCE - 1, STAGE[_S.LABEL_CREATED], _INDEX[_S.LABEL_CREATED])


@dataclass(kw_only=True)
class _Walk:
    """The status table applied to one scan after another."""

    status: ShipmentStatus = _S.UNKNOWN
    going_back: bool = False
    reason_code: ReasonCode | None = None
    action_required: bool = False
    attempt_no: int = 0
    last_attempt_at: datetime | None = None
    episodes: list[Episode] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)

    def take(self, moment: Moment[Any]) -> None:
        """Apply the next scan, or the OMS's word, which is a label."""
        facts = moment.event
        if not isinstance(facts, TrackingEvent):
            if isinstance(transition(self.status, _S.LABEL_CREATED, to_sender=False, going_back=False), Move):
                self._enter(Episode(status=_S.LABEL_CREATED, since=moment.at, event_id=moment.entry.event_id))
            return
        opened: Episode | None = None
        match transition(self.status, facts.status, to_sender=facts.to_sender, going_back=self.going_back):
            case Move():
                opened = self._open(facts.status, moment)
            case Reinterpret(as_status=status):
                opened = self._open(status, moment)
            case Stay() if facts.status is self.status:
                opened = self._again(moment)
        self.steps.append(_Step(moment, self.status, self.going_back, opened))

    def _open(self, status: ShipmentStatus, moment: Moment[TrackingEvent]) -> Episode:
        facts, number = moment.event, None
        if status is _S.DELIVERY_ATTEMPTED:
            number = facts.attempt_no or self.attempt_no + 1
            self.attempt_no, self.last_attempt_at = max(self.attempt_no, number), moment.at
        episode = Episode(
            status=status, since=moment.at, event_id=moment.entry.event_id, reason_code=facts.reason_code,
            attempt_no=number, after=self.status,
        )  # fmt: skip
        self.action_required = facts.action_required
        self._enter(episode)
        return episode

    def _enter(self, episode: Episode) -> None:
        self.episodes.append(episode)
        self.status, self.reason_code = episode.status, episode.reason_code
        self.going_back = self.going_back or episode.status in (_S.RETURNING, _S.RETURNED)

    def _again(self, moment: Moment[TrackingEvent]) -> Episode | None:
        """The same status once more: another attempt or another reason is news, all else only adds to what is known."""
        facts = moment.event
        if (self.status is _S.DELIVERY_ATTEMPTED and self._is_another_attempt(moment)) or (
            self.status in (_S.EXCEPTION, _S.ON_HOLD) and self._is_another_reason(facts.reason_code)
        ):
            return self._open(self.status, moment)
        self.reason_code = facts.reason_code or self.reason_code
        self.action_required = self.action_required or facts.action_required
        return None

    def _is_another_attempt(self, moment: Moment[TrackingEvent]) -> bool:
        # A number the carrier gives decides: number 1 told again the day after is still the first attempt.
        # Without one, two attempts on one calendar day where the scan was made are one attempt told twice.
        if moment.event.attempt_no is not None:
            return moment.event.attempt_no > self.attempt_no
        zone = moment.event.occurred_at.tzinfo
        before = self.last_attempt_at
        return before is not None and before.astimezone(zone).date() != moment.at.astimezone(zone).date()

    def _is_another_reason(self, reason: ReasonCode | None) -> bool:
        # Two sources may repeat their different reasons in turns: each reason is news once per stretch in a status.
        stretch = takewhile(lambda episode: episode.status is self.status, reversed(self.episodes))
        return reason is not None and reason not in {episode.reason_code for episode in stretch}


class _Since(NamedTuple):
    """A value, and since when it has been that."""

    value: Any
    at: datetime


def _delay(steps: Iterable[_Step]) -> _Since | None:
    """The carrier's word that it is late; its denial, or a van on its way, takes it back."""
    delay: _Since | None = None
    for step in steps:
        word = step.facts.delayed
        if word:
            delay = _Since(step.facts.reason_code or (delay.value if delay else None), delay.at if delay else step.at)
        elif word is False or step.facts.status in (_S.OUT_FOR_DELIVERY, _S.DELIVERED):
            delay = None
    return delay


def _milestone(steps: Iterable[_Step]) -> _Since | None:
    """The newest step of the way forward; after a tour of delivery the way begins anew."""
    found: _Since | None = None
    toured = False
    for step in steps:
        if step.opened is not None:
            toured = toured or step.status is _S.OUT_FOR_DELIVERY
            found = None if toured and step.status is _S.IN_TRANSIT else found
        told = step.facts.milestone
        on_the_way = step.status is _S.IN_TRANSIT and step.facts.status is _S.IN_TRANSIT
        if on_the_way and told is not None and (found is None or found.value is not told):
            found = _Since(told, step.at)
    return found


def _estimate(steps: Iterable[_Step]) -> _Since | None:
    """The newest estimate of delivery to the customer; on the way back a carrier means the sender's door."""
    forward = [step.moment for step in steps if not (step.going_back or step.facts.to_sender)]
    claims = standing(forward, lambda facts: facts.promise)
    if not claims:
        return None
    same = list(takewhile(lambda claim: claim.value == claims[-1].value, reversed(claims)))
    return _Since(claims[-1].value, same[-1].at)


def _newest(steps: Sequence[_Step], fact: str) -> Any:
    return next((value for step in reversed(steps) if (value := getattr(step.facts, fact)) is not None), None)


def _is_unknown_code(facts: TrackingEvent) -> bool:
    """A report that is only the carrier's word on a condition has no status, and yet was understood."""
    return facts.status is _S.UNKNOWN and facts.delayed is None and not facts.stale
