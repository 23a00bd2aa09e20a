"""Starts the pieces of the system in order, starts again what crashes, and stops all in the reverse order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ordertrail.cli.children import Child, Piece, start
from ordertrail.domain.failures import OrdertrailError

_ASK_EVERY_S = 0.1
_LAST_WORDS = 300


class DidNotStart(OrdertrailError):
    """A piece ended or stayed silent before it was ready."""


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Pauses before a restart, in seconds: doubled at each crash, back to the first after `healthy_after` of life."""

    first: float = 0.5
    most: float = 30
    healthy_after: float = 60

    def next(self, last: float, lived: float) -> float:
        """The pause after a crash, given the last pause (0 for none) and how long the child lived."""
        if last == 0 or lived >= self.healthy_after:
            return self.first
        return min(last * 2, self.most)


class Supervisor:
    """Keeps pieces running. Use from one event loop in the main thread; `tell` is given one line per incident."""

    def __init__(self, *, logs: Path, tell: Callable[[str], None], backoff: Backoff | None = None) -> None:
        self._logs = logs
        self._tell = tell
        self._backoff = backoff or Backoff()
        self._children: dict[str, Child] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._spawning: set[asyncio.Task[Child]] = set()

    def pid(self, name: str) -> int | None:
        """The process id of a running piece."""
        child = self._children.get(name)
        return None if child is None or child.has_ended() else child.pid

    async def start(self, piece: Piece) -> None:
        """Start a piece, wait until it is ready, and keep it running. Raises DidNotStart with its last words."""
        child = await self._spawn(piece)
        ending = asyncio.create_task(child.ended())
        readying = asyncio.create_task(_until_ready(piece))
        try:
            await asyncio.wait({ending, readying}, timeout=piece.start_within, return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                raise self._did_not_start(piece, f"ended with code {ending.result()} before it was ready")
            if not readying.done():
                raise self._did_not_start(piece, f"was not ready within {piece.start_within:.0f} s")
            await readying
        finally:
            ending.cancel()
            readying.cancel()
        self._keepers[piece.name] = asyncio.create_task(self._keep(piece))

    async def stop(self) -> None:
        """Stop everything, last started first; nothing of it is left when this returns."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), *self._spawning, return_exceptions=True)
        self._keepers.clear()
        for name in reversed(list(self._children)):
            await self._children.pop(name).stop()

    def kill(self) -> None:
        """End everything at once; for an impatient second Ctrl-C."""
        for keeper in self._keepers.values():
            keeper.cancel()
        for child in self._children.values():
            child.kill()

    async def _keep(self, piece: Piece) -> None:
        clock = asyncio.get_running_loop().time
        pause, since = 0.0, clock()
        while True:
            code = await self._children[piece.name].ended()
            self._children[piece.name].kill()  # whatever it had started itself
            pause = self._backoff.next(pause, clock() - since)
            again = f"starting it again in {pause:g} s (see {self._log(piece)})"
            self._tell(f"{piece.name} ended with code {code}; {again}")
            await asyncio.sleep(pause)
            since = clock()
            await self._spawn(piece)
            await self._announce_return(piece)

    async def _announce_return(self, piece: Piece) -> None:
        ending = asyncio.create_task(self._children[piece.name].ended())
        readying = asyncio.create_task(_until_ready(piece))
        try:
            await asyncio.wait({ending, readying}, return_when=asyncio.FIRST_COMPLETED)
            if readying.done() and readying.exception() is None:
                self._tell(f"{piece.name} is back")
        finally:
            ending.cancel()
            readying.cancel()

    async def _spawn(self, piece: Piece) -> Child:
        # Shielded and remembered: a cancellation must not forget a child that is just being born.
        spawning = asyncio.create_task(self._spawn_and_list(piece))
        self._spawning.add(spawning)
        spawning.add_done_callback(self._spawning.discard)
        return await asyncio.shield(spawning)

    async def _spawn_and_list(self, piece: Piece) -> Child:
        child = await start(piece, self._log(piece))
        self._children[piece.name] = child
        return child

    def _log(self, piece: Piece) -> Path:
        return self._logs / f"{piece.name}.log"

    def _did_not_start(self, piece: Piece, what: str) -> DidNotStart:
        log = self._log(piece)
        words = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        last = f": {words[-1][:_LAST_WORDS]}" if words else ""
        return DidNotStart("did_not_start", f"{piece.name} {what} (see {log}){last}")


async def _until_ready(piece: Piece) -> None:
    while not await piece.ready():  # noqa: ASYNC110  the piece is another process, there is nothing to wait on
        await asyncio.sleep(_ASK_EVERY_S)
    if piece.once_ready is not None:
        await piece.once_ready()
