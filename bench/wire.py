"""A small HTTP client for loopback: pooled connections, no frills, so that it takes little of what is measured."""

import asyncio
import json
import time
from collections import deque
from typing import Any

_TRUSTED_S = 3.0


class Http:
    """Posts JSON with one API key. Use from one event loop."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._head = f"host: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
        self._idle: deque[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer's body. Raises RuntimeError for any status but 2xx."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\n{self._head}content-type: application/json\r\n"
        return await self._ask(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data)

    async def _ask(self, request: bytes) -> dict[str, Any]:
        reader, writer = await self._connection()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        self._idle.append((time.monotonic(), reader, writer))
        if head[9:10] != b"2":
            raise RuntimeError(f"the api answered {head[9:12].decode()}: {body[:300].decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(body)
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that was used a moment ago, because servers close those that were not; else a new one."""
        while self._idle:
            used, reader, writer = self._idle.pop()
            if time.monotonic() - used < _TRUSTED_S and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)
