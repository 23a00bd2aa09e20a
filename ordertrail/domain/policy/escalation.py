"""Cases: what a support queue must own, how urgent it is, and when it has waited too long."""

from collections.abc import Mapping
from types import MappingProxyType

from ordertrail.domain.business_time import add_business_time
from ordertrail.domain.decisions import Escalate, Why
from ordertrail.domain.policy.channels import may_be_called
from ordertrail.domain.policy.situation import CUSTOMER, CaseView, Contact, Deadline, NewCase, Plan, Situation
from ordertrail.domain.vocabulary import CaseKind, CasePriority

_P = CasePriority
_LADDER = (_P.LOW, _P.NORMAL, _P.HIGH, _P.URGENT)

QUEUE: Mapping[CaseKind, str] = MappingProxyType(
    {
        CaseKind.LATE: "delivery",
        CaseKind.LOST: "claims",
        CaseKind.DAMAGED: "claims",
        CaseKind.UNDELIVERABLE: "delivery",
        CaseKind.RETURNED_TO_SENDER: "returns",
        CaseKind.PAYMENT: "payments",
        CaseKind.STOCK: "stock",
        CaseKind.MOVED_AFTER_CANCEL: "delivery",
        CaseKind.REVERSAL: "claims",
        CaseKind.UNREACHABLE: "contact",
    }
)
_BASE: Mapping[CaseKind, CasePriority] = MappingProxyType(
    dict.fromkeys(CaseKind, _P.NORMAL)
    | {CaseKind.LOST: _P.HIGH, CaseKind.DAMAGED: _P.HIGH, CaseKind.REVERSAL: _P.HIGH, CaseKind.UNREACHABLE: _P.LOW}
)


def open_case(situation: Situation, plan: Plan, kind: CaseKind, ref: str, *, reason: Why, detail: str = "") -> None:
    """Hand this to its queue. While a case of the same kind about the same shipment is open, it only weighs more."""
    if any(case.kind is kind and case.shipment_ref == ref for case in plan.cases):
        return
    is_open = [c for c in situation.cases if c.kind is kind and c.shipment_ref == ref and c.state != "closed"]
    if is_open:
        _weigh_anew(situation, plan, is_open[0], reason)
        return
    occurrence = plan.memory.next_case(kind, ref)
    counts = {**plan.memory.case_counts, f"{ref}:{kind}": occurrence}
    plan.memory = plan.memory.model_copy(update={"case_counts": counts})
    priority = _priority(situation, plan, kind, occurrence)
    brand = situation.brand
    plan.cases.append(
        NewCase(
            kind=kind, shipment_ref=ref, occurrence=occurrence, queue=QUEUE[kind], priority=priority, reason=reason,
            due_at=add_business_time(situation.now, brand.policy.case_sla, brand.support, brand.zone),
            facts=_facts(situation, plan, ref, detail),
        )
    )  # fmt: skip
    plan.decisions.append(
        Escalate(reason=reason, shipment_ref=ref, case_kind=kind, queue=QUEUE[kind], priority=priority)
    )


def _weigh_anew(situation: Situation, plan: Plan, case: CaseView, reason: Why) -> None:
    priority = _priority(situation, plan, case.kind, plan.memory.next_case(case.kind, case.shipment_ref) - 1)
    if _LADDER.index(priority) > _LADDER.index(case.priority):
        plan.reprioritised[case.id] = priority
        plan.decisions.append(
            Escalate(
                reason=reason, shipment_ref=case.shipment_ref, case_kind=case.kind, queue=case.queue, priority=priority
            )
        )


def overdue_cases(situation: Situation, plan: Plan) -> None:
    """Raise what nobody acknowledged in time, once; and wait for what is not due yet."""
    for case in situation.cases:
        if case.state == "closed" or case.acknowledged_at is not None or case.escalated_at is not None:
            continue
        if case.due_at <= situation.now:
            raised = _raise(plan.reprioritised.get(case.id, case.priority), 1)
            plan.raised_cases[case.id] = raised
            plan.decisions.append(
                Escalate(
                    reason=Why.SLA_OVERDUE, shipment_ref=case.shipment_ref, case_kind=case.kind, queue=case.queue,
                    priority=raised,
                )
            )  # fmt: skip
        else:
            plan.deadlines.append(Deadline(at=case.due_at, what=f"support answers the {case.kind} case"))
    plan.deadlines += [Deadline(at=case.due_at, what=f"support answers the {case.kind} case") for case in plan.cases]


def weight_of(situation: Situation, plan: Plan, kind: CaseKind, ref: str) -> CasePriority:
    """The priority a new case of this kind about this shipment would have."""
    return _priority(situation, plan, kind, plan.memory.next_case(kind, ref))


def _priority(situation: Situation, plan: Plan, kind: CaseKind, occurrence: int) -> CasePriority:
    """The kind's own, raised for a valuable order and for a repeated problem or delay."""
    limit = situation.brand.policy.high_value.get(situation.order.currency)
    valuable = limit is not None and situation.state.totals.total >= limit
    repeated = occurrence > 1 or plan.memory.delay_count > 1
    return _raise(_BASE[kind], int(valuable) + int(repeated))


def _raise(priority: CasePriority, steps: int) -> CasePriority:
    return _LADDER[min(_LADDER.index(priority) + steps, len(_LADDER) - 1)]


def _facts(situation: Situation, plan: Plan, ref: str, detail: str) -> dict[str, str | int | bool | None]:
    """What an agent needs at a glance, without personal data; the rest is behind the order's id."""
    state = situation.state
    shipment = state.shipment(ref) or (state.shipments[0] if len(state.shipments) == 1 else None)
    promise = state.promise_of(shipment.ref) if shipment else state.promise
    customer = next((contact for contact in situation.contacts if contact.role == CUSTOMER), None)
    return {
        "order_status": state.status,
        "shipment_status": shipment.fold.status if shipment else None,
        "carrier": shipment.facts.carrier if shipment else None,
        "tracking_number": shipment.facts.tracking_number if shipment else None,
        "last_scan_at": shipment.fold.last_scan_at.isoformat() if shipment and shipment.fold.last_scan_at else None,
        "promise_ended_at": promise.ends().isoformat() if promise else None,
        "total": str(state.totals.total),
        "currency": situation.order.currency,
        "delays_told": plan.memory.delay_count,
        "detail": detail or (str(shipment.fold.reason_code) if shipment and shipment.fold.reason_code else None),
        "may_call": customer is not None and customer.consents.voice and not _rings(customer, situation),
    }


def _rings(customer: Contact, situation: Situation) -> bool:
    """Whether a call goes out by itself when it is severe; where it does not, calling is a person's task."""
    return may_be_called(customer, situation.brand.policy, situation.now)
