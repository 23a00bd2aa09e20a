"""The operator's story of an order, as short Markdown for the Temporal Web UI; ids, codes and times only."""

from ordertrail.domain.order_state import OrderState
from ordertrail.domain.policy.situation import Plan, Situation


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
    open_cases = [case for case in situation.cases if case.state != "closed"]
    lines += [f"- case: {case.kind} in {case.queue}, {case.priority}" for case in [*open_cases, *plan.cases]]
    if plan.deadline is not None:
        lines += ["", f"Next: {plan.deadline.what} at {_at(plan.deadline.at)}"]
    return "\n".join(lines)


def _shipments(state: OrderState) -> list[str]:
    return [
        f"- {s.ref}: {s.fold.status}"
        + (f" since {_at(s.fold.since)}" if s.fold.since else "")
        + (f", {s.fold.reason_code}" if s.fold.reason_code else "")
        for s in state.shipments[:10]
    ]


def _at(instant: object) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z"
