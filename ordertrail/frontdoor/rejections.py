"""Why a body was not understood: the fields by JSON Pointer and the reasons, without a single value of it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ordertrail.frontdoor.acceptance import UnacceptableField


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong with one field. `pointer` is an RFC 6901 JSON Pointer, `code` a stable word for machines."""

    pointer: str
    detail: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """What is stored with the dead letter, and told to the sender."""

    reason: str
    detail: str
    errors: tuple[FieldError, ...] = ()


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_FIXED = {
    "union_tag_invalid": "This value is none of those allowed here.",
    "union_tag_not_found": "This field is required to tell what the object is.",
    "extra_forbidden": "This field is not known here.",
}
_MOST_ERRORS = 50


def rejection_of(error: ValidationError | UnacceptableField, raw: bytes) -> Rejection:
    """Describe why `raw` was not taken. Not a word of its values is in the result."""
    errors = _field_errors(error, raw)
    reason = "invalid_json" if errors and errors[0].code == "json_invalid" else "invalid"
    return Rejection(reason=reason, detail="; ".join(f"{e.pointer}: {e.code}" for e in errors), errors=errors)


def _field_errors(error: ValidationError | UnacceptableField, raw: bytes) -> tuple[FieldError, ...]:
    if isinstance(error, UnacceptableField):
        return (FieldError(pointer=error.pointer, detail=str(error), code=error.code),)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    problems = error.errors(include_url=False, include_context=True)[:_MOST_ERRORS]
    return tuple(
        FieldError(pointer=_pointer(problem, body), detail=_detail(problem), code=problem["type"])
        for problem in problems
    )


def _pointer(problem: ErrorDetails, body: Any) -> str:
    path = list(_path(problem["loc"], body))
    if problem["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path.append("kind")
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def _path(loc: Sequence[int | str], body: Any) -> Sequence[str]:
    """The location without the tags of unions, which pydantic lists among the fields."""
    path: list[str] = []
    for part in loc:
        if isinstance(body, dict) and part not in body and body.get("kind") == part:
            continue
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            body = None
        path.append(str(part))
    return path


def _detail(problem: ErrorDetails) -> str:
    """Pydantic's words; where they quote what was sent, the quotation is left out."""
    fixed = _FIXED.get(problem["type"])
    if fixed is not None:
        return fixed
    sent = str(problem["input"]) if isinstance(problem["input"], str | int | float) else None
    if sent is None:
        return problem["msg"].removeprefix("Value error, ")
    message = problem["msg"].removeprefix("Value error, ")
    words = _QUOTED.sub(lambda quoted: "it" if quoted[0][1:-1] in sent else quoted[0], message)
    return words.replace(sent, "it") if len(sent) > 2 else words
