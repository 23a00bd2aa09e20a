"""A load generator for one path: a process of its own, so that it shares nothing with what it measures."""

import argparse
import asyncio
import json
import time
from functools import partial
from typing import cast

import uvloop


class _Connection(asyncio.Protocol):
    """Asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, latencies: list[float], ended: asyncio.Future[None]) -> None:
        self._request, self._until, self._latencies, self._ended = request, until, latencies, ended
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not registered as such
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._answer.find(b"content-length: ") + 16
        if len(self._answer) < head + 4 + int(self._answer[at : self._answer.index(b"\r", at)]):
            return
        if self._answer[9:12] != b"200":
            self._ended.set_exception(RuntimeError(self._answer[:300].decode(errors="replace")))
            return
        now = time.perf_counter()
        self._latencies.append(now - self._asked)
        self._answer = b""
        if now < self._until:
            self._ask()
        else:
            self._transport.close()
            self._ended.set_result(None)


async def generate(port: int, path: str, key: str, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second, p50 and p99 in ms, and how busy this process was itself."""
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    began, cpu = time.perf_counter(), time.process_time()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(partial(_Connection, request, began + seconds, latencies, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    took = time.perf_counter() - began
    latencies.sort()
    return {
        "per_s": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "busy": (time.process_time() - cpu) / took,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("path", "key"):
        parser.add_argument(name)
    for name in ("port", "connections"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    print(
        json.dumps(uvloop.run(generate(asked.port, asked.path, asked.key, asked.connections, asked.seconds))),
        flush=True,
    )
