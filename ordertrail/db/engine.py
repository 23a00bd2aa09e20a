"""Engines and transactions: one way to write and one way to read, on SQLite and PostgreSQL alike."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from ordertrail.domain.failures import Transient

_AWAY = (OperationalError, InterfaceError, PoolTimeout)

log = structlog.get_logger(__name__)


class Database:
    """Hands out transactions. Thread-safe; construct once per process.

    SQLite: WAL, `BEGIN IMMEDIATE` for writers (a deferred read-then-write fails with "database is locked" whatever the
    timeout), one writer per process at a time, `synchronous=FULL` because accepted means durable.
    Parameters never appear in errors or logs.
    """

    def __init__(self, url: str, *, pool_size: int = 20, busy_timeout_s: float = 5.0) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._busy_timeout_s = busy_timeout_s
        self._write_lock = threading.Lock()
        self.writer = self._engine(pool_size)
        self.reader = self._engine(pool_size, isolation_level="REPEATABLE READ")
        if self.is_sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            event.listen(self.writer, "begin", _begin_immediate)
            event.listen(self.reader, "begin", _begin_deferred)
        self._glancing: Connection | None = None
        self._glance_lock = threading.Lock()

    def _engine(self, pool_size: int, *, isolation_level: str | None = None) -> Engine:
        """`isolation_level` is for servers only; any transaction of SQLite is one consistent look."""
        options: dict[str, Any] = {"hide_parameters": True, "poolclass": QueuePool, "pool_size": pool_size}
        if self.is_sqlite:
            options["connect_args"] = {"check_same_thread": False, "timeout": self._busy_timeout_s}
        else:
            options |= {"max_overflow": 5, "pool_timeout": 5, "pool_pre_ping": True}
            options["connect_args"] = {"connect_timeout": 5}
            if isolation_level:
                options["isolation_level"] = isolation_level
        engine = create_engine(self.url, **options)
        if self.is_sqlite:
            event.listen(engine, "connect", _set_up_sqlite)
        return engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that commits when the block ends. Raises Transient when the database is away or locked."""
        try:
            if self.is_sqlite:
                with self._alone(), self.writer.begin() as connection:
                    yield connection
            else:
                with self.writer.begin() as connection:
                    yield connection
        except _AWAY as error:
            raise _unavailable(error) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer of this process at a time. Nobody queues for longer than they would wait for the file itself:
        while that is locked, each in the queue would otherwise wait out the whole timeout of everybody before it."""
        if not self._write_lock.acquire(timeout=self._busy_timeout_s):
            raise Transient("database_unavailable")
        try:
            yield
        finally:
            self._write_lock.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look; never blocks writers. Raises Transient when the database is away."""
        try:
            with self.reader.connect() as connection:
                yield connection
        except _AWAY as error:
            raise _unavailable(error) from None

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Like `read`, for one statement only: it is consistent in itself and needs no transaction around it.

        SQLite keeps one connection open for this: fetching one from the pool costs more than the statement.
        """
        if not self.is_sqlite:
            with self.read() as connection:
                yield connection
            return
        with self._glance_lock:
            try:
                if self._glancing is None:
                    self._glancing = self.reader.connect().execution_options(**_GLANCE)
                yield self._glancing
            except SQLAlchemyError as error:
                self._end_glancing()
                if isinstance(error, _AWAY):
                    raise _unavailable(error) from None
                raise

    def _end_glancing(self) -> None:
        glancing, self._glancing = self._glancing, None
        if glancing is not None:
            glancing.invalidate()
            glancing.close()

    def close(self) -> None:
        """Close all connections."""
        with self._glance_lock:
            self._end_glancing()
        self.writer.dispose()
        self.reader.dispose()


_GLANCE: Mapping[str, Any] = MappingProxyType({"isolation_level": "AUTOCOMMIT", "single_statement": True})


def _unavailable(error: Exception) -> Transient:
    """Logs the driver's own word (locked, refused, no such column) without the statement and its parameters."""
    driver = error.orig if isinstance(error, DBAPIError) and error.orig else error
    log.warning("database_unavailable", error=type(driver).__name__, said=str(driver).splitlines()[:1])
    return Transient("database_unavailable")


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: Connection) -> None:
    if connection.get_execution_options().get("single_statement"):
        return
    # Straight to the driver: it cannot fail, and every read of a page pays for it.
    connection.connection.cursor().execute("BEGIN")
