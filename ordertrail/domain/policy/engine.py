"""One step of policy: what the customer should know now, what waits, what a person must take over. Pure."""

from ordertrail.domain.decisions import Decision, Record, Why
from ordertrail.domain.events import DeliveryReport, Envelope, TrackingEvent
from ordertrail.domain.policy.announce import announce
from ordertrail.domain.policy.delay_news import delay_news
from ordertrail.domain.policy.escalation import overdue_cases
from ordertrail.domain.policy.followup import follow_up
from ordertrail.domain.policy.memory import Memory, ShipmentMemory
from ordertrail.domain.policy.news import News, order_news
from ordertrail.domain.policy.shipment_news import shipment_news
from ordertrail.domain.policy.situation import Plan, Situation
from ordertrail.domain.vocabulary import TERMINAL_SHIPMENT, MessageKind, OrderStatus, ShipmentStatus

_ARRIVING = frozenset({MessageKind.OUT_FOR_DELIVERY, MessageKind.DELIVERED, MessageKind.READY_FOR_PICKUP})
_OVER = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.RETURNED})


def decide(situation: Situation) -> Plan:
    """The plan for one step. Deterministic: the same situation always gives the same plan.

    Deciding again after the plan was carried out, with nothing new, plans nothing new.
    """
    plan = Plan(memory=situation.memory)
    found = [*order_news(situation)]
    for shipment in situation.state.shipments:
        found += shipment_news(situation, shipment)
    found += delay_news(situation, plan)
    announce(situation, plan, _without_contradictions(found))
    follow_up(situation, plan)
    overdue_cases(situation, plan)
    plan.memory = _refresh(plan.memory, situation)
    plan.closed = _over(situation) and not plan.deadlines
    plan.decisions += _the_rest(situation, plan.decisions)
    return plan


def _without_contradictions(found: list[News]) -> list[News]:
    """`back_on_track` says nothing beside the good news itself, and is said once."""
    arriving = {news.shipment_ref for news in found if news.kind in _ARRIVING and not news.overtaken}
    kept: list[News] = []
    on_track: set[str] = set()
    for news in found:
        if news.kind is MessageKind.BACK_ON_TRACK and not news.overtaken:
            redundant = news.shipment_ref in arriving or news.shipment_ref in on_track
            on_track.add(news.shipment_ref)
            kept.append(News(**{**news.__dict__, "overtaken": redundant}))
        else:
            kept.append(news)
    return kept


def _refresh(memory: Memory, situation: Situation) -> Memory:
    """Scans that only repeat what was told extend it, so that a late report in between makes no news of it."""
    shipments = dict(memory.shipments)
    for shipment in situation.state.shipments:
        known, fold = shipments.get(shipment.ref), shipment.fold
        if known is not None and known.told_status == fold.status and known.told_until and fold.last_scan_at:
            until = max(known.told_until, fold.last_scan_at)
            shipments[shipment.ref] = ShipmentMemory(**{**known.__dict__, "told_until": until})
    return memory.model_copy(update={"shipments": shipments})


def _over(situation: Situation) -> bool:
    """Whether nothing more is expected of the order."""
    state = situation.state
    moving = [s for s in state.shipments if s.fold.status not in TERMINAL_SHIPMENT]
    if state.status is OrderStatus.CANCELLED:
        return all(s.fold.status in (ShipmentStatus.UNKNOWN, ShipmentStatus.LABEL_CREATED) for s in moving)
    return state.status in _OVER and not moving


def _the_rest(situation: Situation, decisions: list[Decision]) -> list[Decision]:
    """Every event leaves a decision: those that gave no news are recorded as such."""
    covered = {event_id for decision in decisions for event_id in decision.event_ids}
    rest = [entry for entry in situation.batch if entry.event_id not in covered]
    return [
        Record(
            reason=_why_recorded(situation, entry), shipment_ref=entry.shipment_ref or "", event_ids=(entry.event_id,)
        )
        for entry in rest
    ]


def _why_recorded(situation: Situation, entry: Envelope) -> Why:
    if entry.event_id in situation.state.unplaced:
        return Why.UNKNOWN_SHIPMENT
    match entry.event:
        case TrackingEvent(status=ShipmentStatus.UNKNOWN):
            return Why.UNKNOWN_CODE
        case DeliveryReport():
            return Why.OTHER_CHANNEL_FAILED
        case TrackingEvent():
            return Why.ALREADY_TOLD
        case _:
            return Why.NO_NEWS
