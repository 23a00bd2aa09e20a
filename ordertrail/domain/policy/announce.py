"""From news to messages: each piece of news is told, held, or suppressed for a stated reason."""

from datetime import timedelta

from ordertrail.domain.decisions import Hold, Record, Send, Suppress, Why
from ordertrail.domain.ids import jitter
from ordertrail.domain.policy.channels import audience, choose, is_off, quiet_until
from ordertrail.domain.policy.escalation import open_case
from ordertrail.domain.policy.memory import Pending
from ordertrail.domain.policy.news import News
from ordertrail.domain.policy.severity import calls_for
from ordertrail.domain.policy.situation import CUSTOMER, Contact, Deadline, Hints, NewMessage, Plan, Situation
from ordertrail.domain.vocabulary import CaseKind, Channel, DeliveryState, MessageKind

_NO_CASE = frozenset({Why.IMPORTED, Why.ALREADY_TOLD})


def announce(situation: Situation, plan: Plan, found: list[News]) -> None:
    """Decide all news of one step, and drop what was waiting and is no longer true."""
    waiting: dict[str, Pending] = {}
    for news in found:
        reason = _why_not(situation, news)
        if reason is not None:
            plan.memory = news.mark(plan.memory)
            plan.decisions.append(_silent(news, reason))
        elif (pending := _wait(situation, plan, news)) is not None:
            waiting[news.key] = pending
            _hold(situation, plan, news, pending)
        else:
            _tell(situation, plan, news)
        if news.case is not None and reason not in _NO_CASE:
            why = Why.SHIPMENT_PROBLEM if news.shipment_ref else Why.ORDER_PROBLEM
            open_case(situation, plan, news.case, news.shipment_ref, reason=news.case_reason or why)
    for key in sorted(plan.memory.pending.keys() - waiting.keys() - {news.key for news in found}):
        ref, kind, _ = key.split("|", 2)
        plan.decisions.append(Suppress(reason=Why.OVERTAKEN, message_kind=MessageKind(kind), shipment_ref=ref))
    plan.memory = plan.memory.model_copy(update={"pending": waiting})


def _why_not(situation: Situation, news: News) -> Why | None:
    """The reason never to tell this, if there is one."""
    policy = situation.brand.policy
    if situation.order.imported:
        return Why.IMPORTED
    if news.unsaid is not None:
        return news.unsaid
    if news.kind not in policy.critical_kinds and situation.now - news.occurred_at > policy.late_after:
        return Why.TOO_LATE
    return None


def _silent(news: News, reason: Why) -> Suppress | Record:
    inputs: dict[str, str | int | float | bool | None] = {"happened_at": news.occurred_at.isoformat()}
    if reason is Why.NO_NEWS:
        return Record(reason=reason, shipment_ref=news.shipment_ref, event_ids=news.event_ids, inputs=inputs)
    return Suppress(
        reason=reason, message_kind=news.kind, shipment_ref=news.shipment_ref, event_ids=news.event_ids, inputs=inputs
    )


def _wait(situation: Situation, plan: Plan, news: News) -> Pending | None:
    """Until when this waits: low-value news for what may overtake it, `shipped` for its tracking number."""
    policy = situation.brand.policy
    span = timedelta(0)
    if not news.ready:
        span = policy.readiness_wait
    elif news.kind in policy.low_value_kinds:
        span = policy.imminence_hold
    # What replaces news that was waiting does not wait anew, or a chatty carrier could put it off for ever.
    before = [pending.since for key, pending in plan.memory.pending.items() if key.startswith(news.topic)]
    until = min(before, default=situation.now) + span
    return Pending(since=until - span, until=until) if situation.now < until else None


def _hold(situation: Situation, plan: Plan, news: News, pending: Pending) -> None:
    plan.deadlines.append(Deadline(at=pending.until, what=f"release {news.kind}"))
    new = {entry.event_id for entry in situation.batch} & set(news.event_ids)
    if news.key not in plan.memory.pending or new:
        plan.decisions.append(
            Hold(
                reason=Why.IMMINENT if news.ready else Why.NOT_READY, message_kind=news.kind,
                shipment_ref=news.shipment_ref, until=pending.until, event_ids=news.event_ids,
            )
        )  # fmt: skip


def _tell(situation: Situation, plan: Plan, news: News) -> None:
    occurrence = plan.memory.occurrence(news.kind, news.shipment_ref)
    memory = news.believe(news.mark(plan.memory))
    counts = {**memory.occurrences, f"{news.shipment_ref}:{news.kind}": occurrence}
    plan.memory = memory.model_copy(update={"occurrences": counts})
    for contact in audience(news.kind, situation.contacts):
        call = calls_for(situation, plan, contact, kind=news.kind, ref=news.shipment_ref, case=news.case)
        channels = choose(news.kind, contact, situation.brand.policy, call=call)
        if not channels:
            _nobody_reached(situation, plan, news, contact)
        for channel in channels:
            if is_off(news.kind, channel, contact, situation.brand.policy):
                plan.decisions.append(_switched_off(news, occurrence, contact, channel))
                continue
            plan_message(
                situation, plan, kind=news.kind, ref=news.shipment_ref, occurrence=occurrence, contact=contact,
                channel=channel, hints=news.hints, event_ids=news.event_ids,
            )  # fmt: skip


def _switched_off(news: News, occurrence: int, contact: Contact, channel: Channel) -> Suppress:
    return Suppress(
        reason=Why.PREFERENCE_OFF, message_kind=news.kind, shipment_ref=news.shipment_ref, occurrence=occurrence,
        recipient=contact.role, channel=channel, event_ids=news.event_ids,
    )  # fmt: skip


def _nobody_reached(situation: Situation, plan: Plan, news: News, contact: Contact) -> None:
    """The customer without any channel is a person's business; a gift's recipient without one is told by the giver."""
    plan.decisions.append(
        Suppress(
            reason=Why.NO_CHANNEL, message_kind=news.kind, shipment_ref=news.shipment_ref, recipient=contact.role,
            event_ids=news.event_ids,
        )
    )  # fmt: skip
    if contact.role == CUSTOMER:
        open_case(situation, plan, CaseKind.UNREACHABLE, "", reason=Why.CUSTOMER_UNREACHABLE, detail=news.kind)


def plan_message(
    situation: Situation, plan: Plan, *, kind: MessageKind, ref: str, occurrence: int, contact: Contact,
    channel: Channel, hints: Hints, event_ids: tuple[str, ...] = (), reason: Why = Why.NEWS,
    copy_of: str | None = None,
) -> None:  # fmt: skip
    """Plan one delivery: now, after the quiet hours, or not at all when the day's cap is reached."""
    policy, now = situation.brand.policy, situation.now
    critical = kind in policy.critical_kinds
    common = {
        "message_kind": kind, "shipment_ref": ref, "occurrence": occurrence, "event_ids": event_ids,
        "recipient": contact.role, "channel": channel,
    }  # fmt: skip
    if not critical and _told_today(plan, contact, channel) >= policy.daily_cap:
        plan.decisions.append(Suppress(reason=Why.DAILY_CAP, inputs={"cap": policy.daily_cap}, **common))
        return
    quiet_end = quiet_until(policy.quiet_hours, channel, critical=critical, zone=contact.zone, now=now)
    start = quiet_end + jitter(situation.order_id, policy.jitter) if quiet_end else now
    due = start + policy.receipt_window if critical and channel in situation.receipts else None
    plan.messages.append(
        NewMessage(
            kind=kind, shipment_ref=ref, occurrence=occurrence, contact=contact, channel=channel,
            provider=situation.providers[channel], critical=critical,
            state=DeliveryState.HELD if quiet_end else DeliveryState.PLANNED, not_before=start,
            not_after=start + policy.useful_life, receipt_due_at=due, hints=hints, copy_of=copy_of,
        )
    )  # fmt: skip
    if quiet_end:
        plan.decisions.append(Hold(reason=Why.QUIET_HOURS, until=start, **common))
        plan.deadlines.append(Deadline(at=start, what=f"quiet hours end, {kind}"))
    else:
        plan.decisions.append(Send(reason=reason, **common))
    if due is not None:
        plan.deadlines.append(Deadline(at=due, what=f"receipt of {kind}"))


def _told_today(plan: Plan, contact: Contact, channel: Channel) -> int:
    """Messages of today to this person on this channel, those of this step included."""
    planned = sum(m.channel is channel and m.contact.person_id == contact.person_id for m in plan.messages)
    return contact.sent_today.get(channel, 0) + planned
