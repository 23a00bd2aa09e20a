"""Whatever the order and number of arrivals, the same scans end in the same state."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.events import Envelope, ShipmentShipped
from ordertrail.domain.fold import fold_shipment
from ordertrail.domain.vocabulary import Milestone, ReasonCode, ShipmentStatus
from tests.domain.builders import at, on, parcel, said, scan

S = ShipmentStatus
FORWARD = (S.LABEL_CREATED, S.PICKED_UP, S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.DELIVERY_ATTEMPTED, S.READY_FOR_PICKUP)

_maybe = st.none()
_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "delayed": _maybe | st.booleans(),
        "stale": st.booleans(),
        "reason_code": _maybe | st.sampled_from(ReasonCode),
        "action_required": st.booleans(),
        "attempt_no": _maybe | st.integers(1, 4),
        "milestone": _maybe | st.sampled_from(Milestone),
        "promise": _maybe | st.integers(1, 28).map(on),
        "to_sender": st.sampled_from([False, False, False, True]),
        "source_version": _maybe | st.integers(0, 3),
    },
)


@st.composite
def scans(draw: st.DrawFn, statuses: tuple[S, ...] = tuple(S)) -> Envelope:
    """Few hours, ids and sources on purpose: ties, repeated ids and contradictions must be common."""
    hours = draw(st.integers(0, 60))
    facts: dict[str, Any] = draw(_FACTS)
    if draw(st.integers(0, 9)) == 0:
        return said(ShipmentShipped, hours, shipment=parcel(), event_id=f"E{draw(st.integers(0, 15))}")
    return scan(
        draw(st.sampled_from(statuses)),
        hours,
        source=draw(st.sampled_from(["driver", "carrier:ups", "easypost", "elsewhere"])),
        event_id=f"E{draw(st.integers(0, 15))}",
        recorded=at(hours) + timedelta(hours=draw(st.integers(-5, 5))),
        **facts,
    )


@st.composite
def told_differently(draw: st.DrawFn) -> tuple[list[Envelope], list[Envelope]]:
    """The same entries twice: once as they are, once shuffled, with some sent again later."""
    entries = draw(st.lists(scans(), max_size=14))
    repeated = draw(st.lists(st.sampled_from(entries), max_size=6)) if entries else []
    later = [
        e.model_copy(update={"recorded_at": e.recorded_at + timedelta(hours=draw(st.integers(0, 9)))}) for e in repeated
    ]
    return entries, list(draw(st.permutations([*entries, *later])))


@given(told_differently())
def test_any_shuffle_and_duplication_ends_in_the_same_fold(told):
    entries, otherwise = told
    assert fold_shipment(otherwise) == fold_shipment(entries)


@given(st.lists(scans(FORWARD), max_size=10), st.integers(0, 60))
def test_a_delivery_wins_over_every_forward_scan_before_or_after(forward, hours):
    forward = [e for e in forward if not getattr(e.event, "to_sender", False)]
    folded = fold_shipment([scan(S.DELIVERED, hours, event_id="the-delivery", source="carrier:ups"), *forward])
    assert folded.status is S.DELIVERED
    assert not folded.reversed_delivery


@given(st.lists(scans(), max_size=14))
def test_what_once_turned_back_is_never_again_delivered_to_the_customer(entries):
    folded = fold_shipment(entries)
    turned = [i for i, e in enumerate(folded.episodes) if e.status in (S.RETURNING, S.RETURNED)]
    assert folded.going_back is bool(turned)
    assert all(e.status is not S.DELIVERED for e in folded.episodes[turned[0] :]) if turned else True


@given(st.lists(scans(), max_size=14))
def test_the_present_is_the_last_episode_and_time_never_runs_back(entries):
    folded = fold_shipment(entries)
    times = [episode.since for episode in folded.episodes]
    assert times == sorted(times)
    assert folded.status is (folded.episodes[-1].status if folded.episodes else S.UNKNOWN)
    before = [S.UNKNOWN, *(episode.status for episode in folded.episodes)]
    assert [episode.after for episode in folded.episodes] == before[:-1]


@given(st.lists(scans(), max_size=10), scans((S.UNKNOWN,)))
def test_an_unknown_code_changes_no_status(entries, unknown):
    unknown = unknown.model_copy(update={"event_id": "the-unknown"})
    if unknown.kind == "tracking":
        assert fold_shipment([*entries, unknown]).episodes == fold_shipment(entries).episodes
