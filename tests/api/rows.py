"""Rows as an order's steps would have written them."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from ordertrail.db.tables import cases, console_messages, decisions, deliveries, timeline
from tests.api.bodies import EMAIL, NAME, PHONE

ADDRESS = {"email": EMAIL, "sms": PHONE, "voice": PHONE}


def add_delivery(c: Connection, order_id: str, now: datetime, **changes: Any) -> str:
    values = {
        "id": "dlv_1",
        "brand": "acme",
        "order_id": order_id,
        "person_id": "per_1",
        "kind": "shipped",
        "occurrence": 1,
        "recipient": "customer",
        "channel": "email",
        "critical": False,
        "provider": "sendgrid",
        "state": "accepted",
        "facts": "{}",
        "not_before": now,
        "not_after": now + timedelta(days=2),
        "planned_at": now,
        **changes,
    }
    values.setdefault("address", ADDRESS[values["channel"]])
    values.setdefault("key", f"{order_id}::{values['id']}")
    c.execute(insert(deliveries).values(**values))
    return str(values["id"])


def add_scan(c: Connection, order_id: str, now: datetime, number: int) -> None:
    event = {
        "kind": "tracking",
        "event_id": f"t{number}",
        "occurred_at": now.isoformat(),
        "carrier": "dhl",
        "tracking_number": "JD0001",
        "status": "delivered",
        "raw_text": f"Handed to {NAME}",
    }
    envelope = {
        "schema_version": 1,
        "event_id": f"t{number}",
        "source": "api:oms",
        "occurred_at": now.isoformat(),
        "recorded_at": now.isoformat(),
        "kind": "tracking",
        "event": event,
    }
    values = {"brand": "acme", "order_id": order_id, "source": "api:oms", "event_id": f"t{number}", "kind": "tracking"}
    times = {"occurred_at": now, "recorded_at": now, "seq": 1}
    c.execute(insert(timeline).values(**values, **times, envelope=json.dumps(envelope)))


def add_decision(c: Connection, order_id: str, now: datetime, reason: str) -> None:
    values = {"brand": "acme", "order_id": order_id, "seq": 1, "decision": "suppress", "reason": reason}
    details = {"event_ids": ["t1"], "inputs": {"hour": 3}, "versions": {"policy": "1"}}
    c.execute(insert(decisions).values(**values, **details, at=now))


def add_case(c: Connection, order_id: str, opened_at: datetime, number: int, **changes: Any) -> None:
    values = {
        "id": f"cas_{number}",
        "brand": "acme",
        "order_id": order_id,
        "kind": "late",
        "occurrence": number,
        "queue": "support",
        "priority": "normal",
        "state": "open",
        "reason": "promise_missed",
        "facts": {"days": number},
        "opened_at": opened_at,
        "due_at": opened_at,
        **changes,
    }
    c.execute(insert(cases).values(**values))


def add_console_message(c: Connection, delivery_id: str, now: datetime, **changes: Any) -> None:
    message = {"subject": "Your order is on its way", "html": "<p style='x'>Hi</p>", "text": "Hi"}
    values = {
        "delivery_id": delivery_id,
        "brand": "acme",
        "channel": "email",
        "kind": "shipped",
        "recipient": EMAIL,
        "recipient_name": NAME,
        "message": json.dumps(message),
        "at": now,
        **changes,
    }
    c.execute(insert(console_messages).values(**values))
