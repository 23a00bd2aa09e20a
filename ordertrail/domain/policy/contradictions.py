"""The news of one step read together, as the customer would: nothing twice, and nothing that another part denies."""

from collections.abc import Sequence
from dataclasses import replace

from ordertrail.domain.decisions import Why
from ordertrail.domain.ids import ORDER_SCOPE
from ordertrail.domain.policy.news import News, unchanged
from ordertrail.domain.policy.situation import Plan, Situation
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import Condition, MessageKind

_K = MessageKind
_GOOD_NEWS = frozenset({_K.SHIPPED, _K.OUT_FOR_DELIVERY, _K.DELIVERED, _K.READY_FOR_PICKUP})
_STATES_A_DATE = frozenset(
    {_K.SHIPPED, _K.IN_TRANSIT, _K.OUT_FOR_DELIVERY, _K.DELIVERY_ATTEMPTED, _K.ISSUE, _K.ORDER_UPDATE}
)
"""Kinds that name when to expect the goods; `back_on_track` names the date that holds again."""


def without_contradictions(situation: Situation, plan: Plan, found: Sequence[News]) -> list[News]:
    """The same news, with what must not be said beside the rest silenced, replaced or corrected."""
    alone = len(situation.state.shipments) <= 1
    kept: list[News] = []
    for news in found:
        others = [other for other in (*kept, *found[len(kept) + 1 :]) if _about_the_same(news, other, alone=alone)]
        told = frozenset(other.kind for other in others if other.unsaid is None)
        if news.unsaid is not None:
            kept.append(news)
        elif news.kind is _K.BACK_ON_TRACK:
            before = any(other.kind is _K.BACK_ON_TRACK and other.unsaid is None for other in kept if other in others)
            kept.append(_good_news(plan, news, told, said=before))
        elif news.kind is _K.DELAY and _K.ISSUE in told and news.hints.promise is None:
            # One thing went wrong and both rules saw it: the issue says what, and a delay without a date adds nothing.
            kept.append(replace(news, unsaid=Why.OVERTAKEN, believe=unchanged, case=None))
        else:
            kept.append(news)
    dates = _dates(plan, kept)
    return [_with_date(news, dates) for news in kept]


def _about_the_same(one: News, other: News, *, alone: bool) -> bool:
    """In an order of one parcel, the order and the parcel are the same to the customer."""
    return one is not other and (alone or one.shipment_ref == other.shipment_ref)


def _good_news(plan: Plan, news: News, told: frozenset[MessageKind], *, said: bool) -> News:
    """`back_on_track` says nothing beside the good news itself, is said once, and never while something is late."""
    if said or told & _GOOD_NEWS:
        return replace(news, unsaid=Why.OVERTAKEN)
    late = {*plan.conditions.get(news.shipment_ref, ()), *plan.conditions.get(ORDER_SCOPE, ())}
    if late & {Condition.DELAYED, Condition.STALE} or _K.DELAY in told:
        return replace(news, kind=news.instead) if news.instead else replace(news, unsaid=Why.OVERTAKEN)
    return news


def _dates(plan: Plan, found: Sequence[News]) -> dict[str, Promise]:
    """The date the customer was given last where something is late, per scope."""
    dates = {key: delay.promise for key, delay in plan.memory.delays.items() if delay.promise is not None}
    for news in found:
        if news.kind is _K.DELAY and news.unsaid is None and news.hints.promise is not None:
            dates[news.shipment_ref] = news.hints.promise
    return dates


def _with_date(news: News, dates: dict[str, Promise]) -> News:
    """The same date in every message: a shop's first promise is not repeated once a later one was given."""
    date = dates.get(news.shipment_ref) or dates.get(ORDER_SCOPE)
    if date is None or news.kind not in _STATES_A_DATE or news.hints.promise is None:
        return news
    return replace(news, hints=news.hints.model_copy(update={"promise": date}))
