"""A message with missing, wrong or overtaken facts does not leave, for a reason from the list."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ordertrail.domain.order import Totals
from ordertrail.domain.promise import DatePromise
from ordertrail.domain.vocabulary import MessageKind
from ordertrail.messages.preflight import REQUIRED, Blocked, BlockReason, Ready, preflight, states_promise
from ordertrail.messages.samples_extreme import SAMPLES
from tests.messages.facts import DAY, HAPPENED, KINDS, NOW, PARCEL, K, facts

OFFER = facts(K.OFFER).offer
NO_LINK = OFFER.model_copy(update={"url": "javascript:1"}) if OFFER else None
ENDED = OFFER.model_copy(update={"until": DatePromise(on=date(2026, 11, 21), zone="Europe/Madrid")}) if OFFER else None
MISTYPED = PARCEL.model_copy(update={"carrier": "ups", "tracking_number": "1Z999AA10123456785"})
OPEN_LINK = PARCEL.model_copy(update={"tracking_url": "https://track.example/{tracking_number}"})
ESCAPED_GAP = PARCEL.model_copy(update={"tracking_url": "https://track.example/%7Bnumber%7D"})
FTP = PARCEL.model_copy(update={"tracking_url": "ftp://x"})
YESTERDAY = DatePromise(on=date(2026, 11, 21), zone="Europe/Madrid")
AFTER_DAY = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS)
def test_complete_facts_are_ready(kind: MessageKind) -> None:
    assert preflight(facts(kind), NOW) == Ready()


def test_every_kind_with_templates_has_a_rule() -> None:
    assert set(REQUIRED) == set(KINDS) == set(MessageKind)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        (K.ORDER_CONFIRMATION, {"lines": ()}, BlockReason.LINES_MISSING),
        (K.ORDER_UPDATE, {"stage": None}, BlockReason.STAGE_MISSING),
        (K.ORDER_UPDATE, {"stage": "changed", "changes": ()}, BlockReason.CHANGES_MISSING),
        (K.SHIPPED, {"shipment": None}, BlockReason.SHIPMENT_MISSING),
        (K.IN_TRANSIT, {"shipment": None}, BlockReason.SHIPMENT_MISSING),
        (K.OUT_FOR_DELIVERY, {"shipment": None}, BlockReason.SHIPMENT_MISSING),
        (K.DELIVERY_ATTEMPTED, {"shipment": None}, BlockReason.SHIPMENT_MISSING),
        (K.READY_FOR_PICKUP, {"pickup": None}, BlockReason.PICKUP_PLACE_MISSING),
        (K.REFUNDED, {"refund_amount": None}, BlockReason.REFUND_MISSING),
        (K.REFUNDED, {"refund_currency": None}, BlockReason.REFUND_MISSING),
        (K.DELIVERED, {"page_url": "javascript:alert(1)"}, BlockReason.PAGE_URL_INVALID),
        (K.SHIPPED, {"shipment": FTP}, BlockReason.TRACKING_URL_INVALID),
        (K.ORDER_CONFIRMATION, {"promise": YESTERDAY}, BlockReason.PROMISE_PAST),
        (K.BACK_ON_TRACK, {"promise": YESTERDAY}, BlockReason.PROMISE_PAST),
        (K.SHIPPED, {"shipment": MISTYPED}, BlockReason.TRACKING_NUMBER_INVALID),
        (K.DELAY, {"shipment": MISTYPED}, BlockReason.TRACKING_NUMBER_INVALID),
        (K.SHIPPED, {"shipment": OPEN_LINK}, BlockReason.LINK_UNRESOLVED),
        (K.SHIPPED, {"shipment": ESCAPED_GAP}, BlockReason.LINK_UNRESOLVED),
        (K.DELIVERED, {"page_url": "https://o.example/t/{token}"}, BlockReason.LINK_UNRESOLVED),
        (K.FEEDBACK_INVITE, {"feedback_url": None}, BlockReason.FEEDBACK_LINK_MISSING),
        (K.SUPPORT_REPLY, {"reply": (" ",)}, BlockReason.REPLY_MISSING),
        (K.DIGEST, {"digest": ()}, BlockReason.DIGEST_EMPTY),
        (K.OFFER, {"offer": None}, BlockReason.OFFER_MISSING),
        (K.OFFER, {"offer": NO_LINK}, BlockReason.OFFER_MISSING),
        (K.OFFER, {"unsubscribe_url": None}, BlockReason.UNSUBSCRIBE_MISSING),
        (K.OFFER, {"offer": ENDED}, BlockReason.OFFER_OVER),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(kind: MessageKind, changes: dict[str, Any], reason: BlockReason) -> None:
    assert preflight(facts(kind, **changes), NOW) == Blocked(reason=reason)


# The bare and the hostile ones show messages whose facts would be held.
@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"bare", "hostile"}))
@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_fit_to_send(kind: MessageKind, name: str) -> None:
    assert preflight(SAMPLES[name](kind), NOW) == Ready()


@pytest.mark.parametrize("kind", [K.SHIPPED, K.IN_TRANSIT, K.OUT_FOR_DELIVERY, K.ORDER_UPDATE])
def test_a_date_that_went_by_while_waiting_blocks(kind: MessageKind) -> None:
    assert preflight(facts(kind, promise=DAY), AFTER_DAY) == Blocked(reason=BlockReason.PROMISE_PAST)


@pytest.mark.parametrize("kind", [K.SHIPPED, K.IN_TRANSIT, K.OUT_FOR_DELIVERY, K.ORDER_UPDATE])
def test_late_news_is_told_without_its_old_date(kind: MessageKind) -> None:
    late = facts(kind, promise=YESTERDAY)
    assert preflight(late, NOW) == Ready() and not states_promise(late)


@pytest.mark.parametrize("kind", [K.DELAY, K.DELIVERED, K.ISSUE, K.CORRECTION, K.DELIVERY_ATTEMPTED, K.REFUNDED])
def test_news_that_matters_more_than_its_date_leaves(kind: MessageKind) -> None:
    assert preflight(facts(kind, promise=DAY), AFTER_DAY) == Ready()


def test_a_promised_day_lasts_until_it_ends_there() -> None:
    end = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)  # midnight in Madrid
    assert preflight(facts(K.SHIPPED), end - timedelta(seconds=1)) == Ready()
    assert preflight(facts(K.SHIPPED), end) == Blocked(reason=BlockReason.PROMISE_PAST)


@pytest.mark.parametrize(
    ("total", "items", "ready"),
    [
        ("123.80", "128.90", True),  # tax included
        ("145.29", "128.90", True),  # tax on top
        ("123.81", "128.90", True),  # a cent
        ("123.90", "128.90", False),
        ("123.82", "128.92", True),  # lines rounded, a cent each
        ("124.80", "129.90", False),
    ],
)
def test_sums_that_do_not_add_up_block_a_confirmation(total: str, items: str, ready: bool) -> None:
    totals = Totals(
        items=Decimal(items), shipping=Decimal("4.90"), tax=Decimal("21.49"), discount=Decimal(10), total=Decimal(total)
    )
    expected = Ready() if ready else Blocked(reason=BlockReason.TOTALS_WRONG)
    assert preflight(facts(K.ORDER_CONFIRMATION, totals=totals), HAPPENED) == expected
    assert preflight(facts(K.SHIPPED, totals=totals), HAPPENED) == Ready()
