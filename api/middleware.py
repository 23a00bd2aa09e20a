"""Around every request: its id, one log line, its figures, and a plain answer when something unforeseen breaks."""

import re
import secrets
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import ProblemError, problem
from ordertrail.observability import bind, describe_exception

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_CLIENT_GONE = 499
_UNFORESEEN = ProblemError(
    500, "internal_error", "Something broke on our side. It is in the log under this request id."
)


class RequestRecord:
    """Pure ASGI, because it stands before every request and must cost little.

    The log line and the figures name the route's template and never the path: a path may hold a token or an order's
    number. The query string is not logged at all.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._metrics = metrics
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, request_id, self._monotonic)
        with bind(request_id=request_id):
            try:
                await self._app(scope, receive, answer.send)
            except ClientDisconnect:
                answer.status = answer.status or _CLIENT_GONE
            except Exception as error:
                log.error("request_failed", route=_route(scope), **describe_exception(error))
                if not answer.status:
                    await problem(scope, _UNFORESEEN)(scope, receive, answer.send)
            self._record(scope, answer)

    def _record(self, scope: Scope, answer: "_Answer") -> None:
        route = _route(scope)
        self._metrics.requests.labels(route, scope["method"], str(answer.status)).inc()
        self._metrics.seconds.labels(route).observe(answer.seconds)
        milliseconds = round(answer.seconds * 1000, 2)
        log.info("request", method=scope["method"], route=route, status=answer.status, ms=milliseconds)


class _Answer:
    """Passes the answer on, remembering its status and when it began."""

    def __init__(self, send: Send, request_id: str, monotonic: Callable[[], float]) -> None:
        self._send = send
        self._header = (b"x-request-id", request_id.encode())
        self._monotonic = monotonic
        self._began = monotonic()
        self.status = 0
        self.seconds = 0.0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.seconds = self._monotonic() - self._began
            message["headers"] = [*message["headers"], self._header, (b"x-content-type-options", b"nosniff")]
        await self._send(message)


def _request_id(scope: Scope) -> str:
    """The caller's own id where it is a harmless one, so that their log and ours can be put side by side."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(8)


def _route(scope: Scope) -> str:
    template = getattr(scope.get("route"), "path", None)
    if template:
        return str(template)
    return "/static" if scope["path"].startswith("/static/") else "(none)"
