"""From news to messages: each piece of news is told, held, or suppressed for a stated reason."""

from datetime import timedelta

from ordertrail.domain.decisions import Hold, Send, Suppress, Why
from ordertrail.domain.policy.channels import audience, choose, quiet_until
from ordertrail.domain.policy.escalation import open_case
from ordertrail.domain.policy.memory import Pending
from ordertrail.domain.policy.news import News
from ordertrail.domain.policy.situation import Contact, Deadline, Hints, NewMessage, Plan, Situation
from ordertrail.domain.vocabulary import CaseKind, Channel, DeliveryState, MessageKind


def announce(situation: Situation, plan: Plan, found: list[News]) -> None:
    """Decide all news of one step, and drop what was waiting and is no longer true."""
    still_waiting: dict[str, Pending] = {}
    for news in found:
        key = f"{news.shipment_ref}|{news.kind}|{news.name}"
        if (reason := _why_not(situation, news)) is not None:
            plan.memory = news.mark(plan.memory)
            plan.decisions.append(_suppress(news, reason))
        elif (pending := _wait(situation, plan, news, key)) is not None:
            still_waiting[key] = pending
            plan.decisions.append(_hold(situation, plan, news, key, pending))
            plan.deadlines.append(Deadline(at=pending.until, what=f"release {news.kind}"))
        else:
            _tell(situation, plan, news)
        if news.case is not None and reason is not Why.IMPORTED:
            open_case(situation, plan, news.case, news.shipment_ref, reason=_case_reason(news))
    for key in (
        plan.memory.pending.keys() - still_waiting.keys() - {f"{n.shipment_ref}|{n.kind}|{n.name}" for n in found}
    ):
        ref, kind, _ = key.split("|", 2)
        plan.decisions.append(Suppress(reason=Why.OVERTAKEN, message_kind=MessageKind(kind), shipment_ref=ref))
    plan.memory = plan.memory.model_copy(update={"pending": still_waiting})


def _case_reason(news: News) -> Why:
    return Why.SHIPMENT_PROBLEM if news.shipment_ref else Why.ORDER_PROBLEM


def _why_not(situation: Situation, news: News) -> Why | None:
    """The reason never to tell this, if there is one."""
    policy = situation.brand.policy
    if situation.order.imported:
        return Why.IMPORTED
    if news.case is CaseKind.MOVED_AFTER_CANCEL and news.overtaken:
        return Why.PERSON_DECIDES
    if news.overtaken:
        return Why.OVERTAKEN
    if news.kind not in policy.critical_kinds and situation.now - news.occurred_at > policy.late_after:
        return Why.TOO_LATE
    return None


def _wait(situation: Situation, plan: Plan, news: News, key: str) -> Pending | None:
    """Until when this waits: low-value news for what may overtake it, `shipped` for its tracking number."""
    policy = situation.brand.policy
    span = timedelta(0)
    if not news.ready:
        span = policy.readiness_wait
    elif news.kind in policy.low_value_kinds:
        span = policy.imminence_hold
    if span == timedelta(0):
        return None
    since = plan.memory.pending[key].since if key in plan.memory.pending else situation.now
    return Pending(since=since, until=since + span) if situation.now < since + span else None


def _hold(situation: Situation, plan: Plan, news: News, key: str, pending: Pending) -> Hold:
    del situation
    return Hold(
        reason=Why.IMMINENT if news.ready else Why.NOT_READY,
        message_kind=news.kind,
        shipment_ref=news.shipment_ref,
        until=pending.until,
        event_ids=news.event_ids,
        inputs={"again": key in plan.memory.pending},
    )


def _suppress(news: News, reason: Why) -> Suppress:
    return Suppress(
        reason=reason, message_kind=news.kind, shipment_ref=news.shipment_ref, event_ids=news.event_ids,
        inputs={"happened_at": news.occurred_at.isoformat()},
    )  # fmt: skip


def _tell(situation: Situation, plan: Plan, news: News) -> None:
    occurrence = plan.memory.occurrence(news.kind, news.shipment_ref)
    plan.memory = news.mark(plan.memory)
    counts = {**plan.memory.occurrences, f"{news.shipment_ref}:{news.kind}": occurrence}
    plan.memory = plan.memory.model_copy(update={"occurrences": counts})
    for contact in audience(news.kind, situation.contacts):
        channels = choose(news.kind, contact, situation.brand.policy)
        if not channels:
            _nobody_reached(situation, plan, news, contact)
        for channel in channels:
            plan_message(
                situation, plan, kind=news.kind, ref=news.shipment_ref, occurrence=occurrence, contact=contact,
                channel=channel, hints=news.hints, event_ids=news.event_ids,
            )  # fmt: skip


def _nobody_reached(situation: Situation, plan: Plan, news: News, contact: Contact) -> None:
    plan.decisions.append(
        Suppress(
            reason=Why.NO_CHANNEL, message_kind=news.kind, shipment_ref=news.shipment_ref, recipient=contact.role,
            event_ids=news.event_ids,
        )
    )  # fmt: skip
    open_case(situation, plan, CaseKind.UNREACHABLE, "", reason=Why.CUSTOMER_UNREACHABLE, detail=news.kind)


def plan_message(
    situation: Situation, plan: Plan, *, kind: MessageKind, ref: str, occurrence: int, contact: Contact,
    channel: Channel, hints: Hints, event_ids: tuple[str, ...] = (), reason: Why = Why.NEWS,
    copy_of: str | None = None,
) -> None:  # fmt: skip
    """Plan one delivery: now, after the quiet hours, or not at all when the day's cap is reached."""
    policy, now = situation.brand.policy, situation.now
    critical = kind in policy.critical_kinds
    shown = {"message_kind": kind, "shipment_ref": ref, "occurrence": occurrence, "event_ids": event_ids}
    planned = sum(m.channel is channel and m.contact.person_id == contact.person_id for m in plan.messages)
    if not critical and contact.sent_today.get(channel, 0) + planned >= policy.daily_cap:
        plan.decisions.append(
            Suppress(
                reason=Why.DAILY_CAP, recipient=contact.role, channel=channel, inputs={"cap": policy.daily_cap}, **shown
            )
        )
        return
    quiet_end = quiet_until(policy.quiet_hours, channel, critical=critical, zone=contact.zone, now=now)
    start = quiet_end or now
    waits = situation.receipts & {channel} and critical
    plan.messages.append(
        NewMessage(
            kind=kind, shipment_ref=ref, occurrence=occurrence, contact=contact, channel=channel,
            provider=situation.providers[channel], critical=critical,
            state=DeliveryState.HELD if quiet_end else DeliveryState.PLANNED, not_before=start,
            not_after=start + policy.useful_life, receipt_due_at=start + policy.receipt_window if waits else None,
            hints=hints, copy_of=copy_of,
        )
    )  # fmt: skip
    if quiet_end:
        decision: Hold | Send = Hold(
            reason=Why.QUIET_HOURS, until=quiet_end, recipient=contact.role, channel=channel, **shown
        )
        plan.deadlines.append(Deadline(at=quiet_end, what=f"quiet hours end, {kind}"))
    else:
        decision = Send(reason=reason, recipient=contact.role, channel=channel, **shown)
    plan.decisions.append(decision)
    if waits:
        plan.deadlines.append(Deadline(at=start + policy.receipt_window, what=f"receipt of {kind}"))
