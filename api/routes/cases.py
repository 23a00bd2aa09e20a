"""Reading cases: what support queues own."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints, TypeAdapter

from api import documents
from api.context import context_of
from api.cursors import Cursor, Limit, read_cursor, write_cursor
from api.guard import ReadCases
from ordertrail.db import reading
from ordertrail.domain.base import NO_NUL, Instant
from ordertrail.domain.vocabulary import CasePriority

router = APIRouter(tags=["Read"])

_Id = Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]
_POSITION: TypeAdapter[tuple[Instant, _Id]] = TypeAdapter(tuple[Instant, _Id])


@router.get(
    "/v1/cases",
    summary="List cases",
    response_class=documents.Json,
    responses=documents.answers(200, 401, 403, 422, 429, 503, model="CasePage"),
)
async def list_cases(
    request: Request,
    key: ReadCases,
    *,
    queue: Annotated[str | None, Query(max_length=40, pattern=NO_NUL)] = None,
    state: Annotated[str | None, Query(pattern="^(open|acknowledged|closed)$")] = None,
    priority: CasePriority | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The brand's cases, newest first, with the facts an agent needs and no personal data."""
    before = read_cursor(cursor, _POSITION) if cursor else None
    rows = await context_of(request).reader.read(
        lambda c: reading.case_page(
            c, key.brand, queue=queue, state=state, priority=priority, before=before, limit=limit + 1
        )
    )
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = write_cursor(last["opened_at"].isoformat(), last["id"]) if last else None
    return documents.page("cases", [dict(row) for row in rows[:limit]], next_cursor)
