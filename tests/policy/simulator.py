"""An order's life in memory: what `advance` and `send` do with a plan, without a database, a workflow or a provider."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ordertrail.domain.brand import Brand, Policy, Sender
from ordertrail.domain.decisions import Decision
from ordertrail.domain.events import Envelope
from ordertrail.domain.ids import delivery_key
from ordertrail.domain.order import CanonicalOrder, Consents
from ordertrail.domain.order_state import OrderState, fold_order
from ordertrail.domain.outcome import Outcome
from ordertrail.domain.policy.engine import decide
from ordertrail.domain.policy.facts import message_facts
from ordertrail.domain.policy.memory import Memory
from ordertrail.domain.policy.situation import (
    CUSTOMER,
    CaseView,
    Contact,
    Deadline,
    DeliveryView,
    Hints,
    NewMessage,
    Plan,
    Situation,
)
from ordertrail.domain.story import tell_story
from ordertrail.domain.vocabulary import Channel, DeliveryState, MessageKind
from tests.domain.builders import order as any_order

_D = DeliveryState
UNSENT = frozenset({_D.HELD, _D.PLANNED, _D.CLAIMED})
GONE = frozenset({_D.ACCEPTED, _D.DELIVERED})
MADRID = "Europe/Madrid"
DAY = timedelta(days=1)


def brand(**policy: Any) -> Brand:
    """A brand without quiet hours, holds and jitter, unless told otherwise."""
    given = {"imminence_hold": timedelta(0), "quiet_hours": None, "jitter": timedelta(0), **policy}
    return Brand(id="acme", name="Acme", zone=MADRID, sender=Sender(email="hi@acme.example", name="Acme"),
                 policy=Policy(**given))  # fmt: skip


def contact(
    *channels: Channel, role: str = CUSTOMER, sms: bool = True, preferred: Channel | None = None, zone: str = MADRID,
    sent_today: dict[Channel, int] | None = None, person_id: str | None = None,
) -> Contact:  # fmt: skip
    return Contact(
        role=role, person_id=person_id or f"per_{role}", reachable=frozenset(channels or (Channel.EMAIL,)),
        consents=Consents(sms=sms), preferred=preferred, zone=zone, locale="en", sent_today=sent_today or {},
    )  # fmt: skip


@dataclass(kw_only=True)
class Sent:
    """A delivery with what policy does not look at again."""

    view: DeliveryView
    hints: Hints
    planned_at: datetime
    key: str
    promise_shown: Any = None

    @property
    def told(self) -> tuple[MessageKind, str]:
        return self.view.kind, self.view.shipment_ref


@dataclass(kw_only=True)
class Life:
    """One order. `broken` channels refuse for good; at `away` channels the provider does not answer at all."""

    order: CanonicalOrder = field(default_factory=lambda: any_order(placed_at=START))
    brand: Brand = field(default_factory=brand)
    contacts: tuple[Contact, ...] = field(default_factory=lambda: (contact(),))
    receipts: frozenset[Channel] = frozenset()
    silent_carriers: frozenset[str] = frozenset()
    broken: set[Channel] = field(default_factory=set)
    away: set[Channel] = field(default_factory=set)
    now: datetime = field(default_factory=lambda: START)
    memory: Memory = field(default_factory=Memory)
    entries: list[Envelope] = field(default_factory=list)
    sent: dict[str, Sent] = field(default_factory=dict)
    cases: dict[str, CaseView] = field(default_factory=dict)
    case_reasons: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    @property
    def state(self) -> OrderState:
        return fold_order(self.order, self.entries)

    def begin(self) -> "Life":
        """The first step, a moment after the order was placed."""
        self.step([])
        return self

    def arrive(self, *entries: Envelope, now: datetime | None = None) -> Plan:
        """Entries arrive as one batch, by default at the moment the newest of them was recorded."""
        at = now or max(self.now, *(entry.recorded_at for entry in entries))
        self.pass_time(at)
        return self.step(entries)

    def pass_time(self, to: datetime) -> None:
        """Let time run, deciding at each deadline in turn; a deadline that does not move on is a fault."""
        for _ in range(5000):
            due = self.deadline
            if due is None or due.at > to:
                break
            assert due.at > self.now or not self.plans, f"a deadline that is not ahead: {due}"
            self.now = max(self.now, due.at)
            self.step([])
        else:
            raise AssertionError("deadlines without end")
        self.now = max(self.now, to)

    @property
    def deadline(self) -> Deadline | None:
        """The next one, or the end of the useful life of a message that its provider does not take."""
        stuck = [s.view.not_after for s in self.sent.values() if s.view.state in (_D.PLANNED, _D.CLAIMED)]
        ends = [Deadline(at=at, what="useful life") for at in stuck if at > self.now]
        known = [self.plans[-1].deadline] if self.plans and self.plans[-1].deadline else []
        return min([*ends, *known], key=lambda deadline: deadline.at, default=None)

    def step(self, entries: Iterable[Envelope]) -> Plan:
        """Append, decide, carry out, send; and again where a send ended in a way the order must answer."""
        batch = self._append(entries)
        situation = self.situation(batch)
        plan = decide(situation)
        assert all(deadline.at > self.now for deadline in plan.deadlines), plan.deadlines
        self._apply(situation, plan)
        self.plans.append(plan)
        Outcome(seq=len(self.plans), received=0, story=tell_story(situation, plan))
        if self._send():
            return self.step([])
        return plan

    def situation(self, batch: tuple[Envelope, ...] = ()) -> Situation:
        return Situation(
            order_id="ord_1", order=self.order, state=self.state, memory=Memory.model_validate_json(
                self.memory.model_dump_json(exclude_none=True)
            ),
            brand=self.brand, now=self.now, batch=batch, contacts=self.contacts,
            deliveries=tuple(s.view for s in self.sent.values()), cases=tuple(self.cases.values()),
            providers=dict.fromkeys(Channel, "fake"), receipts=self.receipts,
            silent_carriers=self.silent_carriers,
        )  # fmt: skip

    def _append(self, entries: Iterable[Envelope]) -> tuple[Envelope, ...]:
        known = {(e.source, e.event_id, e.shipment_ref) for e in self.entries}
        fresh: list[Envelope] = []
        for entry in entries:
            key = (entry.source, entry.event_id, entry.shipment_ref)
            if key not in known:
                known.add(key)
                fresh.append(entry)
        self.entries += fresh
        return tuple(fresh)

    def _apply(self, situation: Situation, plan: Plan) -> None:
        for message in plan.messages:
            self._plan(situation, message)
        for delivery_id in plan.superseded:
            assert self.sent[delivery_id].view.state in UNSENT
            self._set(delivery_id, state=_D.SUPERSEDED)
        for delivery_id in plan.released:
            self._set(delivery_id, state=_D.PLANNED)
        for delivery_id, state in plan.expired.items():
            self._set(delivery_id, state=state)
        for delivery_id in plan.handled:
            self._set(delivery_id, handled=True)
        self.dead_letters += plan.unreachable
        for case_id, priority in plan.reprioritised.items():
            self.cases[case_id] = self.cases[case_id].model_copy(update={"priority": priority})
        for case_id, priority in plan.raised_cases.items():
            change = {"priority": priority, "escalated_at": self.now}
            self.cases[case_id] = self.cases[case_id].model_copy(update=change)
        for case in plan.cases:
            case_id = f"{case.shipment_ref}:{case.kind}:{case.occurrence}"
            assert case_id not in self.cases, "a case opened twice"
            self.case_reasons.append(case.reason)
            self.cases[case_id] = CaseView(
                id=case_id, kind=case.kind, shipment_ref=case.shipment_ref, state="open", queue=case.queue,
                priority=case.priority, due_at=case.due_at,
            )  # fmt: skip
        self.entries += plan.traces
        self.decisions += plan.decisions
        self.memory = plan.memory

    def _plan(self, situation: Situation, message: NewMessage) -> None:
        key = delivery_key(
            order_id="ord_1", shipment_ref=message.shipment_ref, kind=message.kind, occurrence=message.occurrence,
            recipient=message.contact.role, channel=message.channel,
        )  # fmt: skip
        assert key not in self.sent, f"a key used twice: {key}"
        facts = message_facts(
            situation, message, page_url="https://track.example/t/1", short_url="https://track.example/s/1"
        )
        original = self.sent[message.copy_of] if message.copy_of else None
        self.sent[key] = Sent(
            key=key,
            hints=original.hints if original else message.hints,
            promise_shown=original.promise_shown if original else facts.promise,
            planned_at=self.now,
            view=DeliveryView(
                id=key, kind=message.kind, shipment_ref=message.shipment_ref, occurrence=message.occurrence,
                recipient=message.contact.role, channel=message.channel, state=message.state,
                critical=message.critical, provider=message.provider, not_before=message.not_before,
                not_after=message.not_after, receipt_due_at=message.receipt_due_at,
            ),
        )  # fmt: skip

    def _send(self) -> bool:
        """Everything planned leaves at once; whether the order must answer what became of it."""
        answer = False
        for key, sent in list(self.sent.items()):
            if sent.view.state is not _D.PLANNED or sent.view.channel in self.away:
                continue
            if sent.view.channel in self.broken:
                self._set(key, state=_D.FAILED, reason="address_refused")
                answer = True
            else:
                self._set(key, state=_D.ACCEPTED)
        return answer

    def _set(self, delivery_id: str, **changes: Any) -> None:
        sent = self.sent[delivery_id]
        sent.view = sent.view.model_copy(update=changes)

    def fail(self, delivery: Sent, reason: str = "hard_bounce", *, closes: bool = False) -> Plan:
        """The provider reports afterwards that it did not arrive; `closes`: that address is used no more."""
        self._set(delivery.key, state=_D.FAILED, reason=reason, handled=False)
        if closes:
            self.close(delivery.view.channel)
        return self.step([])

    def confirm(self, delivery: Sent) -> None:
        """The provider reports receipt; nothing for the order to do."""
        self._set(delivery.key, state=_D.DELIVERED, receipt_due_at=None)

    def close(self, channel: Channel) -> None:
        """STOP, a hard bounce: nobody is reached on this channel any more."""
        self.contacts = tuple(Contact(**{**c.__dict__, "reachable": c.reachable - {channel}}) for c in self.contacts)

    def come_back(self, channel: Channel) -> None:
        """The provider answers again; its retries get through without a step of the order."""
        self.away.discard(channel)
        self._send()

    def set_case(self, kind: str, **changes: Any) -> None:
        """What support does to the newest case of this kind."""
        case = next(case for case in reversed(self.cases.values()) if case.kind == kind)
        self.cases[case.id] = case.model_copy(update=changes)

    def messages(self, channel: Channel | None = None, *, role: str | None = None) -> list[Sent]:
        """What has left or is about to, in order."""
        return [
            s
            for s in self.sent.values()
            if (channel is None or s.view.channel is channel) and (role is None or s.view.recipient == role)
            if s.view.state in GONE | UNSENT
        ]

    def kinds(self, channel: Channel | None = Channel.EMAIL, *, role: str = CUSTOMER) -> list[str]:
        return [str(s.view.kind) for s in self.messages(channel, role=role)]

    def last(self, kind: MessageKind | str) -> Sent:
        return [s for s in self.sent.values() if s.view.kind == kind][-1]

    def why(self, event_id: str) -> list[str]:
        """The reasons of all decisions about one event."""
        return [str(d.reason) for d in self.decisions if event_id in d.event_ids]


START = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
"""Noon of a Monday, the hour 0 of the builders."""
