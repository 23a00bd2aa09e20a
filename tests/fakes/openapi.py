"""Requests against a vendor's own OpenAPI document, stricter than it: a field it does not know is a violation."""

import json
import logging
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import OpenAPI
from openapi_core.contrib.starlette import StarletteOpenAPIRequest
from openapi_core.exceptions import OpenAPIError
from starlette.requests import Request

VENDOR_SPECS = Path(__file__).resolve().parents[3] / "shared" / "data" / "vendor-specs"

_FORM = "application/x-www-form-urlencoded"

_log = logging.getLogger(__name__)


class SpecCheck:
    """The operations of `path` in one vendor document; without the document nothing is checked, and it says so once."""

    def __init__(self, document: str, path: str) -> None:
        self._file = VENDOR_SPECS / document
        self._path = path
        self._lock = threading.Lock()
        self._loaded = False
        self._openapi: OpenAPI | None = None
        self._form_fields: frozenset[str] = frozenset()

    @property
    def available(self) -> bool:
        return self._file.exists()

    def violation(self, request: Request, body: bytes) -> str | None:
        """What is wrong with the request by the vendor's document, or None."""
        openapi = self._load()
        if openapi is None:
            return None
        try:
            openapi.validate_request(StarletteOpenAPIRequest(request, body))
        except OpenAPIError as error:
            return _explained(error)
        return self._unknown_field(request, body)

    def _unknown_field(self, request: Request, body: bytes) -> str | None:
        """The validator decodes of a form only the fields it knows, so the others are looked for here."""
        if not request.headers.get("Content-Type", "").startswith(_FORM):
            return None
        unknown = {name for name, _ in parse_qsl(body.decode(errors="replace"))} - self._form_fields
        return f"unknown fields: {', '.join(sorted(unknown))}" if unknown else None

    def _load(self) -> OpenAPI | None:
        with self._lock:
            if not self._loaded:
                self._loaded = True
                if self.available:
                    document = _document(self._file, self._path)
                    self._form_fields = _form_fields(document["paths"][self._path])
                    self._openapi = OpenAPI.from_dict(document)
                else:
                    _log.warning("no vendor document %s: requests are not validated", self._file.name)
            return self._openapi


def _document(file: Path, path: str) -> dict[str, Any]:
    """The vendor's document cut down to one path, served from anywhere, with its objects closed."""
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    operations = document["paths"][path]
    operations.pop("servers", None)
    document["servers"] = [{"url": "/"}]
    document["paths"] = {path: operations}
    for name, part in document["components"].get("requestBodies", {}).items():
        document["components"]["requestBodies"][name] = _closed(part)
    document["paths"][path] = _closed(operations)
    return document


def _form_fields(operations: dict[str, Any]) -> frozenset[str]:
    content = operations.get("post", {}).get("requestBody", {}).get("content", {})
    return frozenset(content.get(_FORM, {}).get("schema", {}).get("properties", ()))


def _closed(part: Any) -> Any:
    """A copy in which an object with listed properties has no others."""
    match part:
        case dict():
            copy = {key: _closed(value) for key, value in part.items()}
            if isinstance(copy.get("properties"), dict) and copy.get("type") == "object":
                copy.setdefault("additionalProperties", False)
            return copy
        case list():
            return [_closed(item) for item in part]
        case _:
            return part


def _explained(error: BaseException) -> str:
    reasons = [str(error)]
    cause = error.__cause__
    while cause is not None:
        reasons.append(str(cause))
        details = getattr(cause, "schema_errors", ())
        reasons += [getattr(detail, "message", str(detail)) for detail in details]
        cause = cause.__cause__
    return "; ".join(dict.fromkeys(reasons))
