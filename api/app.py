"""The HTTP application: routes, errors and what runs beside them, put together from the parts it is given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

import structlog
from fastapi import FastAPI, Response
from fastapi_offline import FastAPIOffline
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import openapi, problems
from api.context import Context, Reader
from api.metrics import Metrics
from api.middleware import RequestRecord
from api.parts import ApiParts
from api.rate_limit import RateLimit
from api.routes import cases, dead_letters, gallery, hooks, intake, operate, orders, outbox, portal, preferences, push
from api.streams import Hub
from api.trials import Trials
from ordertrail.observability import describe_exception

log = structlog.get_logger(__name__)

_RESTART_S = 1.0
_TAGS = [
    {"name": "Write", "description": "Tell ordertrail what happened. Everything is safe to repeat."},
    {"name": "Read", "description": "Where orders stand, from the read model."},
    {"name": "Operate", "description": "Dead letters, health, figures, schemas."},
    {"name": "Providers", "description": "Signed callbacks of message providers."},
]


def create_app(parts: ApiParts) -> FastAPI:
    """The application; nothing runs before its lifespan begins."""
    context = Context(
        parts=parts,
        reader=Reader(parts.database),
        limit=RateLimit(parts.settings.rate_limit_per_s, parts.settings.rate_limit_burst, parts.monotonic),
        metrics=Metrics(parts.database, parts.clock, parts.monotonic),
        hub=Hub(parts.database),
        trials=Trials(
            gallery=parts.gallery,
            database=parts.database,
            providers=parts.providers,
            secret=parts.settings.secret(),
            clock=parts.clock,
            monotonic=parts.monotonic,
        ),
    )
    app = FastAPIOffline(
        title="ordertrail",
        version=_version(),
        description=openapi.DESCRIPTION,
        openapi_tags=_TAGS,
        lifespan=_lifespan,
        redirect_slashes=False,
        redoc_url=None,
        favicon_url="/static/icon.svg",
    )
    app.state.context = context
    app.add_middleware(RequestRecord, metrics=context.metrics, monotonic=parts.monotonic)
    problems.install(app)
    openapi.install(app)
    for routes in (orders, intake, cases, dead_letters, hooks, operate, portal, outbox, gallery, push, preferences):
        app.include_router(routes.router)
    app.mount("/static", _Static(directory=parts.static_dir), name="static")
    return app


def _version() -> str:
    try:
        return version("ordertrail")
    except PackageNotFoundError:
        return "0"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Runs the dispatcher and the stream's poller beside the requests, and closes the database after them."""
    context: Context = app.state.context
    tasks = [
        asyncio.create_task(_kept_running("dispatcher", context.parts.dispatcher.run)),
        asyncio.create_task(_kept_running("streams", context.hub.run)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        context.parts.database.close()


async def _kept_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Requests are worth answering without it, but it is worth starting again."""
    while True:
        try:
            await run()
        except Exception as error:
            log.error("background_task_failed", task=name, **describe_exception(error))
        await asyncio.sleep(_RESTART_S)


class _Static(StaticFiles):
    """Static files whose address holds a hash of their content (`?v=`), and which may so be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        for_ever = b"v=" in scope["query_string"]
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if for_ever else "public, max-age=300"
        return response
