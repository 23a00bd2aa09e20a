"""What lives as long as one application: the parts it was given, and what it keeps in memory beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.metrics import Metrics
from api.parts import ApiParts
from api.rate_limit import RateLimit
from api.streams import Hub
from api.trials import Trials
from ordertrail.db.engine import Database

T = TypeVar("T")


class Reader:
    """Reads without holding up the event loop.

    `soon` is for single rows by key: SQLite answers them in less time than a thread takes to wake, so it is asked on
    the loop itself; PostgreSQL is across a network and is asked from a thread. `read` always uses a thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def soon(self, work: Callable[[Connection], T]) -> T:
        """Run one statement that takes microseconds. Raises Transient when the database is away."""
        return self._glance(work) if self._database.is_sqlite else await run_in_threadpool(self._glance, work)

    async def found(self, look: Callable[[], T]) -> T:
        """Like `soon`, for those who open their own transaction."""
        return look() if self._database.is_sqlite else await run_in_threadpool(look)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run any read. Raises Transient when the database is away."""
        return await run_in_threadpool(self._run, work)

    def _glance(self, work: Callable[[Connection], T]) -> T:
        with self._database.glance() as c:
            return work(c)

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self._database.read() as c:
            return work(c)


@dataclass(frozen=True, kw_only=True)
class Context:
    """Found in `app.state.context`."""

    parts: ApiParts
    reader: Reader
    limit: RateLimit
    metrics: Metrics
    hub: Hub
    trials: Trials


def context_of(request: Request) -> Context:
    """The context of the application that serves this request."""
    context: Context = request.scope["app"].state.context
    return context
