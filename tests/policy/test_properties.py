"""Whatever happens to an order, in whatever order it is heard of: the promises that every life keeps."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordertrail.domain.vocabulary import Channel, DeliveryState, MessageKind, ShipmentStatus
from tests.policy.lives import Plot, plots
from tests.policy.simulator import UNSENT, Life, Sent

S, K, D = ShipmentStatus, MessageKind, DeliveryState
PROBLEMS = {S.EXCEPTION, S.ON_HOLD}
TOLD_AS = {
    S.DELIVERED: {K.DELIVERED},
    S.RETURNED: {K.RETURNED},
    S.DELIVERY_ATTEMPTED: {K.DELIVERY_ATTEMPTED, K.CORRECTION},
    S.EXCEPTION: {K.ISSUE, K.CORRECTION},
    S.ON_HOLD: {K.ISSUE, K.CORRECTION},
    S.RETURNING: {K.ISSUE, K.CORRECTION},
}
ON_THE_WAY = {K.SHIPPED, K.IN_TRANSIT, K.OUT_FOR_DELIVERY, K.READY_FOR_PICKUP, K.DELIVERY_ATTEMPTED, K.DELAY}
OUT = {K.OUT_FOR_DELIVERY, K.READY_FOR_PICKUP, K.DELIVERY_ATTEMPTED, K.DELIVERED, K.RETURNED}
REOPENS = {K.CORRECTION, K.ISSUE, K.CANCELLED}
lively = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def about(life: Life, ref: str) -> list[Sent]:
    """What was planned by email about one shipment, in order."""
    return [s for s in life.sent.values() if s.view.shipment_ref == ref and s.view.channel is Channel.EMAIL]


@lively
@given(plots(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing_about_where_the_order_stands(plot: Plot, random):
    # The same moments of arrival, given to other entries: only who comes first differs.
    end = max((e.recorded_at for e in plot.arrivals), default=None)
    if end is None:
        return
    shuffled = list(plot.arrivals)
    random.shuffle(shuffled)
    late = [e.model_copy(update={"recorded_at": end + timedelta(minutes=n)}) for n, e in enumerate(shuffled)]
    assert plot.play(tuple(late)).state == plot.play().state


@lively
@given(plots())
def test_the_final_state_of_what_matters_is_told(plot: Plot):
    life = plot.play()
    for shipment in life.state.shipments:
        status, memory = shipment.fold.status, life.memory.shipment(shipment.ref)
        if status in TOLD_AS:
            kinds = {s.view.kind for s in about(life, shipment.ref)}
            assert kinds & TOLD_AS[status], (status, kinds)
            same = memory.believes == status or {memory.believes, status} <= PROBLEMS
            assert same or status is S.DELIVERY_ATTEMPTED, (status, memory)
    if life.state.cancelled_at is not None:
        assert K.CANCELLED in {s.view.kind for s in life.sent.values() if s.view.shipment_ref == ""}


@lively
@given(plots())
def test_every_event_leaves_a_decision_with_a_reason(plot: Plot):
    life = plot.play()
    decided = {event_id for decision in life.decisions for event_id in decision.event_ids}
    assert {entry.event_id for entry in plot.arrivals} <= decided


@lively
@given(plots())
def test_nothing_of_lower_rank_follows_unless_something_was_reopened(plot: Plot):
    life = plot.play()
    for shipment in life.state.shipments:
        arrived = away = False
        for sent in about(life, shipment.ref):
            kind = sent.view.kind
            if arrived and kind in ON_THE_WAY:
                raise AssertionError(f"{kind} after it had arrived")
            if kind is K.SHIPPED:
                assert not away, "shipped after it was out for delivery"
            arrived = kind in (K.DELIVERED, K.RETURNED) or (arrived and kind not in REOPENS)
            away = away or kind in OUT


@lively
@given(plots())
def test_messages_are_no_more_than_what_changed(plot: Plot):
    life = plot.life()
    changes: dict[str, int] = {}
    before: dict[str, object] = {}
    arrivals = sorted(plot.arrivals, key=lambda e: (e.recorded_at, e.event_id))
    for entry in arrivals:
        life.arrive(entry, now=max(life.now, entry.recorded_at))
        for shipment in life.state.shipments:
            fold = shipment.fold
            seen = (fold.status, fold.since, len(fold.episodes), fold.milestone, fold.action_required)
            changes[shipment.ref] = changes.get(shipment.ref, 0) + (before.get(shipment.ref) != seen)
            before[shipment.ref] = seen
    life.pass_time(life.now + timedelta(days=2))
    for ref, count in changes.items():
        steps = [s for s in about(life, ref) if s.view.kind not in (K.DELAY, K.BACK_ON_TRACK)]
        assert len(steps) <= count + 1, [s.view.kind for s in steps]
    late = [s for s in life.sent.values() if s.view.kind is K.DELAY and s.view.channel is Channel.EMAIL]
    assert len(late) <= len(plot.arrivals) + 2 * len(changes) + 2


@lively
@given(plots(), st.integers(1, 600))
def test_hearing_everything_again_changes_no_message(plot: Plot, minutes: int):
    again = tuple(
        e.model_copy(update={"recorded_at": e.recorded_at + timedelta(minutes=minutes)}) for e in plot.arrivals
    )
    one_by_one = Plot(**{**plot.__dict__, "batches": (1,)})
    once, twice = one_by_one.play(), one_by_one.play(plot.arrivals + again)
    once.pass_time(twice.now)
    assert set(once.sent) == set(twice.sent)


@lively
@given(plots())
def test_deciding_once_more_at_any_point_plans_nothing(plot: Plot):
    life = plot.life()
    for entry in sorted(plot.arrivals, key=lambda e: (e.recorded_at, e.event_id)):
        life.arrive(entry, now=max(life.now, entry.recorded_at))
        plan = life.step([])
        planned = [m.kind for m in plan.messages]
        assert (planned, plan.cases, plan.decisions, plan.traces, plan.superseded) == ([], [], [], [], [])


@lively
@given(plots())
def test_an_order_is_closed_only_with_nothing_left_to_wait_for(plot: Plot):
    life = plot.play()
    life.pass_time(life.now + timedelta(days=60))
    last = life.plans[-1]
    assert not (last.closed and last.deadline)
    if life.state.status in ("delivered", "returned") and all(
        s.fold.status in ("delivered", "returned", "cancelled") for s in life.state.shipments
    ):
        assert last.closed
        assert not [s for s in life.sent.values() if s.view.state in UNSENT]
