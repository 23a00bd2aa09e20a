"""The last look at a message before it is rendered: are its facts complete, consistent and still true?"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from ordertrail.domain.message import MessageFacts
from ordertrail.domain.promise import DatePromise, Promise, WindowPromise
from ordertrail.domain.vocabulary import MessageKind
from ordertrail.messages.clean import web_url
from ordertrail.messages.tracking_numbers import tracking_number_plausible

_K = MessageKind
_GAP = re.compile(r"[{}\[\]]|%7[BD]|\$\(|%s|<|>", re.IGNORECASE)
"""What a template's placeholder leaves in an address it was not filled into."""


class BlockReason(StrEnum):
    """Why a message must not leave as it is."""

    LINES_MISSING = "lines_missing"
    STAGE_MISSING = "stage_missing"
    CHANGES_MISSING = "changes_missing"
    SHIPMENT_MISSING = "shipment_missing"
    PICKUP_PLACE_MISSING = "pickup_place_missing"
    REFUND_MISSING = "refund_missing"
    PROMISE_PAST = "promise_past"
    TOTALS_WRONG = "totals_wrong"
    TRACKING_URL_INVALID = "tracking_url_invalid"
    TRACKING_NUMBER_INVALID = "tracking_number_invalid"
    LINK_UNRESOLVED = "link_unresolved"
    FEEDBACK_LINK_MISSING = "feedback_link_missing"
    REPLY_MISSING = "reply_missing"
    DIGEST_EMPTY = "digest_empty"
    OFFER_MISSING = "offer_missing"
    UNSUBSCRIBE_MISSING = "unsubscribe_missing"
    OFFER_OVER = "offer_over"
    PAGE_URL_INVALID = "page_url_invalid"


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The message may be rendered."""

    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """The message must not leave; the reason is counted and stored with the delivery."""

    reason: BlockReason
    kind: Literal["blocked"] = "blocked"


Preflight = Ready | Blocked

Required = tuple[BlockReason, Callable[[MessageFacts], bool]]

_SHIPMENT: Required = (BlockReason.SHIPMENT_MISSING, lambda facts: facts.shipment is not None)
_STAGE: Required = (BlockReason.STAGE_MISSING, lambda facts: facts.stage is not None)


def _place_known(facts: MessageFacts) -> bool:
    """A pickup point, or at least a carrier's number by which the customer finds it."""
    parcel = facts.shipment
    return facts.pickup is not None or (parcel is not None and bool(parcel.tracking_number or parcel.tracking_url))


REQUIRED: dict[MessageKind, tuple[Required, ...]] = {
    _K.ORDER_CONFIRMATION: ((BlockReason.LINES_MISSING, lambda facts: bool(facts.lines)),),
    _K.ORDER_UPDATE: (
        _STAGE,
        (BlockReason.CHANGES_MISSING, lambda facts: facts.stage != "changed" or bool(facts.changes)),
    ),
    # A parcel without a tracking number may leave: the wait for one has been decided before (policy.readiness_wait).
    _K.SHIPPED: (_SHIPMENT,),
    _K.IN_TRANSIT: (_SHIPMENT,),
    _K.OUT_FOR_DELIVERY: (_SHIPMENT,),
    _K.READY_FOR_PICKUP: ((BlockReason.PICKUP_PLACE_MISSING, _place_known),),
    _K.DELIVERY_ATTEMPTED: (_SHIPMENT,),
    _K.DELIVERED: (),
    _K.DELAY: (),
    _K.ISSUE: (),
    _K.BACK_ON_TRACK: (),
    _K.CORRECTION: (),
    _K.CANCELLED: (),
    _K.REFUNDED: (
        (
            BlockReason.REFUND_MISSING,
            lambda facts: facts.refund_amount is not None and facts.refund_currency is not None,
        ),
    ),
    _K.RETURNED: (),
    _K.FEEDBACK_INVITE: ((BlockReason.FEEDBACK_LINK_MISSING, lambda facts: bool(web_url(facts.feedback_url))),),
    _K.SUPPORT_REPLY: ((BlockReason.REPLY_MISSING, lambda facts: any(text.strip() for text in facts.reply)),),
    _K.DIGEST: ((BlockReason.DIGEST_EMPTY, lambda facts: bool(facts.digest)),),
    _K.OFFER: (
        (BlockReason.OFFER_MISSING, lambda facts: facts.offer is not None and bool(web_url(facts.offer.url))),
        (BlockReason.UNSUBSCRIBE_MISSING, lambda facts: bool(web_url(facts.unsubscribe_url))),
    ),
}
"""What each kind cannot be told without; every kind is listed."""

_ABOUT_PROMISE = frozenset({_K.ORDER_CONFIRMATION, _K.BACK_ON_TRACK})
"""Kinds that say when to expect the goods, whatever happened before."""
_NEWS_WITH_PROMISE = frozenset({_K.ORDER_UPDATE, _K.SHIPPED, _K.IN_TRANSIT, _K.OUT_FOR_DELIVERY})
"""Kinds whose news is good without a date: a promise that had passed when it happened is not repeated in them."""
_PROMISE_IF_AHEAD = _NEWS_WITH_PROMISE | {_K.DELIVERY_ATTEMPTED, _K.DELAY, _K.CORRECTION}
"""An issue names no date: the one that was promised is in doubt, and a new one comes with a message of its own."""


def states_promise(facts: MessageFacts) -> bool:
    """Whether the message names its promise as a future date."""
    if facts.promise is None:
        return False
    if facts.kind in _ABOUT_PROMISE:
        return True
    if facts.kind is _K.DELIVERY_ATTEMPTED:
        return _after_attempt(facts.promise, facts.happened_at)
    return facts.kind in _PROMISE_IF_AHEAD and facts.promise.ends() > facts.happened_at


def _after_attempt(promise: Promise, attempt: datetime) -> bool:
    """Whether a date can be that of the next try; the day of the one that failed is not."""
    match promise:
        case DatePromise(on=day, zone=zone):
            return day > attempt.astimezone(ZoneInfo(zone)).date()
        case WindowPromise(starts_at=start):
            return start > attempt


def without_past_dates(facts: MessageFacts, now: datetime) -> MessageFacts:
    """The facts as they are told at `now`: news that matters more than its date goes without one that has passed."""
    past = facts.promise is not None and facts.promise.ends() <= now
    tells_all_the_same = facts.kind in (_K.DELAY, _K.CORRECTION, _K.DELIVERY_ATTEMPTED)
    return facts.model_copy(update={"promise": None}) if past and tells_all_the_same else facts


def preflight(facts: MessageFacts, now: datetime) -> Preflight:
    """Whether the message may leave at `now` (aware); the first reason found where it may not."""
    for reason, holds in (*REQUIRED[facts.kind], *_ALWAYS):
        if not holds(facts):
            return Blocked(reason=reason)
    if _promise_past(facts, now):
        return Blocked(reason=BlockReason.PROMISE_PAST)
    if facts.offer is not None and facts.offer.until is not None and facts.offer.until.ends() <= now:
        return Blocked(reason=BlockReason.OFFER_OVER)
    return Ready()


def _promise_past(facts: MessageFacts, now: datetime) -> bool:
    """A date stated as still to come has gone by while the message waited.

    Delay, issue, correction and a failed attempt are told all the same: their news matters more than their date.
    """
    if facts.promise is None or facts.kind not in _ABOUT_PROMISE | _NEWS_WITH_PROMISE:
        return False
    return states_promise(facts) and facts.promise.ends() <= now


def _totals_right(facts: MessageFacts) -> bool:
    return facts.kind is not _K.ORDER_CONFIRMATION or totals_add_up(facts)


def totals_add_up(facts: MessageFacts) -> bool:
    """Whether the sums can be shown: they add up, with taxes either on top or included in the prices.

    Lines may be rounded: one minor unit of the currency each.
    """
    unit = Decimal(1).scaleb(-get_currency_precision(facts.currency))
    totals = facts.totals
    items = sum((line.unit_price * line.quantity for line in facts.lines), Decimal(0))
    net = totals.items + totals.shipping - totals.discount
    adds_up = any(abs(totals.total - total) <= unit for total in (net, net + totals.tax))
    return adds_up and abs(items - totals.items) <= unit * len(facts.lines)


def _tracking_url_valid(facts: MessageFacts) -> bool:
    url = facts.shipment.tracking_url if facts.shipment else None
    return not url or bool(web_url(url))


def _tracking_number_valid(facts: MessageFacts) -> bool:
    parcel = facts.shipment
    return (
        parcel is None
        or not parcel.tracking_number
        or tracking_number_plausible(parcel.carrier, parcel.tracking_number)
    )


def _links_resolved(facts: MessageFacts) -> bool:
    """No link is still a template, such as 'https://track.example/{number}'."""
    parcel, offer = facts.shipment, facts.offer
    links = (
        facts.page_url, facts.short_url, facts.feedback_url, facts.unsubscribe_url,
        parcel and parcel.tracking_url, offer and offer.url,
        *(item.page_url for item in facts.digest),
    )  # fmt: skip
    return not any(_has_gap(link) for link in links if link)


def _has_gap(link: str) -> bool:
    return bool(_GAP.search(link))


_ALWAYS: tuple[Required, ...] = (
    (BlockReason.PAGE_URL_INVALID, lambda facts: bool(web_url(facts.page_url))),
    (BlockReason.LINK_UNRESOLVED, _links_resolved),
    (BlockReason.TRACKING_URL_INVALID, _tracking_url_valid),
    (BlockReason.TRACKING_NUMBER_INVALID, _tracking_number_valid),
    (BlockReason.TOTALS_WRONG, _totals_right),
)
