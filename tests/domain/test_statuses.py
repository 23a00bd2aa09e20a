"""The status table: complete, and each cell as it was reviewed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.statuses import (
    STAGE,
    TRANSITIONS,
    Move,
    Reinterpret,
    Stay,
    source_precedence,
    transition,
)
from ordertrail.domain.vocabulary import ShipmentStatus

S = ShipmentStatus
STATUSES = st.sampled_from(ShipmentStatus)

SHORT = dict(zip("ULPTOARHEDBXC", ShipmentStatus, strict=True))

REVIEWED = """
      U L P T O A R H E D B X C
  U   . m m m m m m m m m m m m
  L   . . m m m m m m m m m m m
  P   . . . m m m m m m m m m m
  T   . . . . m m m m m m m m m
  O   . . . m . m m m m m m m m
  A   . . . m m . m m m m m m m
  R   . . . m m m . m m m m m m
  H   . . m m m m m . m m m m m
  E   . . m m m m m m . m m m m
  D   . . . . . . . . m . m m .
  B   . . . . . . . . m X . m .
  X   . . . . . . . . . . . . .
  C   . . m m m m m m m m m m .
"""
"""`m` move, `.` stay, a letter: reinterpreted as that status. Rows are the current status, columns the reported one."""


def _letter(answer: Move | Stay | Reinterpret) -> str:
    match answer:
        case Move():
            return "m"
        case Stay():
            return "."
        case Reinterpret(as_status=status):
            return next(letter for letter, meant in SHORT.items() if meant is status)


def test_the_table_answers_every_pair():
    assert set(TRANSITIONS) == set(ShipmentStatus)
    assert all(set(row) == set(ShipmentStatus) for row in TRANSITIONS.values())
    assert sum(len(row) for row in TRANSITIONS.values()) == 13 * 13


def test_every_cell_is_as_reviewed():
    header, *rows = [line.split() for line in REVIEWED.strip().splitlines()]
    assert header == list(SHORT)
    for current, *cells in rows:
        answers = [_letter(TRANSITIONS[SHORT[current]][SHORT[reported]]) for reported in header]
        assert answers == cells, f"row {SHORT[current]}"
    assert [row[0] for row in rows] == header


def test_the_table_cannot_be_changed_at_run_time():
    row: Any = TRANSITIONS[S.DELIVERED]
    with pytest.raises(TypeError):
        row[S.IN_TRANSIT] = Move()


@given(STATUSES, st.booleans(), st.booleans())
def test_an_unknown_code_never_moves_anything(current, to_sender, going_back):
    assert transition(current, S.UNKNOWN, to_sender=to_sender, going_back=going_back) == Stay()


@given(STATUSES, STATUSES, st.booleans(), st.booleans())
def test_what_is_or_was_on_its_way_back_is_never_delivered_to_the_customer(current, reported, to_sender, going_back):
    answer = transition(current, reported, to_sender=to_sender, going_back=going_back)
    if to_sender or going_back:
        assert not (isinstance(answer, Move) and reported is S.DELIVERED)
        assert not (isinstance(answer, Reinterpret) and answer.as_status is S.DELIVERED)


@pytest.mark.parametrize("current", [S.IN_TRANSIT, S.EXCEPTION, S.ON_HOLD, S.DELIVERED])
def test_a_delivery_to_the_sender_is_a_return_from_anywhere(current):
    answer = transition(current, S.DELIVERED, to_sender=True, going_back=False)
    assert answer == Reinterpret(as_status=S.RETURNED)


def test_after_an_exception_on_the_way_back_forward_words_mean_the_way_back():
    assert transition(S.EXCEPTION, S.IN_TRANSIT, to_sender=False, going_back=True) == Reinterpret(as_status=S.RETURNING)
    assert transition(S.EXCEPTION, S.IN_TRANSIT, to_sender=False, going_back=False) == Move()


def test_stages_are_those_of_the_vocabulary():
    assert {status: STAGE[status] for status in ShipmentStatus if STAGE[status] <= 4} == {
        S.UNKNOWN: 0,
        S.LABEL_CREATED: 1,
        S.PICKED_UP: 2,
        S.IN_TRANSIT: 3,
        S.OUT_FOR_DELIVERY: 4,
        S.DELIVERY_ATTEMPTED: 4,
        S.READY_FOR_PICKUP: 4,
    }
    assert min(STAGE[end] for end in (S.DELIVERED, S.RETURNED, S.CANCELLED)) > STAGE[S.RETURNING] > STAGE[S.EXCEPTION]


def test_the_nearer_source_is_trusted_more():
    nearest_first = ["driver:van-7", "carrier:dhl", "easypost:main", "oms:erp", "somebody"]
    ranks = [source_precedence(source) for source in nearest_first]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)


@pytest.mark.parametrize(
    ("one", "other"), [("Driver-App", "own-fleet"), ("aggregator:x", "AfterShip"), ("", "someone else")]
)
def test_sources_of_one_sort_are_trusted_alike(one, other):
    assert source_precedence(one) == source_precedence(other)
