"""Logs: structured, one line per event, with ids instead of people."""

import logging
import logging.config
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

PERSONAL_FIELDS = frozenset(
    {
        "name", "customer", "recipient", "recipient_name", "email", "phone", "address", "to", "to_name", "from_name",
        "shipping_address", "billing_address", "body", "text", "html", "subject", "payload", "raw", "message",
        "rendered", "facts", "detail", "token", "authorization", "secret", "password",
    }
)  # fmt: skip
"""Never logged, whoever tries: the last resort behind not passing them in the first place."""

_QUIET = ("uvicorn.access", "httpx", "httpcore", "twilio", "sendgrid", "python_http_client", "alembic")


def configure_logging(log_format: str, level: str) -> None:
    """Set up logging for this process: 'json' for machines, 'text' for people, to standard error.

    Lines of the standard library's loggers take the same way. Uvicorn's access log is off: it would write the
    tokens in paths; the api writes its own line per request.
    """
    # A log handler that fails prints what it was given, a customer's data included; it must fail silently.
    logging.raiseExceptions = False
    renderer: Any = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, drop_personal_fields, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, name_exception],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, drop_personal_fields, renderer],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger(name).handlers.clear()


def drop_personal_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: fields known to hold personal data are replaced, however deep they are."""
    for field in event:
        event[field] = "[dropped]" if field in PERSONAL_FIELDS else _cleaned(event[field])
    return event


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: "[dropped]" if key in PERSONAL_FIELDS else _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def name_exception(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: of an exception only its type and where it came from; its text may hold anything."""
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, tuple) and exc_info[1] is not None:
        event.update(describe_exception(exc_info[1]))
    return event


def describe_exception(error: BaseException) -> dict[str, Any]:
    """Fields for a log line about a defect: `error` is its type, `where` its innermost frames, without any values."""
    return {"error": type(error).__name__, "where": _frames(error.__traceback__)[-6:]}


def _frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames


def bind(**ids: str | int | None) -> AbstractContextManager[None]:
    """Put ids (request_id, order_id, inbox_id, delivery_id) on every line logged inside the block, over awaits."""
    return bound_contextvars(**{name: value for name, value in ids.items() if value is not None})
