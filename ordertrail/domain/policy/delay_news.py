"""Telling delays: first, again when it gets worse, and the retraction when it is over."""

from collections.abc import Iterator
from datetime import datetime

from ordertrail.domain.decisions import Why
from ordertrail.domain.policy.delay import Assessment, Cause, assess, later_than, missed_at, scopes
from ordertrail.domain.policy.escalation import open_case
from ordertrail.domain.policy.memory import DelayTold, Memory
from ordertrail.domain.policy.news import Mark, News
from ordertrail.domain.policy.situation import Deadline, Hints, Plan, Situation
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import CaseKind, MessageKind, ReasonCode


def delay_news(situation: Situation, plan: Plan) -> list[News]:
    """News about delays; raises and clears conditions, opens cases for missed promises, and sets deadlines."""
    found: list[News] = []
    live = scopes(situation.state)
    for scope in live:
        assessment = assess(situation, scope)
        plan.conditions[scope.key] = assessment.conditions
        plan.deadlines += [Deadline(at=at, what="promise, ship-by and silence") for at in assessment.changes_at]
        found += _of_scope(situation, plan, assessment)
        _missed_case(situation, plan, assessment)
    over = plan.memory.delays.keys() - {scope.key for scope in live}
    if over:  # delivered, cancelled, on its way back: told by those messages
        kept = {key: told for key, told in plan.memory.delays.items() if key not in over}
        plan.memory = plan.memory.model_copy(update={"delays": kept})
    return found


def _of_scope(situation: Situation, plan: Plan, assessment: Assessment) -> Iterator[News]:
    told = plan.memory.delays.get(assessment.scope.key)
    if told is not None and not assessment.causes:
        yield _retraction(situation, assessment, told)
    elif assessment.causes:
        cause = _worth_telling(situation, assessment, told)
        if cause is not None:
            yield _delay(situation, plan, assessment, cause, told)
        if told is not None and told.promise is not None and (at := missed_at(situation, told.promise)) > situation.now:
            plan.deadlines.append(Deadline(at=at, what="the new date that was given"))


def _worth_telling(situation: Situation, assessment: Assessment, told: DelayTold | None) -> Cause | None:
    """The cause to tell, if the customer does not know as much already."""
    causes = assessment.causes
    best = _best_date(causes, situation.now)
    first = causes[0]
    if told is None:
        return Cause(reason=first.reason, since=first.since, promise=best, missed=first.missed)
    if told.promise is None:
        worse = first.missed and told.reason is not ReasonCode.PROMISE_MISSED
        return Cause(reason=first.reason, since=first.since, promise=best) if best is not None or worse else None
    if best is not None and later_than(best, told.promise, situation.brand.policy):
        newest = next((cause for cause in causes if cause.promise == best), first)
        return Cause(reason=newest.reason, since=newest.since, promise=best)
    if missed_at(situation, told.promise) <= situation.now:
        return Cause(reason=ReasonCode.PROMISE_MISSED, since=missed_at(situation, told.promise), missed=True)
    return None


def _best_date(causes: tuple[Cause, ...], now: datetime) -> Promise | None:
    """The latest of the new dates that have not passed themselves."""
    dates = [cause.promise for cause in causes if cause.promise is not None and cause.promise.ends() > now]
    return max(dates, key=lambda promise: promise.ends(), default=None)


def _delay(situation: Situation, plan: Plan, assessment: Assessment, cause: Cause, told: DelayTold | None) -> News:
    scope = assessment.scope
    previous = told.promise if told is not None and told.promise else _original(assessment)
    now_told = DelayTold(reason=cause.reason, promise=cause.promise, at=situation.now)
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
        mark=_delay_told(scope.key, now_told, count),
        case=CaseKind.LATE if repeated else None,
    )


def _original(assessment: Assessment) -> Promise | None:
    return assessment.scope.history[0].promise if assessment.scope.history else None


def _delay_told(key: str, told: DelayTold, count: int) -> Mark:
    def mark(memory: Memory) -> Memory:
        return memory.model_copy(update={"delays": {**memory.delays, key: told}, "delay_count": count})

    return mark


def _retraction(situation: Situation, assessment: Assessment, told: DelayTold) -> News:
    scope = assessment.scope

    def mark(memory: Memory) -> Memory:
        kept = {key: delay for key, delay in memory.delays.items() if key != scope.key}
        return memory.model_copy(update={"delays": kept})

    return News(
        kind=MessageKind.BACK_ON_TRACK,
        name=f"retracted:{scope.key}:{told.at.isoformat()}",
        shipment_ref=scope.shipment_ref,
        hints=Hints(happened_at=situation.now, promise=scope.promise, previous_promise=told.promise),
        mark=mark,
    )


def _missed_case(situation: Situation, plan: Plan, assessment: Assessment) -> None:
    """A missed promise always becomes a case, once per promise; so does a parcel silent for twice as long as allowed."""
    ref = assessment.scope.shipment_ref
    for cause in assessment.causes:
        if cause.missed and assessment.scope.promise is not None and not situation.order.imported:
            anchor = f"case:late:{assessment.scope.key}:{assessment.scope.promise.ends().isoformat()}"
            if anchor not in plan.memory.told:
                plan.memory = plan.memory.model_copy(update={"told": plan.memory.told | {anchor}})
                open_case(situation, plan, CaseKind.LATE, ref, reason=Why.PROMISE_MISSED)
