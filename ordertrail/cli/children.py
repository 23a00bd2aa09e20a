"""One child process: started in a group of its own, logged to a file, stopped with a deadline, never left behind."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_LOG_KEPT_BYTES = 20_000_000

Check = Callable[[], Awaitable[bool]]
Act = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of the system as a process.

    `ready` is asked until it says yes, at most `start_within` seconds; `once_ready` runs after every start. SIGTERM
    gets `stop_within` seconds before SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Check
    once_ready: Act | None = None
    start_within: float = 90
    stop_within: float = 15


class Child:
    """A running piece."""

    def __init__(self, piece: Piece, process: asyncio.subprocess.Process) -> None:
        self.piece = piece
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its group."""
        return self._process.pid

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        return await self._process.wait()

    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process.returncode is not None

    async def stop(self) -> None:
        """Ask it to end, wait for its deadline, then end it and whatever it started."""
        try:
            if not self.has_ended():
                self._signal(signal.SIGTERM)
                await asyncio.wait_for(self._process.wait(), self.piece.stop_within)
        except TimeoutError:
            pass
        finally:
            self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """SIGKILL the whole group, now; harmless when it is gone."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


async def start(piece: Piece, log: Path) -> Child:
    """Start a piece, its output appended to `log`. From the main thread only: a child dies with the thread it is tied
    to."""
    with _opened(log) as output:
        process = await asyncio.create_subprocess_exec(
            *piece.argv,
            env=dict(piece.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tie_to(os.getpid()) if _LIBC else None,
        )
    return Child(piece, process)


def _opened(log: Path) -> BinaryIO:
    """The log to append to; one that has grown large is put aside first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def _tie_to(parent: int) -> Callable[[], None]:
    """What a child does before it becomes its program: ask the kernel to be killed when its parent is."""

    def tie() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the request was made
            os._exit(1)

    return tie
