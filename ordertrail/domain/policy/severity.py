"""Whether something is bad enough for a phone call."""

from ordertrail.domain.policy.channels import may_be_called
from ordertrail.domain.policy.escalation import weight_of
from ordertrail.domain.policy.situation import Contact, Plan, Situation
from ordertrail.domain.promise import WindowPromise
from ordertrail.domain.vocabulary import CaseKind, CasePriority, Fulfilment, MessageKind

_SEVERE = frozenset({CasePriority.HIGH, CasePriority.URGENT})


def calls_for(
    situation: Situation, plan: Plan, contact: Contact, *, kind: MessageKind, ref: str, case: CaseKind | None = None
) -> bool:
    """Whether this person is to be called now about this: it is severe, and their phone may ring.

    `case` is what the news is about to open. The brand's `voice_kinds` decide beside this.
    """
    policy = situation.brand.policy
    if kind not in policy.voice_kinds or not may_be_called(contact, policy, situation.now):
        return False
    about = {ref, ""}
    weights = [
        plan.raised_cases.get(known.id, plan.reprioritised.get(known.id, known.priority))
        for known in situation.cases
        if known.state != "closed" and known.kind is not CaseKind.UNREACHABLE and known.shipment_ref in about
    ]
    weights += [
        new.priority for new in plan.cases if new.kind is not CaseKind.UNREACHABLE and new.shipment_ref in about
    ]
    weights += [weight_of(situation, plan, case, ref)] if case is not None else []
    return not _SEVERE.isdisjoint(weights) or _window_missed(situation, ref)


def _window_missed(situation: Situation, ref: str) -> bool:
    """Own fleet, such as catering: guests are waiting."""
    promise = situation.state.promise_of(ref) or situation.state.promise
    own_fleet = situation.order.fulfilment is Fulfilment.OWN_FLEET
    return own_fleet and isinstance(promise, WindowPromise) and promise.ends() <= situation.now
