"""Every error as RFC 9457 problem details; none of them repeats a value it was sent."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from ordertrail.domain.failures import BadSignature, Transient
from ordertrail.frontdoor.acceptance import Conflict
from ordertrail.frontdoor.door import UnknownOrder
from ordertrail.frontdoor.rejections import Rejection

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class ProblemError(Exception):
    """Ends a request with a problem. `members` are extension members of the document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members or {}
        self.headers = headers or {}


def not_found(what: str) -> ProblemError:
    """404: there is no such thing, or it belongs to another brand; the two look the same."""
    return ProblemError(404, f"unknown_{what.replace(' ', '_')}", f"There is no such {what}.")


def invalid_body(why: Rejection, *, dead_letter: int) -> ProblemError:
    """422: the body was kept as a dead letter, and each wrong field is named."""
    errors = [{"pointer": e.pointer, "detail": e.detail, "code": e.code} for e in why.errors]
    return ProblemError(
        422,
        why.reason,
        "The body was not understood. It is kept as a dead letter; correct the fields named and send it again.",
        members={"errors": errors, "dead_letter": dead_letter},
    )


def invalid_parameter(name: str, detail: str, code: str = "invalid") -> ProblemError:
    """422: a parameter in the query or the path is not what it must be."""
    error = {"parameter": name, "detail": detail, "code": code}
    return ProblemError(422, "invalid_parameter", "A parameter was not understood.", members={"errors": [error]})


def problem(scope: Scope, error: ProblemError) -> Response:
    """The response for a problem. `instance` names this one occurrence, as the log does."""
    request_id = scope.get("state", {}).get("request_id", "")
    document = {
        "type": f"urn:ordertrail:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "instance": f"urn:ordertrail:request:{request_id}",
        "request_id": request_id,
        "code": error.code,
        **error.members,
    }
    return Response(
        json.dumps(document), error.status, {"cache-control": "no-store", **error.headers}, media_type=MEDIA_TYPE
    )


def from_transient(error: Transient) -> ProblemError:
    """503: something we need is away; the request had no effect and may be repeated."""
    wait = math.ceil(error.retry_after.total_seconds()) if error.retry_after else RETRY_AFTER_S
    return ProblemError(
        503,
        error.code,
        "This cannot be done at the moment. Nothing was changed; send the same request again.",
        headers={"retry-after": str(wait)},
    )


def from_conflict(error: Conflict) -> ProblemError:
    """409: the same id with another body."""
    return ProblemError(409, error.code, f"{str(error).capitalize()}.", members={"dead_letter": error.dead_letter})


def install(app: FastAPI) -> None:
    """Turn every error the routes can end with into a problem."""

    async def declared(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return problem(request.scope, error)

    async def family(request: Request, error: Exception) -> Response:
        return problem(request.scope, _translated(error))

    app.add_exception_handler(ProblemError, declared)
    for kind in (Transient, Conflict, UnknownOrder, BadSignature, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, family)


def _translated(error: Exception) -> ProblemError:
    match error:
        case Transient():
            return from_transient(error)
        case Conflict():
            return from_conflict(error)
        case UnknownOrder():
            return not_found("order")
        case BadSignature():
            return ProblemError(403, error.code, "The signature is missing, wrong or too old.")
        case RequestValidationError():
            return _parameters(error)
        case HTTPException():
            code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
            return ProblemError(
                error.status_code, code, f"{code.replace('_', ' ').capitalize()}.", headers=error.headers
            )
        case _:
            raise error


def _parameters(error: RequestValidationError) -> ProblemError:
    errors = [
        {
            "parameter": str(item["loc"][-1]),
            "detail": _without_quotes(str(item["msg"]), item.get("input")),
            "code": item["type"],
        }
        for item in error.errors()
    ]
    return ProblemError(422, "invalid_parameter", "A parameter was not understood.", members={"errors": errors})


def _without_quotes(message: str, sent: object) -> str:
    return message.replace(sent, "it") if isinstance(sent, str) and sent else message
