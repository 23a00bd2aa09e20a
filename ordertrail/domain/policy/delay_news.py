"""Telling delays: first, again when it gets worse, and the retraction when it is over."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

from ordertrail.domain.decisions import Why
from ordertrail.domain.ids import ORDER_SCOPE, jitter
from ordertrail.domain.policy.delay import Assessment, Cause, assess
from ordertrail.domain.policy.escalation import open_case
from ordertrail.domain.policy.memory import DelayTold, Memory
from ordertrail.domain.policy.news import Mark, News, told
from ordertrail.domain.policy.scopes import Scope, later_than, missed_at, scopes
from ordertrail.domain.policy.situation import Deadline, Hints, Plan, Situation
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import CaseKind, MessageKind, ReasonCode

LOOK_AGAIN = timedelta(hours=6)
"""How long a stale parcel of a silent carrier waits until it is judged again."""


def delay_news(situation: Situation, plan: Plan) -> list[News]:
    """News about delays; raises and clears conditions, opens cases for missed promises, and sets deadlines."""
    live = scopes(situation.state)
    assessments = [assess(situation, scope) for scope in live]
    late = {assessment.scope.key for assessment in assessments if assessment.causes}
    _keep_what_still_counts(plan, live, late)
    found: list[News] = []
    for assessment in assessments:
        scope = assessment.scope
        plan.conditions[scope.key] = assessment.conditions
        plan.deadlines += [Deadline(at=at, what="promise, ship-by and silence") for at in assessment.changes_at]
        own = plan.memory.delays.get(scope.key)
        if assessment.causes:
            found += _late(situation, plan, assessment, _known(plan.memory, scope, live))
        elif own is not None and scope.key != ORDER_SCOPE and ORDER_SCOPE not in late:
            found.append(_retraction(situation, scope.key, scope.shipment_ref, scope.expected, own))
        _late_case(situation, plan, assessment)
    whole = plan.memory.delays.get(ORDER_SCOPE)
    if whole is not None and live and not late:
        # Told for all of the order, so it is over when no part of it is late.
        only = live[0] if len(live) == 1 else None
        ref, expected = (only.shipment_ref, only.expected) if only else (ORDER_SCOPE, situation.state.promise)
        found.append(_retraction(situation, ORDER_SCOPE, ref, expected, whole))
    return found


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the customer knows of a scope's delay. `elsewhere`: another scope answers for the date they were given."""

    promise: Promise | None
    missed: bool
    elsewhere: bool


def _known(memory: Memory, scope: Scope, live: Sequence[Scope]) -> _Known | None:
    """The delay the customer knows of that also says what is to be said of this scope.

    A delay of the whole order covers its shipments; delays of all its shipments cover the order.
    """
    own = memory.delays.get(scope.key)
    if own is not None:
        return _Known(promise=own.promise, missed=own.missed, elsewhere=False)
    if scope.key != ORDER_SCOPE:
        whole = memory.delays.get(ORDER_SCOPE)
        elsewhere = any(other.key == ORDER_SCOPE for other in live)
        return _Known(promise=whole.promise, missed=whole.missed, elsewhere=elsewhere) if whole else None
    parts = [memory.delays.get(part.key) for part in live if part.key != ORDER_SCOPE and part.promise is None]
    known = [delay for delay in parts if delay is not None]
    if not parts or len(known) < len(parts):
        return None
    dates = [delay.promise for delay in known if delay.promise is not None]
    latest = max(dates, key=lambda promise: promise.ends(), default=None)
    return _Known(promise=latest, missed=any(delay.missed for delay in known), elsewhere=True)


def _keep_what_still_counts(plan: Plan, live: Sequence[Scope], late: Set[str]) -> None:
    """Drop delays of what is delivered, cancelled, on its way back: those messages told of it.

    A delay told of the only parcel goes with that parcel when the order turns out to have several, if it is the parcel
    that is late; any other delay of the whole order is kept while a part of it is under way.
    """
    delays = dict(plan.memory.delays)
    keys = {scope.key for scope in live}
    whole = delays.get(ORDER_SCOPE)
    if whole is not None and whole.shipment_ref in late - {ORDER_SCOPE}:
        delays.setdefault(whole.shipment_ref, delays.pop(ORDER_SCOPE))
    kept = {key: delay for key, delay in delays.items() if key in keys or (key == ORDER_SCOPE and live)}
    plan.memory = plan.memory.model_copy(update={"delays": kept})


def _late(situation: Situation, plan: Plan, assessment: Assessment, known: _Known | None) -> Iterator[News]:
    scope = assessment.scope
    if known is not None and known.promise is not None and (at := missed_at(situation, known.promise)) > situation.now:
        plan.deadlines.append(Deadline(at=at, what="the new date that was given"))
    silent = _carrier_is_silent(situation, assessment)
    if silent:
        again = situation.now + LOOK_AGAIN + jitter(situation.order_id, situation.brand.policy.jitter)
        plan.deadlines.append(Deadline(at=again, what="the silent carrier"))
    cause = _worth_telling(situation, assessment, known)
    if cause is None:
        return
    news = _delay(situation, plan, assessment, cause, known)
    last_scan = scope.shipment.fold.last_scan_at if scope.shipment else None
    anchor = f"carrier_silent:{scope.key}:{last_scan}"
    if not silent:
        yield news
    elif anchor not in plan.memory.told:
        yield replace(news, unsaid=Why.CARRIER_SILENT, mark=told(anchor), case=None)


def _carrier_is_silent(situation: Situation, assessment: Assessment) -> bool:
    """Whether the silence is the carrier's and not this parcel's."""
    shipment = assessment.scope.shipment
    return assessment.only_silent and shipment is not None and shipment.facts.carrier in situation.silent_carriers


def _worth_telling(situation: Situation, assessment: Assessment, known: _Known | None) -> Cause | None:
    """The cause to tell, if the customer does not know as much already."""
    causes, now, policy = assessment.causes, situation.now, situation.brand.policy
    best = _best_date(assessment, situation)
    whole = Cause(reason=assessment.reason, since=causes[0].since, promise=best, missed=assessment.missed)
    if known is None:
        return whole
    if known.promise is None:
        return whole if best is not None or (assessment.missed and not known.missed) else None
    if best is not None and later_than(best, known.promise, policy):
        newest = next((cause for cause in causes if cause.promise == best), causes[0])
        return Cause(reason=newest.reason, since=newest.since, promise=best, missed=assessment.missed)
    if not known.elsewhere and (at := missed_at(situation, known.promise)) <= now:
        return Cause(reason=ReasonCode.PROMISE_MISSED, since=at, promise=best, missed=True)
    return None


def _best_date(assessment: Assessment, situation: Situation) -> Promise | None:
    """The latest of the new dates that have not passed themselves and are later than what was promised at first."""
    first = assessment.scope.history[0].promise if assessment.scope.history else assessment.scope.expected
    dates = [
        cause.promise
        for cause in assessment.causes
        if cause.promise is not None
        and cause.promise.ends() > situation.now
        and (first is None or cause.promise.ends() > first.ends())
    ]
    return max(dates, key=lambda promise: promise.ends(), default=None)


def _delay(situation: Situation, plan: Plan, assessment: Assessment, cause: Cause, known: _Known | None) -> News:
    scope = assessment.scope
    original = scope.history[0].promise if scope.history else scope.expected
    previous = known.promise if known is not None and known.promise else original
    now_told = DelayTold(
        reason=cause.reason, promise=cause.promise, at=situation.now, missed=cause.missed,
        shipment_ref=scope.shipment_ref,
    )  # fmt: skip
    count = plan.memory.delay_count + 1
    repeated = count >= situation.brand.policy.escalate_delays_after
    return News(
        kind=MessageKind.DELAY,
        name=f"delay:{scope.key}:{count}",
        shipment_ref=scope.shipment_ref,
        hints=Hints(
            happened_at=max(cause.since, situation.order.placed_at),
            reason_code=cause.reason,
            promise=cause.promise,
            previous_promise=previous if previous != cause.promise else None,
        ),
        mark=_delay_told(scope.key, now_told),
        believe=_one_more_delay,
        case=CaseKind.LATE if repeated else None,
        case_reason=Why.REPEATED_DELAY,
    )


def _delay_told(key: str, delay: DelayTold) -> Mark:
    return lambda memory: memory.model_copy(update={"delays": {**memory.delays, key: delay}})


def _one_more_delay(memory: Memory) -> Memory:
    return memory.model_copy(update={"delay_count": memory.delay_count + 1})


def _retraction(situation: Situation, key: str, ref: str, expected: Promise | None, own: DelayTold) -> News:
    def mark(memory: Memory) -> Memory:
        kept = {scope: delay for scope, delay in memory.delays.items() if scope != key}
        return memory.model_copy(update={"delays": kept})

    return News(
        kind=MessageKind.BACK_ON_TRACK,
        name=f"retracted:{key}:{own.at.isoformat()}",
        shipment_ref=ref,
        hints=Hints(happened_at=situation.now, promise=expected, previous_promise=own.promise),
        mark=mark,
    )


def _late_case(situation: Situation, plan: Plan, assessment: Assessment) -> None:
    """A missed promise always becomes a case, once per promise; so does a parcel silent for twice the time allowed."""
    scope, silent_until = assessment.scope, assessment.given_up_at
    if situation.order.imported:
        return
    if assessment.missed and scope.promise is not None:
        _open_once(situation, plan, scope, f"{scope.key}:{scope.promise.ends().isoformat()}", Why.PROMISE_MISSED)
    if silent_until is None or _carrier_is_silent(situation, assessment):
        return
    if silent_until > situation.now:
        plan.deadlines.append(Deadline(at=silent_until, what="silence becomes a case"))
    else:
        _open_once(situation, plan, scope, f"{scope.key}:silent:{silent_until.isoformat()}", Why.SHIPMENT_PROBLEM)


def _open_once(situation: Situation, plan: Plan, scope: Scope, what: str, reason: Why) -> None:
    anchor = f"case:late:{what}"
    if anchor not in plan.memory.told:
        plan.memory = plan.memory.model_copy(update={"told": plan.memory.told | {anchor}})
        open_case(situation, plan, CaseKind.LATE, scope.shipment_ref, reason=reason)
