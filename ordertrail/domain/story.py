"""The operator's story of an order, as short Markdown for the Temporal Web UI; ids, codes and times only."""

from datetime import datetime

from ordertrail.domain.order_state import OrderState
from ordertrail.domain.policy.situation import Plan, Situation
from ordertrail.domain.vocabulary import CaseKind, CasePriority


def tell_story(situation: Situation, plan: Plan) -> str:
    """Where the order stands, what was decided last and what comes next. Instants are UTC."""
    state = situation.state
    lines = [f"**{state.status}**" + "".join(f" · `{condition}`" for condition in plan.order_conditions)]
    lines.append(f"`{situation.order_id}` · {len(state.shipments)} shipment(s), step at {_at(situation.now)}")
    lines += _shipments(state)
    if plan.decisions:
        lines += ["", "Decided last:"]
        lines += [
            f"- {d.tag} {d.message_kind or ''} {d.shipment_ref} ({d.reason})".replace("  ", " ")
            for d in plan.decisions[-8:]
        ]
    lines += [f"- case: {kind} in {queue}, {priority}" for kind, queue, priority in _open_cases(situation, plan)]
    if plan.deadline is not None:
        lines += ["", f"Next: {plan.deadline.what} at {_at(plan.deadline.at)}"]
    return "\n".join(lines)


def _open_cases(situation: Situation, plan: Plan) -> list[tuple[CaseKind, str, CasePriority]]:
    raised = {**plan.reprioritised, **plan.raised_cases}
    known = [(c.kind, c.queue, raised.get(c.id, c.priority)) for c in situation.cases if c.state != "closed"]
    return known + [(case.kind, case.queue, case.priority) for case in plan.cases]


def _shipments(state: OrderState) -> list[str]:
    return [
        f"- {s.ref}: {s.fold.status}"
        + (f" since {_at(s.fold.since)}" if s.fold.since else "")
        + (f", {s.fold.reason_code}" if s.fold.reason_code else "")
        for s in state.shipments[:10]
    ]


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z"
