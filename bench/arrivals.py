"""Runs the provider and tells whoever waits for it when a message arrives there."""

import asyncio
import sys
from collections import defaultdict
from dataclasses import dataclass

_START_WITHIN_S = 10


class Arrivals:
    """When messages came to their recipients, in monotonic seconds, in the order in which they came."""

    def __init__(self) -> None:
        self._came: defaultdict[str, list[float]] = defaultdict(list)
        self._waiting: dict[str, tuple[int, asyncio.Future[None]]] = {}
        self.total = 0

    def add(self, recipient: str, at: float) -> None:
        """A message came."""
        came = self._came[recipient]
        came.append(at)
        self.total += 1
        wanted = self._waiting.get(recipient)
        if wanted is not None and len(came) >= wanted[0] and not wanted[1].done():
            wanted[1].set_result(None)

    def count(self, recipient: str) -> int:
        """How many have come to them so far."""
        return len(self._came[recipient])

    async def nth(self, recipient: str, number: int, *, within_s: float) -> float:
        """When their message of this number (from 1) came. Raises TimeoutError."""
        came = self._came[recipient]
        if len(came) < number:
            future = asyncio.get_running_loop().create_future()
            self._waiting[recipient] = (number, future)
            try:
                async with asyncio.timeout(within_s):
                    await future
            finally:
                del self._waiting[recipient]
        return came[number - 1]

    def forget(self) -> None:
        """Drop what came so far."""
        self._came.clear()


@dataclass(frozen=True)
class ProviderProcess:
    """The provider as a process, and the task that reads what it tells."""

    process: asyncio.subprocess.Process
    reading: asyncio.Task[None]

    async def stop(self) -> None:
        """End it."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.reading.cancel()


async def start_provider(port: int, arrivals: Arrivals) -> ProviderProcess:
    """Start it; ready when this returns. Raises TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.provider", "--port", str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout, arrivals))
    async with asyncio.timeout(_START_WITHIN_S):
        while not await _listens(port):
            await asyncio.sleep(0.05)
    return ProviderProcess(process, reading)


async def _read(lines: asyncio.StreamReader, arrivals: Arrivals) -> None:
    async for line in lines:
        recipient, at = line.decode().rsplit(" ", 1)
        arrivals.add(recipient, float(at))


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
