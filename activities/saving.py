"""The save half of a step: everything the plan says, written in the step's transaction, and the outcome told."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from ulid import ULID

from activities.loading import Loaded
from ordertrail import __version__
from ordertrail.db import advancing, orders, outbox, short_links
from ordertrail.db.inbox import InboxKind
from ordertrail.domain.decisions import Decision, Record, Why
from ordertrail.domain.document import PromiseRecord
from ordertrail.domain.failures import StaleAdvance
from ordertrail.domain.ids import delivery_key
from ordertrail.domain.message import MessageFacts
from ordertrail.domain.outcome import AdvanceInput, Attributes, Outcome, SendOrder
from ordertrail.domain.policy.channels import RECORDS
from ordertrail.domain.policy.facts import message_facts
from ordertrail.domain.policy.situation import DeliveryView, NewMessage, Plan
from ordertrail.domain.promise import Promise
from ordertrail.domain.read_model import build_document
from ordertrail.domain.story import tell_story
from ordertrail.domain.vocabulary import CasePriority, Channel, DeliveryState
from ordertrail.frontdoor.acceptance import dead_letter, receive
from ordertrail.messages.links import Links, Unsubscription

_TO_SEND = frozenset({DeliveryState.PLANNED, DeliveryState.CLAIMED})
_URGENCY = {priority: number for number, priority in enumerate(reversed(CasePriority))}


class Saver:
    """Writes a step. `templates_version` goes into the decision records beside the policy's and the code's."""

    def __init__(self, links: Links, *, templates_version: str) -> None:
        self._links = links
        self._templates_version = templates_version

    def save(self, c: Connection, step: AdvanceInput, loaded: Loaded, plan: Plan) -> Outcome:
        """Write everything on top of the state it was computed from. Raises StaleAdvance if that has moved on."""
        row, situation, now = loaded.row, loaded.situation, step.now
        seq = row.seq + 1
        planned = self._deliveries(c, loaded, plan, now)
        ended = self._settle(c, loaded, plan, now)
        self._cases(c, loaded, plan, now)
        outcome = self._outcome(step, loaded, plan, planned, ended, seq)
        if not orders.save(c, row.id, expected_seq=row.seq, values=self._order_values(c, loaded, plan, outcome, now)):
            raise StaleAdvance("stale_advance")
        for trace in plan.traces:
            advancing.append(c, brand=row.brand, order_id=row.id, entry=trace, inbox_id=None, seq=seq)
        self._decisions(c, loaded, plan, seq, now)
        self._shipments(c, loaded, plan, now)
        if outcome.attributes is not None:
            data = {"seq": seq, "status": situation.state.status, "conditions": list(plan.order_conditions)}
            outbox.append(c, row.brand, row.id, "order.updated", data, now)
        advancing.store_outcome(c, brand=row.brand, order_id=row.id, step=step.step, outcome=outcome, now=now)
        return outcome

    def _deliveries(self, c: Connection, loaded: Loaded, plan: Plan, now: datetime) -> list[dict[str, Any]]:
        rows = [self._delivery(c, loaded, message, now) for message in plan.messages]
        fresh = set(advancing.insert_deliveries(c, rows))
        roles = {message.contact.role for message in plan.messages if message.channel is not Channel.EMAIL}
        codes = [(self._links.short_code(loaded.row.id, role), loaded.row.id, role) for role in sorted(roles)]
        short_links.put(c, loaded.row.brand, codes)
        return [row for row in rows if row["id"] in fresh]

    def _delivery(self, c: Connection, loaded: Loaded, message: NewMessage, now: datetime) -> dict[str, Any]:
        order_id = loaded.row.id
        if message.copy_of is not None:
            made = MessageFacts.model_validate_json(advancing.facts_of(c, message.copy_of))
        else:
            role = message.contact.role
            made = message_facts(
                loaded.situation, message,
                page_url=self._links.tracking_page(order_id, role), short_url=self._links.short_page(order_id, role),
            )  # fmt: skip
        made = made.model_copy(update={"unsubscribe_url": self._unsubscribe_url(loaded, message)})
        facts = made.model_dump_json(exclude_none=True)
        return {
            "id": f"dlv_{ULID.from_datetime(now)!s}".lower(),
            "key": delivery_key(
                order_id=order_id, shipment_ref=message.shipment_ref, kind=message.kind, occurrence=message.occurrence,
                recipient=message.contact.role, channel=message.channel,
            ),
            "brand": loaded.row.brand, "order_id": order_id, "person_id": message.contact.person_id,
            "shipment_ref": message.shipment_ref or None, "kind": message.kind, "occurrence": message.occurrence,
            "recipient": message.contact.role, "channel": message.channel, "critical": message.critical,
            "provider": message.provider, "state": message.state, "facts": facts,
            "address": loaded.addresses.get((message.contact.role, message.channel)),
            "not_before": message.not_before, "not_after": message.not_after, "planned_at": now,
            "receipt_due_at": message.receipt_due_at,
        }  # fmt: skip

    def _unsubscribe_url(self, loaded: Loaded, message: NewMessage) -> str | None:
        """None for what a person cannot switch off: news of problems, and what is kept like a receipt."""
        if message.critical or message.kind in RECORDS:
            return None
        about = Unsubscription(
            brand=loaded.row.brand, person_id=message.contact.person_id, kind=message.kind, channel=message.channel
        )
        return self._links.unsubscribe(about)

    def _settle(self, c: Connection, loaded: Loaded, plan: Plan, now: datetime) -> frozenset[str]:
        """Settle earlier deliveries; those that ended here and now, whose sends are to be cancelled."""
        ended = advancing.supersede(c, plan.superseded, now=now)
        advancing.release(c, plan.released)
        ended |= advancing.expire(c, plan.expired, now=now)
        advancing.mark_handled(c, plan.handled)
        for delivery_id in plan.unreachable:
            delivery = next(d for d in loaded.situation.deliveries if d.id == delivery_id)
            received = receive(loaded.row.brand, "ordertrail", f"unsent:{delivery_id}", InboxKind.DELIVERY_REPORT,
                               delivery_id.encode(), now)  # fmt: skip
            detail = f"{delivery.kind} by {delivery.channel}: {delivery.reason}"
            dead_letter(c, received, reason="undeliverable", detail=detail, priority=3, order_id=loaded.row.id)
        return ended

    def _cases(self, c: Connection, loaded: Loaded, plan: Plan, now: datetime) -> None:
        advancing.prioritise_cases(c, plan.reprioritised)
        advancing.raise_cases(c, plan.raised_cases, now=now)
        rows = [
            {
                "id": f"cas_{ULID.from_datetime(now)!s}".lower(), "brand": loaded.row.brand, "order_id": loaded.row.id,
                "shipment_ref": case.shipment_ref, "kind": case.kind, "occurrence": case.occurrence,
                "queue": case.queue, "priority": case.priority, "state": "open", "reason": case.reason,
                "facts": case.facts, "opened_at": now, "due_at": case.due_at,
            }
            for case in plan.cases
        ]  # fmt: skip
        advancing.insert_cases(c, rows)
        for row in rows:
            data = {name: row[name] for name in ("id", "kind", "queue", "priority", "reason", "shipment_ref")}
            outbox.append(c, loaded.row.brand, loaded.row.id, "case.opened", data, now)

    def _order_values(
        self, c: Connection, loaded: Loaded, plan: Plan, outcome: Outcome, now: datetime
    ) -> dict[str, Any]:
        row, situation = loaded.row, loaded.situation
        attributes = outcome.attributes
        conditions = plan.conditions | {s.ref: plan.conditions_of(s.ref) for s in situation.state.shipments}
        document = build_document(
            row.id, situation.order, situation.state, loaded.entries, now=now,
            tracking_page=self._links.tracking_path(row.id), conditions=conditions,
            promises=self._promises(c, loaded, plan, now),
            messages_sent=len(situation.deliveries) + len(plan.messages),
            case_open=_queue(loaded, plan) is not None, zone=situation.contacts[-1].zone,
            locale=situation.contacts[0].locale,
        )  # fmt: skip
        return {
            "seq": outcome.seq,
            "status": situation.state.status,
            "conditions": list(plan.order_conditions),
            "promise_ends_at": attributes.promise_ends_at if attributes else None,
            "queue": attributes.queue if attributes else None,
            "deadline": outcome.deadline,
            "open": not plan.closed,
            "memory": plan.memory.model_dump_json(exclude_none=True),
            "document": document.model_dump_json(exclude_none=True),
            "updated_at": now,
        }

    def _promises(self, c: Connection, loaded: Loaded, plan: Plan, now: datetime) -> tuple[PromiseRecord, ...]:
        """Every promise ever shown; one that is new is kept from now on."""
        shown = advancing.shown_promises(c, loaded.row.id)
        current = _shown_promise(loaded, plan)
        if current is not None and (not shown or shown[-1].promise != current[0]):
            record = PromiseRecord(promise=current[0], source=current[1], shown_at=now)
            advancing.show_promise(c, brand=loaded.row.brand, order_id=loaded.row.id, shipment_ref="", record=record)
            shown.append(record)
        return tuple(shown)

    def _decisions(self, c: Connection, loaded: Loaded, plan: Plan, seq: int, now: datetime) -> None:
        versions = {"code": __version__, "policy": loaded.brand.version, "templates": self._templates_version}
        repeats: list[Decision] = [
            Record(reason=Why.DUPLICATE, event_ids=(event_id,)) for event_id in loaded.duplicates
        ]
        made = [*plan.decisions, *repeats]
        common = {"brand": loaded.row.brand, "order_id": loaded.row.id, "seq": seq, "versions": versions, "at": now}
        advancing.store_decisions(c, [{**advancing.decision_row(decision), **common} for decision in made])
        told = [
            {
                "brand": loaded.row.brand, "order_id": loaded.row.id, "type": "delivery.planned", "at": now,
                "data": {"kind": m.kind, "channel": m.channel, "occurrence": m.occurrence},
            }
            for m in plan.messages
        ]  # fmt: skip
        outbox.append_all(c, told)

    def _shipments(self, c: Connection, loaded: Loaded, plan: Plan, now: datetime) -> None:
        state = loaded.situation.state
        advancing.save_shipments(
            c,
            [
                {
                    "order_id": loaded.row.id, "ref": s.ref, "brand": loaded.row.brand, "carrier": s.facts.carrier,
                    "tracking_number": s.facts.tracking_number, "status": s.fold.status,
                    "conditions": list(plan.conditions_of(s.ref)), "updated_at": now,
                    "last_scan_at": s.fold.last_scan_at,
                    "promise_ends_at": promise.ends() if (promise := state.promise_of(s.ref)) else None,
                }
                for s in state.shipments
            ],
        )  # fmt: skip

    def _outcome(
        self, step: AdvanceInput, loaded: Loaded, plan: Plan, planned: list[dict[str, Any]], ended: frozenset[str],
        seq: int,
    ) -> Outcome:  # fmt: skip
        situation = loaded.situation
        waiting = [
            d for d in situation.deliveries if d.id not in ended and (d.state in _TO_SEND or d.id in plan.released)
        ]
        promise = _shown_promise(loaded, plan)
        return Outcome(
            seq=seq,
            received=step.received,
            sends=(*(_send(d, step.now) for d in waiting), *(_send_new(r) for r in planned if r["state"] in _TO_SEND)),
            cancels=tuple(sorted(ended)),
            deadline=plan.deadline.at if plan.deadline else None,
            deadline_for=plan.deadline.what if plan.deadline else "",
            closed=plan.closed,
            attributes=Attributes(
                brand=loaded.row.brand,
                status=situation.state.status,
                conditions=plan.order_conditions,
                queue=_queue(loaded, plan),
                promise_ends_at=promise[0].ends() if promise else None,
            ),
            story=tell_story(situation, plan),
        )


def _shown_promise(loaded: Loaded, plan: Plan) -> tuple[Promise, str] | None:
    """What the customer is told to expect: the new date of a delay, or the shop's promise."""
    told = [delay.promise for delay in plan.memory.delays.values() if delay.promise is not None]
    if told:
        return max(told, key=lambda promise: promise.ends()), "delay"
    state = loaded.situation.state
    known = [promise for s in state.shipments if (promise := state.promise_of(s.ref))]
    known = known or ([state.promise] if state.promise is not None else [])
    return (max(known, key=lambda promise: promise.ends()), "order") if known else None


def _queue(loaded: Loaded, plan: Plan) -> str | None:
    """The queue of the most urgent open case."""
    open_cases = [
        (({**plan.reprioritised, **plan.raised_cases}).get(case.id, case.priority), case.queue)
        for case in loaded.situation.cases
        if case.state != "closed"
    ]
    open_cases += [(case.priority, case.queue) for case in plan.cases]
    return min(open_cases, key=lambda pair: _URGENCY[pair[0]])[1] if open_cases else None


def _send(delivery: DeliveryView, now: datetime) -> SendOrder:
    return SendOrder(
        delivery_id=delivery.id, provider=delivery.provider, critical=delivery.critical,
        not_after=max(delivery.not_after, now + timedelta(seconds=1)),
        summary=_summary(
            delivery.kind, delivery.shipment_ref, delivery.occurrence, delivery.channel, delivery.recipient
        ),
    )  # fmt: skip


def _send_new(row: dict[str, Any]) -> SendOrder:
    return SendOrder(
        delivery_id=row["id"], provider=row["provider"], critical=row["critical"], not_after=row["not_after"],
        summary=_summary(row["kind"], row["shipment_ref"] or "", row["occurrence"], row["channel"], row["recipient"]),
    )  # fmt: skip


def _summary(kind: str, ref: str, occurrence: int, channel: str, recipient: str) -> str:
    number = f" #{occurrence}" if occurrence > 1 else ""
    about = f" of {ref}" if ref else ""
    return f"{kind}{number}{about} by {channel} to the {recipient}"
