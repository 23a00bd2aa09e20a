"""The count: what must be true of the evidence, and what is not. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ordertrail.domain.vocabulary import DeliveryState
from tests.chaos.contents import COUNTED, kind_of, number_of
from tests.chaos.evidence import Delivery, Evidence
from tests.chaos.providers import SENDGRID, Message, Report

_S = DeliveryState
_SENT = frozenset({_S.ACCEPTED, _S.DELIVERED})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`violations`: what must not be. `ambiguous`: one line per delivery with an attempt whose end nobody saw.

    `doubles` and `untold` count what the guarantee of a provider that cannot be asked allows: a critical message sent
    again because no callback came in time, and one that is not critical left as it was.
    """

    violations: tuple[str, ...]
    ambiguous: tuple[str, ...]
    doubles: int
    untold: int


def judge(found: Evidence) -> Verdict:
    """Count everything."""
    copies: dict[str, list[Message]] = defaultdict(list)
    for message in sorted(found.messages, key=lambda m: m.at):
        copies[message.delivery_id].append(message)
    doubled = [d for d in found.deliveries if len(copies[d.id]) > 1]
    allowed = [d for d in doubled if _may_be_doubled(d, copies[d.id], found.reports)]
    untold, missing = _against_expectations(found, copies)
    violations = [
        *_at_providers(found, copies, {d.id for d in allowed}),
        *missing,
        *_keys(found.deliveries),
        *_timeline(found),
        *_dead_letters(found),
        *_surroundings(found),
    ]
    return Verdict(
        violations=tuple(violations),
        ambiguous=tuple(_ambiguous_line(d, copies[d.id]) for d in found.deliveries if d.ambiguous),
        doubles=sum(len(copies[d.id]) - 1 for d in allowed),
        untold=untold,
    )


def _may_be_doubled(delivery: Delivery, copies: Sequence[Message], reports: Sequence[Report]) -> bool:
    """Only what is critical, at a provider that cannot be asked, when nobody told us of the copy before."""
    if delivery.provider != SENDGRID or not delivery.critical or delivery.ambiguous < len(copies) - 1:
        return False
    for earlier, later in pairwise(copies):
        told = [r for r in reports if r.provider == SENDGRID and r.message == earlier.number and not r.lost]
        if any(report.status is not None and report.status < 300 and report.at < later.at for report in told):
            return False
    return True


def _at_providers(found: Evidence, copies: Mapping[str, Sequence[Message]], doubled: set[str]) -> Iterator[str]:
    """Every accepted delivery is one message at its provider, and every message is one accepted delivery."""
    known = {d.id for d in found.deliveries}
    for delivery in found.deliveries:
        number = len(copies.get(delivery.id, ()))
        unasked = delivery.provider == SENDGRID and delivery.ambiguous > 0
        wanted = {1} if delivery.state in _SENT else {0}
        if delivery.state == _S.UNKNOWN or (delivery.state in (_S.SUPERSEDED, _S.EXPIRED) and unasked):
            wanted = {0, 1}
        if number not in wanted and delivery.id not in doubled:
            yield f"{_shown(delivery)} is {number} times at its provider"
        if delivery.state == _S.UNKNOWN and (not unasked or delivery.critical):
            yield f"{_shown(delivery)} was given up though it could be resolved"
    for delivery_id, messages in copies.items():
        if delivery_id not in known:
            yield f"{len(messages)} messages at {messages[0].provider} belong to no delivery ({delivery_id})"


def _against_expectations(found: Evidence, copies: Mapping[str, Sequence[Message]]) -> tuple[int, list[str]]:
    """Each life's expected messages against those found, by their words. How many are untold by guarantee; the rest."""
    heard: Counter[tuple[str, str, str]] = Counter()
    for messages in copies.values():
        # Copies of one delivery are judged as doubles; here it counts once.
        number, kind = number_of(messages[0]) if messages else None, kind_of(messages[0]) if messages else None
        if number is not None and kind is not None:
            heard[number, kind, messages[0].to] += 1
    wanted = Counter(
        {(life.number, *what): times for life in found.lives for what, times in life.expected.items()}
    )  # fmt: skip
    given_up = Counter(
        (_number(found, d), d.kind, d.address or "")
        for d in found.deliveries
        if d.state == _S.UNKNOWN and d.provider == SENDGRID and not d.critical and not copies.get(d.id)
    )
    untold, wrong = 0, []
    for what in sorted(wanted.keys() | heard.keys()):
        missing = wanted[what] - heard[what]
        excused = min(max(missing, 0), given_up[what])
        untold += excused
        if missing != excused:
            wrong.append(f"{what[0]}: {what[1]} to {what[2]} expected {wanted[what]} times, found {heard[what]}")
    return untold, wrong


def _number(found: Evidence, delivery: Delivery) -> str:
    numbers = {order_id: number for number, order_id in found.ledger.order_ids.items()}
    return numbers.get(delivery.order_id, "")


def _keys(deliveries: Sequence[Delivery]) -> list[str]:
    counted = Counter(delivery.key for delivery in deliveries)
    return [f"the key {key} was given {times} times" for key, times in counted.items() if times > 1]


def _timeline(found: Evidence) -> Iterator[str]:
    for number, source, event_id in sorted(found.ledger.accepted):
        times = found.appended[found.ledger.order_ids.get(number, ""), f"api:{source}", event_id]
        if times != 1:
            yield f"{number}: event {event_id} of {source} was accepted and is {times} times on the timeline"
    if repeated := sum(times > 1 for times in found.appended.values()):
        yield f"{repeated} events are more than once on a timeline"
    if missing := [life.number for life in found.lives if life.number not in found.ledger.order_ids]:
        yield f"never placed: {', '.join(missing)}"


def _dead_letters(found: Evidence) -> Iterator[str]:
    """Only those we provoked, and customers whom nobody can reach."""
    unreachable = {found.ledger.order_ids.get(life.number) for life in found.lives if life.unreachable}
    dead = Counter({reason: times for (state, reason), times in found.inbox.items() if state == "dead"})
    for reason in sorted(dead.keys() | found.ledger.provoked.keys()):
        if reason != "undeliverable" and dead[reason] != found.ledger.provoked[reason]:
            yield f"{dead[reason]} dead letters for {reason!r}, {found.ledger.provoked[reason]} provoked"
    for order_id, times in found.undeliverable.items():
        if order_id not in unreachable:
            yield f"{times} undeliverable messages of {order_id}, whose customer can be reached"


def _surroundings(found: Evidence) -> Iterator[str]:
    if found.unsettled:
        yield f"not settled: {found.unsettled}"
    if number := found.ledger.statuses["500"]:
        yield f"the senders saw {number} answers 500"
    if number := sum(report.status == 500 for report in found.reports):
        yield f"the providers' callbacks saw {number} answers 500"
    yield from found.ledger.refused
    yield from found.wedged


def _ambiguous_line(delivery: Delivery, copies: Sequence[Message]) -> str:
    times = f"{delivery.ambiguous} of {delivery.attempts} attempts unclear"
    return f"{_shown(delivery)}: {times}; {len(copies)} times at its provider"


def _shown(delivery: Delivery) -> str:
    weight = "critical" if delivery.critical else "ordinary"
    reason = f" ({delivery.reason})" if delivery.reason else ""
    return f"{delivery.id} {delivery.provider} {weight} {delivery.kind} {delivery.state}{reason}"


__all__ = ["COUNTED", "Verdict", "judge"]
