"""A small real HTTP server that stands in for a provider: it remembers, fails on demand, and calls back."""

import asyncio
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.fakes.faults import Fault, FaultKind, Faults, Rate, chance
from tests.fakes.memory import Kept, Memory, Posted, Settings
from tests.fakes.openapi import SpecCheck


class _DroppableProtocol(HttpToolsProtocol):
    """Lets a handler reach its connection, to close it without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class FakeProvider(ABC):
    """Use it as `with FakeX() as fake`, in a thread; or `serve()` in a process of its own.

    Vendor routes go through `handle`, which applies faults. `/_fake/...` looks inside and sets things.
    """

    check: SpecCheck

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 0, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.faults = Faults(seed)
        self.memory = Memory()
        self._seed = seed
        self._client: httpx.AsyncClient | None = None
        # Fewer than the client's connections: its own queue gets slow when thousands of callbacks wait in it.
        self._posting = asyncio.Semaphore(32)
        self._pending: set[asyncio.Task[None]] = set()
        self._socket = socket.create_server((host, port))
        bound_host, bound_port = self._socket.getsockname()[:2]
        self.url = f"http://{bound_host}:{bound_port}"
        config = uvicorn.Config(
            Starlette(routes=[*self.routes(), *self._control()], lifespan=self._lifespan),
            http=_DroppableProtocol,
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    @property
    def messages(self) -> list[Kept]:
        return self.memory.messages

    @property
    def violations(self) -> list[str]:
        return self.memory.violations

    @property
    def callbacks(self) -> list[Posted]:
        return self.memory.callbacks

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the fake provider did not start")
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    def serve(self) -> None:
        """Serve until a signal ends the process."""
        self._server.run([self._socket])

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as self._client:
            yield
            for task in self._pending:
                task.cancel()

    # What a vendor's fake says for itself.

    @abstractmethod
    def routes(self) -> list[Route]:
        """The vendor's routes, each ending in `handle`."""

    @abstractmethod
    def answer(self, request: Request, body: bytes) -> Response:
        """The vendor's answer when nothing goes wrong on its side: it checks, keeps, plans callbacks, and answers."""

    @abstractmethod
    def error(self, fault: Fault, request: Request, body: bytes) -> Response:
        """The vendor's error answer, which names the recipient as real ones do."""

    def info(self) -> dict[str, Any]:
        """What a user of the fake must know: where it is, and the keys it signs with."""
        return {"url": self.url, "messages": len(self.messages), "refused": self.memory.refused}

    async def handle(self, request: Request) -> Response:
        """One request to the vendor: perhaps a fault, else the vendor's answer."""
        body = await request.body()
        if self.settings.latency:
            await asyncio.sleep(self.settings.latency)
        fault = self.faults.take()
        if fault is None:
            return self._counted(self.answer(request, body))
        taken = self.answer(request, body) if fault.accepts else self.error(fault, request, body)
        match fault.kind:
            case FaultKind.HANG:
                await asyncio.sleep(fault.seconds)
            case FaultKind.DROP:
                await self._drop(request)
        return self._counted(taken)

    def _counted(self, response: Response) -> Response:
        self.memory.refused += response.status_code >= 300
        return response

    async def _drop(self, request: Request) -> None:
        """Close the connection; what is answered afterwards goes nowhere."""
        request.scope["state"]["transport"].abort()
        await asyncio.sleep(0.01)  # until the server has noticed

    # Callbacks.

    def later(self, message: Kept, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, which posts this message's callbacks, when the settings say so; or lose it."""
        if chance("callback", self._seed, message.number) < self.settings.callback_loss:
            work.close()
            self.memory.callbacks.append(Posted(url="", message=message.number, status=None, lost=True))
            return
        task = asyncio.get_running_loop().create_task(self._after_delay(work))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _after_delay(self, work: Coroutine[Any, Any, None]) -> None:
        # Never before the answer itself: the vendors report what they have acknowledged.
        await asyncio.sleep(max(self.settings.callback_delay, 0.005))
        await work

    async def post(self, message: Kept, url: str, content: bytes, headers: dict[str, str]) -> None:
        """Post one callback until somebody answers 2xx or the tries are used up."""
        assert self._client is not None
        for attempt in range(self.settings.callback_tries):
            if attempt:
                await asyncio.sleep(self.settings.callback_pause)
            status: int | None = None
            try:
                async with self._posting:
                    status = (await self._client.post(url, content=content, headers=headers)).status_code
            except httpx.HTTPError:
                status = None
            self.memory.callbacks.append(Posted(url=url, message=message.number, status=status))
            if status is not None and status < 300:
                return

    # The control interface.

    def _control(self) -> list[Route]:
        return [
            Route("/_fake/info", self._get_info),
            Route("/_fake/messages", self._get_messages),
            Route("/_fake/messages", self._forget, methods=["DELETE"]),
            Route("/_fake/violations", self._get_violations),
            Route("/_fake/callbacks", self._get_callbacks),
            Route("/_fake/faults", self._set_faults, methods=["POST"]),
            Route("/_fake/settings", self._change_settings, methods=["POST"]),
        ]

    async def _get_info(self, _: Request) -> Response:
        return JSONResponse(self.info() | {"settings": self.settings.model_dump()})

    async def _get_messages(self, request: Request) -> Response:
        """All messages, or those from number `since` on."""
        since = int(request.query_params.get("since", "0"))
        return JSONResponse([message.as_json() for message in self.messages[since:]])

    async def _forget(self, _: Request) -> Response:
        self.memory.clear()
        return Response(status_code=204)

    async def _get_violations(self, _: Request) -> Response:
        return JSONResponse(self.violations)

    async def _get_callbacks(self, _: Request) -> Response:
        return JSONResponse([asdict(posted) for posted in self.callbacks])

    async def _set_faults(self, request: Request) -> Response:
        """Body: {"clear": bool, "push": [fault, …], "rates": [{"probability": p, "fault": fault}, …]}, all optional."""
        wanted = await request.json()
        if wanted.get("clear"):
            self.faults.clear()
        self.faults.push(*(Fault.model_validate(fault) for fault in wanted.get("push", ())))
        if "rates" in wanted:
            self.faults.set_rates(*(Rate.model_validate(rate) for rate in wanted["rates"]))
        return Response(status_code=204)

    async def _change_settings(self, request: Request) -> Response:
        """Body: any of the settings."""
        for name, value in (await request.json()).items():
            setattr(self.settings, name, value)
        return JSONResponse(self.settings.model_dump())
