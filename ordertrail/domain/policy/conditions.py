"""The trace of conditions: each one raised and each one cleared becomes an entry of the timeline."""

from ordertrail.domain.events import ConditionChanged, Envelope
from ordertrail.domain.policy.situation import Plan, Situation
from ordertrail.domain.vocabulary import Condition

SOURCE = "ordertrail"
"""The source of entries that this product writes itself."""


def trace_conditions(situation: Situation, plan: Plan) -> None:
    """Compare what is raised with what was, write down the difference, and remember it."""
    before = {scope: frozenset(raised) for scope, raised in plan.memory.conditions.items()}
    after = {scope: frozenset(raised) for scope, raised in plan.conditions.items()}
    for scope in sorted(before.keys() | after.keys()):
        was, now = before.get(scope, frozenset()), after.get(scope, frozenset())
        plan.traces += [_trace(situation, scope, Condition(name), raised=True) for name in sorted(now - was)]
        plan.traces += [_trace(situation, scope, Condition(name), raised=False) for name in sorted(was - now)]
    kept = {scope: tuple(raised) for scope, raised in plan.conditions.items() if raised}
    plan.memory = plan.memory.model_copy(update={"conditions": kept})


def _trace(situation: Situation, scope: str, condition: Condition, *, raised: bool) -> Envelope:
    now = situation.now
    event = ConditionChanged(
        event_id=f"{condition}:{scope}:{'raised' if raised else 'cleared'}:{now.isoformat()}",
        occurred_at=now,
        condition=condition,
        raised=raised,
        scope=scope,
    )
    return Envelope(
        event_id=event.event_id,
        source=SOURCE,
        occurred_at=now,
        recorded_at=now,
        kind=event.kind,
        shipment_ref=scope or None,
        event=event,
    )
