"""The count must find what it is there to find: each kind of evidence that something went wrong, made up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.client import Ledger
from tests.chaos.evidence import Delivery, Evidence
from tests.chaos.judging import judge
from tests.chaos.lives import Life, lives
from tests.chaos.monkey import plan
from tests.chaos.providers import SENDGRID, TWILIO, Message, Report

NUMBER, ORDER, ADDRESS = "K1-0001", "ord_1", "buyer@customer.example"
LIFE = Life(
    number=NUMBER, brand="careful", plot="parcels", begins=0, order={}, posts=(),
    expected={("order_confirmation", ADDRESS): 1},
)  # fmt: skip
DELIVERY = Delivery(
    id="dlv_1", key="k1", order_id=ORDER, kind="order_confirmation", channel="email", provider=SENDGRID, critical=True,
    state="delivered", reason=None, address=ADDRESS, attempts=1, ambiguous=0,
)  # fmt: skip
MESSAGE = Message(
    provider=SENDGRID, number=0, provider_id="m0", to=ADDRESS, delivery_id="dlv_1",
    text=f"Your order {NUMBER} is confirmed", at=10.0,
)  # fmt: skip
AGAIN = replace(MESSAGE, number=1, provider_id="m1", at=20.0)
UNKNOWN = replace(DELIVERY, state="unknown", critical=False, ambiguous=1)


def evidence(**changes: Any) -> Evidence:
    """A run in which all went well, but for what is changed."""
    ledger = Ledger(order_ids={NUMBER: ORDER}, accepted={(NUMBER, "oms", "e1")})
    found = Evidence(lives=[LIFE], ledger=ledger, messages=[MESSAGE], deliveries=[DELIVERY])
    found.appended[ORDER, "api:oms", "e1"] = 1
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_a_run_in_which_all_went_well_has_no_violation() -> None:
    verdict = judge(evidence())
    assert (verdict.violations, verdict.doubles, verdict.untold, verdict.ambiguous) == ((), 0, 0, ())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"messages": []}, "is 0 times at its provider"),
        ({"messages": [MESSAGE, AGAIN]}, "is 2 times at its provider"),
        ({"messages": [MESSAGE, replace(AGAIN, delivery_id="dlv_9")]}, "belong to no delivery"),
        ({"messages": [replace(MESSAGE, text=f"Your order {NUMBER} has been cancelled")]}, "cancelled to"),
        ({"messages": [replace(MESSAGE, to="other@customer.example")]}, "order_confirmation to other"),
        ({"deliveries": [DELIVERY, replace(DELIVERY, id="dlv_2", state="failed")]}, "the key k1 was given 2 times"),
        ({"deliveries": [replace(DELIVERY, state="superseded")]}, "is 1 times at its provider"),
        ({"deliveries": [replace(UNKNOWN, critical=True)]}, "given up though it could be resolved"),
        ({"deliveries": [replace(UNKNOWN, provider=TWILIO)]}, "given up though it could be resolved"),
        ({"unsettled": "3 handoffs"}, "not settled: 3 handoffs"),
        ({"wedged": ["order:x has a workflow task pending"]}, "workflow task pending"),
        ({"reports": [Report(provider=SENDGRID, message=0, status=500, lost=False, at=0)]}, "callbacks saw 1"),
    ],
)
def test_what_must_not_be_is_a_violation(changes: dict[str, Any], words: str) -> None:
    assert any(words in violation for violation in judge(evidence(**changes)).violations)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: found.appended.clear(), "0 times on the timeline"),
        (lambda found: found.appended.update([(ORDER, "api:oms", "e1")]), "2 times on the timeline"),
        (lambda found: found.inbox.update([("dead", "invalid")]), "1 dead letters for 'invalid', 0 provoked"),
        (lambda found: found.ledger.provoked.update(["invalid"]), "0 dead letters for 'invalid', 1 provoked"),
        (lambda found: found.undeliverable.update([ORDER]), "whose customer can be reached"),
        (lambda found: found.ledger.statuses.update(["500"]), "senders saw 1 answers 500"),
        (lambda found: found.ledger.order_ids.clear(), "never placed: K1-0001"),
        (lambda found: found.ledger.refused.append("e9 from oms: 404"), "e9 from oms: 404"),
    ],
)
def test_what_senders_and_tables_know_counts_too(change: Callable[[Evidence], None], words: str) -> None:
    found = evidence()
    change(found)
    assert any(words in violation for violation in judge(found).violations)


def test_a_double_is_allowed_only_where_nobody_could_know() -> None:
    unclear = replace(DELIVERY, ambiguous=1, attempts=2)
    late = Report(provider=SENDGRID, message=0, status=204, lost=False, at=25.0)
    allowed = judge(evidence(messages=[MESSAGE, AGAIN], deliveries=[unclear], reports=[late]))
    assert (allowed.violations, allowed.doubles) == ((), 1)
    assert "1 of 2 attempts unclear; 2 times at its provider" in allowed.ambiguous[0]
    known = replace(late, at=15.0)
    for delivery, report in ((unclear, known), (replace(unclear, critical=False), late), (DELIVERY, late)):
        refused = judge(evidence(messages=[MESSAGE, AGAIN], deliveries=[delivery], reports=[report]))
        assert any("is 2 times at its provider" in violation for violation in refused.violations)


def test_a_message_may_be_missing_only_if_it_was_given_up_as_unknown() -> None:
    verdict = judge(evidence(messages=[], deliveries=[UNKNOWN]))
    assert (verdict.violations, verdict.untold) == ((), 1)
    assert judge(evidence(messages=[], deliveries=[])).violations


def test_a_seed_gives_the_same_lives_and_the_same_plan() -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert lives(7, orders=30, seconds=10, life_seconds=5, now=now) == lives(
        7, orders=30, seconds=10, life_seconds=5, now=now
    )
    acts = plan(7, acts=12, seconds=20, outages=("locked",), longest_outage=3)
    assert acts == plan(7, acts=12, seconds=20, outages=("locked",), longest_outage=3)
    assert len({act.what for act in acts}) == 9
