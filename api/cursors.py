"""Opaque cursors of listings: where the last page ended."""

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Query
from pydantic import TypeAdapter, ValidationError

from api.problems import invalid_parameter

Cursor = Annotated[
    str | None,
    Query(description="`next_cursor` of the page before; opaque", max_length=400, examples=["WyJvcmRfMDFrIl0"]),
]
Limit = Annotated[int, Query(ge=1, le=100, description="Rows on a page")]
RowId = Annotated[int, Query(ge=0, le=2**63 - 1)]


def write_cursor(*position: str | int) -> str:
    """A cursor that begins after this position."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def read_cursor(cursor: str, shape: TypeAdapter[Any]) -> Any:
    """The position in a cursor of ours. Ends the request with 422 for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return shape.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValidationError, binascii.Error, ValueError):
        raise invalid_parameter("cursor", "This is no cursor of this listing.") from None
