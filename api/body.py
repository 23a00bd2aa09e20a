"""Request bodies as raw bytes, up to a limit."""

from fastapi import Request

from api.context import context_of
from api.problems import ProblemError


async def read_body(request: Request) -> bytes:
    """The body exactly as sent. Ends the request with 413 above the limit, without reading further."""
    limit = context_of(request).parts.settings.max_body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, "too_large", f"The body is larger than {limit} bytes.")
