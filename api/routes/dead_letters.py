"""Dead letters: what was received and not understood, and another chance for it."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, TypeAdapter
from starlette.concurrency import run_in_threadpool

from api import documents
from api.context import context_of
from api.cursors import Cursor, Limit, read_cursor, write_cursor
from api.guard import Operate
from api.problems import ProblemError, not_found
from ordertrail.db import inbox, reading
from ordertrail.db.inbox import InboxKind, InboxRow, InboxState
from ordertrail.frontdoor.replay import NotDead, Replayed, StillDead

router = APIRouter(tags=["Operate"])

_Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
_POSITION: TypeAdapter[tuple[_Number, _Number]] = TypeAdapter(tuple[_Number, _Number])
LetterId = Annotated[int, Path(ge=1, le=2**63 - 1, alias="id")]


@router.get(
    "/v1/dead-letters",
    summary="List dead letters",
    response_class=documents.Json,
    responses=documents.answers(200, 401, 403, 422, 429, 503, model="DeadLetterPage"),
)
async def list_dead_letters(
    request: Request,
    key: Operate,
    kind: Annotated[InboxKind | None, Query(description="Of this kind only")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The brand's dead letters, most urgent first, then newest. Their payloads are read one by one."""
    after = read_cursor(cursor, _POSITION) if cursor else None
    kinds = [kind.value] if kind else []
    rows = await context_of(request).reader.read(
        lambda c: reading.dead_letter_page(c, key.brand, kinds=kinds, after=after, limit=limit + 1)
    )
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = write_cursor(last["priority"], last["id"]) if last else None
    return documents.page("dead_letters", [dict(row) for row in rows[:limit]], next_cursor)


@router.get(
    "/v1/dead-letters/{id}",
    summary="Read a dead letter",
    response_class=documents.Json,
    responses=documents.answers(200, 401, 403, 404, 422, 429, 503, model="DeadLetter"),
)
async def read_dead_letter(request: Request, letter_id: LetterId, key: Operate) -> Response:
    """One dead letter with the body as received, which may hold personal data, and why it was not understood."""
    row = await context_of(request).reader.read(lambda c: inbox.by_id(c, letter_id))
    if row is None or row.brand != key.brand or row.state != InboxState.DEAD:
        raise not_found("dead letter")
    return documents.Json(documents.encoded(_shown(row)), headers={"cache-control": "no-store"})


def _shown(row: InboxRow) -> dict[str, Any]:
    try:
        payload, encoding = row.payload.decode(), "utf-8"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(row.payload).decode(), "base64"
    names = ("id", "kind", "connection", "reason", "priority", "received_at", "order_id", "replays", "detail")
    shown = {name: getattr(row, name) for name in names}
    return shown | {"reference": row.match_key, "payload": payload, "payload_encoding": encoding}


@router.post(
    "/v1/dead-letters/{id}/replay",
    summary="Replay a dead letter",
    response_class=documents.Json,
    responses=documents.answers(200, 401, 403, 404, 409, 422, 429, 503, model="ReplayAnswer"),
)
async def replay_dead_letter(request: Request, letter_id: LetterId, key: Operate) -> Response:
    """Reads the body again with today's code, exactly as if it had just come in. Safe to repeat."""
    parts = context_of(request).parts
    now = parts.clock()
    outcome = await run_in_threadpool(lambda: parts.replay.replay(letter_id, now, brand=key.brand))
    match outcome:
        case Replayed(acceptance=acceptance):
            parts.dispatcher.wake(acceptance.wakes)
            return _answer(letter_id, "replayed", None, dict(acceptance.answer))
        case StillDead(reason=reason):
            return _answer(letter_id, "dead", reason, None)
        case NotDead(state=None):
            raise not_found("dead letter")
        case NotDead(state=state):
            raise ProblemError(409, "not_dead", f"This is no dead letter any more: it is {state}.")


def _answer(letter_id: int, state: str, reason: str | None, answer: dict[str, Any] | None) -> Response:
    return documents.Json(documents.encoded({"id": letter_id, "state": state, "reason": reason, "answer": answer}))
