"""What the front door answers: one stored payload, the same answer every time it is sent again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ordertrail.db import inbox
from ordertrail.db.inbox import InboxKind, InboxState, Received
from ordertrail.domain.failures import OrdertrailError
from ordertrail.domain.ids import NaturalKey


class Conflict(OrdertrailError):
    """The same id came again with another body; the second body is kept as a dead letter."""

    def __init__(self, code: str, message: str, *, dead_letter: int) -> None:
        super().__init__(code, message)
        self.dead_letter = dead_letter


class UnacceptableField(OrdertrailError):
    """A body that is well formed and still cannot be taken as it is; `pointer` (JSON Pointer) names the field."""

    def __init__(self, code: str, message: str, *, pointer: str) -> None:
        super().__init__(code, message)
        self.pointer = pointer


SOURCE_ID_MAX = 250


@dataclass(frozen=True, kw_only=True)
class Wake:
    """An order to wake, because something now waits for it."""

    order_id: str
    key: NaturalKey
    inbox_id: int


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """The front door's answer. `wakes` are handed to the dispatcher once the transaction has committed."""

    answer: Mapping[str, Any]
    repeated: bool = False
    wakes: tuple[Wake, ...] = ()


def body_hash(raw: bytes) -> str:
    """SHA-256 of a JSON body with its keys sorted, so that a client's re-serialised retry is still the same body."""
    try:
        canonical = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        canonical = raw
    return hashlib.sha256(canonical).hexdigest()


def receive(
    brand: str, connection: str, source_event_id: str, kind: InboxKind, raw: bytes, now: datetime,
    reference: str | None = None,
) -> Received:  # fmt: skip
    """Describe one inbound payload. `now` is aware UTC; `reference` is the order a request named beside its body."""
    return Received(
        brand=brand, connection=connection, source_event_id=_bounded(source_event_id), kind=kind, payload=raw,
        body_sha256=body_hash(raw), received_at=now, reference=reference,
    )  # fmt: skip


def _bounded(source_event_id: str) -> str:
    """As it is if it fits its column, else its beginning and a hash of all of it."""
    if len(source_event_id) <= SOURCE_ID_MAX:
        return source_event_id
    return f"{source_event_id[:180]}#{hashlib.sha256(source_event_id.encode()).hexdigest()}"


def repeated(c: Connection, received: Received) -> Acceptance:
    """The earlier answer to the same id and body. Raises SameIdOtherBodyError for another body."""
    earlier = inbox.by_source(c, received)
    if earlier.body_sha256 != received.body_sha256:
        raise SameIdOtherBodyError(earlier.id)
    answer: Mapping[str, Any] = json.loads(earlier.answer) if earlier.answer else {"inbox_id": earlier.id}
    return Acceptance(answer=answer, repeated=True)


class SameIdOtherBodyError(Exception):
    """Rolls the intake's transaction back; the dead letter is then kept in a transaction of its own."""

    def __init__(self, earlier_id: int) -> None:
        super().__init__("same id, other body")
        self.earlier_id = earlier_id


def dead_letter(
    c: Connection, received: Received, *, reason: str, detail: str | None = None, priority: int = 5,
    order_id: str | None = None,
) -> int:  # fmt: skip
    """Keep what was not understood, with the reason. Its id; that of the row kept before when it came again."""
    stored = inbox.insert(
        c, received, state=InboxState.DEAD, reason=reason, detail=detail, priority=priority, order_id=order_id,
        match_key=received.reference,
    )  # fmt: skip
    return stored if stored is not None else inbox.by_source(c, received).id
