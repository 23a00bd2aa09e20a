"""For those who run it: is it alive, is it ready, how is it doing, and what it accepts."""

import json

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from api import documents, openapi
from api.context import Context, context_of
from api.problems import ProblemError, not_found
from ordertrail.db import migrate
from ordertrail.domain.failures import Transient

router = APIRouter(tags=["Operate"])

_OK = {"type": "object", "additionalProperties": {"type": "string"}}


@router.get("/healthz", summary="Is the process alive", response_class=documents.Json)
async def healthz() -> Response:
    """200 while the process can answer at all; it looks at nothing else."""
    return documents.Json('{"status":"ok"}')


@router.get("/readyz", summary="Can it take requests", response_class=documents.Json, responses=documents.answers(503))
async def readyz(request: Request) -> Response:
    """200 when the database answers and has the schema this version needs, else 503.

    Temporal being away is reported and is no reason to send nobody here: what is accepted meanwhile waits.
    """
    context = context_of(request)
    database, schema = await run_in_threadpool(_database_state, context)
    temporal = "ok" if context.parts.dispatcher.healthy else "away"
    state = {"database": database, "schema": schema, "temporal": temporal}
    if {database, schema} != {"ok"}:
        raise ProblemError(503, "not_ready", "The database is away or lacks migrations.", members=state)
    return documents.Json(json.dumps({"status": "ready", **state}))


def _database_state(context: Context) -> tuple[str, str]:
    try:
        return "ok", "ok" if migrate.is_current(context.parts.database) else "outdated"
    except Transient:
        return "away", "unknown"


@router.get("/metrics", summary="Prometheus figures", response_class=Response)
async def metrics(request: Request) -> Response:
    """The Prometheus exposition format. Labels hold brands, channels and codes, never anything about a person."""
    text = await run_in_threadpool(context_of(request).metrics.text)
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})


@router.get(
    "/v1/schemas/{name}.json",
    summary="JSON Schema of a body",
    response_class=documents.Json,
    responses=documents.answers(404),
)
async def schema(name: str) -> Response:
    """The JSON Schema of `order`, `order-event` or `tracking-event`."""
    published = openapi.schema_of(name)
    if published is None:
        raise not_found("schema")
    return Response(
        json.dumps(published), media_type="application/schema+json", headers={"cache-control": "public, max-age=3600"}
    )
