"""Runs pieces until a signal or the work inside ends, then stops them in order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import typer

from ordertrail.cli.children import Piece
from ordertrail.cli.supervisor import Supervisor

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")
Inside = Callable[[asyncio.Event], Awaitable[int]]
"""Work to do while the pieces run; it is given the event that says to stop, and answers the exit code."""


async def run_until_told(
    pieces: Sequence[Piece], *, logs: Path, greeting: str = "", inside: Inside | None = None,
    tell: Callable[[str], None] = typer.echo,
) -> int:  # fmt: skip
    """Start the pieces in order, do the work inside, stop the pieces in reverse. The exit code of the work.

    Ctrl-C, SIGTERM or SIGHUP end the work; a second one ends the processes without waiting. Raises DidNotStart.
    """
    supervisor = Supervisor(logs=logs, tell=tell)
    stop = asyncio.Event()
    with _signals(stop, supervisor, tell):
        try:
            for piece in pieces:
                await first_of(stop, supervisor.start(piece))
                if stop.is_set():
                    return 0
            if greeting:
                tell(greeting)
            return await (inside or _wait)(stop)
        finally:
            tell("Stopping …")
            await supervisor.stop()
            tell("Stopped.")


async def _wait(stop: asyncio.Event) -> int:
    await stop.wait()
    return 0


async def first_of(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The work's result, or None when told to stop before it is done. The work's own failure is raised."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


@contextmanager
def _signals(stop: asyncio.Event, supervisor: Supervisor, tell: Callable[[str], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            tell("Ending everything now.")
            supervisor.kill()
        stop.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
