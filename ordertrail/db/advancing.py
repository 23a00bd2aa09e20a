"""What a step of an order reads and writes; all of it inside one transaction of the step's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from ordertrail.db.tables import advances, cases, decisions, deliveries, promises, shipments, timeline
from ordertrail.db.upsert import Prepared, insert_for
from ordertrail.domain.decisions import Decision
from ordertrail.domain.document import PromiseRecord
from ordertrail.domain.events import Envelope
from ordertrail.domain.outcome import Outcome
from ordertrail.domain.policy.situation import CaseView, DeliveryView
from ordertrail.domain.vocabulary import CasePriority, Channel, DeliveryState

_STORED = select(advances.c.outcome).where(
    advances.c.order_id == bindparam("of_order"), advances.c.idempotency_key == bindparam("step")
)
_STORE = insert(advances)
_TIMELINE = select(timeline.c.envelope).where(timeline.c.order_id == bindparam("of_order")).order_by(timeline.c.id)
_APPEND = Prepared(
    timeline,
    lambda new: new.on_conflict_do_nothing(index_elements=["order_id", "source", "event_id", "shipment_ref"]).returning(
        timeline.c.id
    ),
)
_DELIVERY_VIEW = (
    select(*(deliveries.c[name] for name in DeliveryView.model_fields))
    .where(deliveries.c.order_id == bindparam("of_order"))
    .order_by(deliveries.c.id)
)
_CASE_VIEW = (
    select(*(cases.c[name] for name in CaseView.model_fields))
    .where(cases.c.order_id == bindparam("of_order"))
    .order_by(cases.c.id)
)
_SENT_SINCE = (
    select(deliveries.c.person_id, deliveries.c.channel, func.count())
    .where(
        deliveries.c.person_id.in_(bindparam("people", expanding=True)),
        deliveries.c.planned_at >= bindparam("since"),
        deliveries.c.state.not_in([DeliveryState.SUPERSEDED, DeliveryState.FAILED, DeliveryState.EXPIRED]),
    )
    .group_by(deliveries.c.person_id, deliveries.c.channel)
)
_PLAN_DELIVERY = Prepared(
    deliveries, lambda new: new.on_conflict_do_nothing(index_elements=["key"]).returning(deliveries.c.id)
)
_SHIPMENT_KEY = ("order_id", "ref", "brand")
_SAVE_SHIPMENT = Prepared(
    shipments,
    lambda new: new.on_conflict_do_update(
        index_elements=["order_id", "ref"],
        set_={column.name: new.excluded[column.name] for column in shipments.c if column.name not in _SHIPMENT_KEY},
    ),
)
_PROMISES = (
    select(promises.c.promise, promises.c.source, promises.c.shown_at)
    .where(promises.c.order_id == bindparam("of_order"))
    .order_by(promises.c.id)
)
_DECIDE = insert(decisions)


def stored_outcome(c: Connection, order_id: str, step: str) -> Outcome | None:
    """What this very step decided before, if an earlier attempt of it committed."""
    text = c.execute(_STORED, {"of_order": order_id, "step": step}).scalar_one_or_none()
    return Outcome.model_validate_json(text) if text else None


def store_outcome(c: Connection, *, brand: str, order_id: str, step: str, outcome: Outcome, now: datetime) -> None:
    """Keep the outcome, so that a retry of the step returns it verbatim."""
    values = {
        "order_id": order_id, "seq": outcome.seq, "brand": brand, "idempotency_key": step,
        "outcome": outcome.model_dump_json(exclude_defaults=True), "at": now,
    }  # fmt: skip
    c.execute(_STORE, values)


def append(c: Connection, *, brand: str, order_id: str, entry: Envelope, inbox_id: int | None, seq: int) -> bool:
    """Append to the timeline; False when the same event of the same source already stands there."""
    values = {
        "brand": brand, "order_id": order_id, "source": entry.source, "event_id": entry.event_id, "kind": entry.kind,
        "shipment_ref": entry.shipment_ref or "", "occurred_at": entry.occurred_at, "recorded_at": entry.recorded_at,
        "inbox_id": inbox_id, "seq": seq, "envelope": entry.model_dump_json(exclude_none=True),
    }  # fmt: skip
    return c.execute(_APPEND.on(c), values).first() is not None


def entries(c: Connection, order_id: str) -> list[Envelope]:
    """The whole timeline, in the order in which it was recorded."""
    rows = c.execute(_TIMELINE, {"of_order": order_id})
    return [Envelope.model_validate_json(text) for (text,) in rows]


def delivery_views(c: Connection, order_id: str) -> tuple[DeliveryView, ...]:
    """Every delivery of the order."""
    rows = c.execute(_DELIVERY_VIEW, {"of_order": order_id})
    return tuple(DeliveryView.model_validate({**row._mapping, "shipment_ref": row.shipment_ref or ""}) for row in rows)


def case_views(c: Connection, order_id: str) -> tuple[CaseView, ...]:
    """Every case of the order."""
    rows = c.execute(_CASE_VIEW, {"of_order": order_id})
    return tuple(CaseView.model_validate(dict(row._mapping)) for row in rows)


def sent_since(c: Connection, person_ids: Sequence[str], since: datetime) -> dict[tuple[str, Channel], int]:
    """Messages planned per person and channel since an instant, over all their orders, overtaken ones apart."""
    rows = c.execute(_SENT_SINCE, {"people": sorted(set(person_ids)), "since": since})
    return {(person_id, Channel(channel)): number for person_id, channel, number in rows}


def facts_of(c: Connection, delivery_id: str) -> str:
    """The stored facts of a delivery, for its stand-in on another channel."""
    return str(c.execute(select(deliveries.c.facts).where(deliveries.c.id == delivery_id)).scalar_one())


def insert_deliveries(c: Connection, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Plan deliveries; the ids of those whose key was free. One key is one message for ever."""
    planned = [c.execute(_PLAN_DELIVERY.on(c), row).scalar_one_or_none() for row in rows]
    return [str(delivery_id) for delivery_id in planned if delivery_id is not None]


def supersede(c: Connection, delivery_ids: Sequence[str], *, now: datetime) -> frozenset[str]:
    """Overtaken before they left: the ids of those. One that is at its provider is only marked, and not sent again."""
    if not delivery_ids:
        return frozenset()
    waiting = [DeliveryState.HELD, DeliveryState.PLANNED]
    wanted = deliveries.c.id.in_(delivery_ids)
    ended = c.execute(
        update(deliveries)
        .where(wanted, deliveries.c.state.in_(waiting))
        .values(state=DeliveryState.SUPERSEDED, reason="overtaken", overtaken=True, settled_at=now)
        .returning(deliveries.c.id)
    ).scalars()
    found = frozenset(ended)
    c.execute(update(deliveries).where(wanted).values(overtaken=True))
    return found


def release(c: Connection, delivery_ids: Sequence[str]) -> None:
    """Quiet hours are over."""
    if delivery_ids:
        c.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(delivery_ids), deliveries.c.state == DeliveryState.HELD)
            .values(state=DeliveryState.PLANNED)
        )


def expire(c: Connection, ended: Mapping[str, DeliveryState], *, now: datetime) -> frozenset[str]:
    """Their useful life ended while they were being retried; the ids of those that were not settled just then."""
    unsettled = [DeliveryState.HELD, DeliveryState.PLANNED, DeliveryState.CLAIMED]
    found: set[str] = set()
    for delivery_id, state in ended.items():
        statement = update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.state.in_(unsettled))
        values = {"state": state, "reason": "useful_life_over", "settled_at": now, "unclear_since": None}
        found.update(c.execute(statement.values(**values).returning(deliveries.c.id)).scalars())
    return frozenset(found)


def mark_handled(c: Connection, delivery_ids: Sequence[str]) -> None:
    """The order has answered what became of these."""
    if delivery_ids:
        c.execute(update(deliveries).where(deliveries.c.id.in_(delivery_ids)).values(handled=True))


def raise_cases(c: Connection, raised: Mapping[str, CasePriority], *, now: datetime) -> None:
    """Nobody acknowledged them in time."""
    for case_id, priority in raised.items():
        c.execute(update(cases).where(cases.c.id == case_id).values(priority=priority, escalated_at=now))


def prioritise_cases(c: Connection, priorities: Mapping[str, CasePriority]) -> None:
    """They weigh more than when they were opened; their clocks run on."""
    for case_id, priority in priorities.items():
        c.execute(update(cases).where(cases.c.id == case_id).values(priority=priority))


def insert_cases(c: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Open cases; the same one is never opened twice."""
    for row in rows:
        c.execute(
            insert_for(c, cases)
            .values(**row)
            .on_conflict_do_nothing(index_elements=["order_id", "shipment_ref", "kind", "occurrence"])
        )


def save_shipments(c: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """The shipments' part of the read model."""
    if rows:
        c.execute(_SAVE_SHIPMENT.on(c), rows)


def shown_promises(c: Connection, order_id: str) -> list[PromiseRecord]:
    """Every promise ever shown, oldest first."""
    rows = c.execute(_PROMISES, {"of_order": order_id})
    return [PromiseRecord.model_validate(dict(row._mapping)) for row in rows]


def show_promise(c: Connection, *, brand: str, order_id: str, shipment_ref: str, record: PromiseRecord) -> None:
    """Keep a promise that is shown from now on."""
    c.execute(
        promises.insert().values(
            brand=brand, order_id=order_id, shipment_ref=shipment_ref or None,
            promise=record.promise.model_dump(mode="json"), source=record.source, shown_at=record.shown_at,
        )
    )  # fmt: skip


def store_decisions(c: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep decisions, each with its reason, inputs and versions."""
    if rows:
        c.execute(_DECIDE, rows)


def decision_row(decision: Decision) -> dict[str, Any]:
    """A decision as the columns of its table."""
    return {
        "decision": decision.tag,
        "reason": decision.reason,
        "message_kind": decision.message_kind,
        "shipment_ref": decision.shipment_ref or None,
        "occurrence": decision.occurrence,
        "recipient": getattr(decision, "recipient", None),
        "channel": getattr(decision, "channel", None),
        "event_ids": list(decision.event_ids),
        "inputs": {**decision.inputs, **_more_inputs(decision)},
    }


def _more_inputs(decision: Decision) -> dict[str, str]:
    names = ("until", "case_kind", "queue", "priority")
    found = {name: getattr(decision, name, None) for name in names}
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in found.items()
        if value is not None
    }
