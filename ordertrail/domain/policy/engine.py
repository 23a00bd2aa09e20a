"""One step of policy: what the customer should know now, what waits, what a person must take over. Pure."""

from ordertrail.domain.decisions import Record, Why
from ordertrail.domain.events import DeliveryReport, Envelope, TrackingEvent
from ordertrail.domain.policy.announce import announce
from ordertrail.domain.policy.conditions import trace_conditions
from ordertrail.domain.policy.contradictions import without_contradictions
from ordertrail.domain.policy.delay_news import delay_news
from ordertrail.domain.policy.escalation import overdue_cases
from ordertrail.domain.policy.followup import follow_up
from ordertrail.domain.policy.memory import Memory
from ordertrail.domain.policy.order_news import order_news
from ordertrail.domain.policy.shipment_news import shipment_news
from ordertrail.domain.policy.situation import Plan, Situation
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, OrderStatus, ShipmentStatus

_OVER = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.RETURNED})


def decide(situation: Situation) -> Plan:
    """The plan for one step. Deterministic: the same situation always gives the same plan.

    Deciding again after the plan was carried out, with nothing new, plans nothing new. Every deadline lies ahead.
    """
    plan = Plan(memory=situation.memory)
    found = [*order_news(situation)]
    for shipment in situation.state.shipments:
        found += shipment_news(situation, shipment)
    found += delay_news(situation, plan)
    announce(situation, plan, without_contradictions(situation, plan, found))
    follow_up(situation, plan)
    overdue_cases(situation, plan)
    trace_conditions(situation, plan)
    plan.memory = _refresh(plan.memory, situation)
    plan.closed = _over(situation) and not plan.deadlines
    plan.decisions += _the_rest(situation, plan)
    return plan


def _refresh(memory: Memory, situation: Situation) -> Memory:
    """Scans that only repeat what was told extend it, so that a late report in between makes no news of it."""
    shipments = dict(memory.shipments)
    for shipment in situation.state.shipments:
        known, fold = shipments.get(shipment.ref), shipment.fold
        if known is None or known.told_until is None or fold.since is None or fold.last_scan_at is None:
            continue
        if known.told_status == fold.status and fold.since <= known.told_until < fold.last_scan_at:
            shipments[shipment.ref] = known.model_copy(update={"told_until": fold.last_scan_at})
    return memory.model_copy(update={"shipments": shipments})


def _over(situation: Situation) -> bool:
    """Whether nothing more is expected of the order."""
    state = situation.state
    moving = [s for s in state.shipments if s.fold.status not in TERMINAL_SHIPMENT]
    if state.status is OrderStatus.CANCELLED:
        return all(s.fold.status in (ShipmentStatus.UNKNOWN, ShipmentStatus.LABEL_CREATED) for s in moving)
    return state.status in _OVER and not moving


def _the_rest(situation: Situation, plan: Plan) -> list[Record]:
    """Every event leaves a decision: those that gave no news are recorded as such."""
    covered = {event_id for decision in plan.decisions for event_id in decision.event_ids}
    return [
        Record(reason=_why_recorded(situation, e), shipment_ref=e.shipment_ref or "", event_ids=(e.event_id,))
        for e in situation.batch
        if e.event_id not in covered
    ]


def _why_recorded(situation: Situation, entry: Envelope) -> Why:
    if entry.event_id in situation.state.unplaced:
        return Why.UNKNOWN_SHIPMENT
    match entry.event:
        case TrackingEvent(status=ShipmentStatus.UNKNOWN, delayed=None, stale=False):
            return Why.UNKNOWN_CODE
        case TrackingEvent():
            return _why_scan_recorded(situation, entry, entry.event)
        case DeliveryReport():
            return Why.OTHER_CHANNEL_FAILED
        case _:
            return Why.STALE_VERSION if entry.event_id in situation.state.outdated else Why.NO_NEWS


def _why_scan_recorded(situation: Situation, entry: Envelope, scan: TrackingEvent) -> Why:
    shipment = situation.state.shipment(entry.shipment_ref or "")
    if shipment is None or shipment.fold.since is None:
        return Why.NO_NEWS
    if scan.status is shipment.fold.status:
        return Why.ALREADY_TOLD
    return Why.OVERTAKEN if scan.occurred_at <= shipment.fold.since else Why.NO_NEWS
