"""The OpenAPI document: what FastAPI finds, and the schemas of bodies that the routes read themselves."""

from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, TypeAdapter

from api.answers import (
    CasePage,
    DeadLetter,
    DeadLetterPage,
    DecisionPage,
    DeliveryList,
    EventAccepted,
    OrderAccepted,
    OrderPage,
    Problem,
    ReplayAnswer,
    TimelinePage,
)
from ordertrail.domain.document import OrderDocument
from ordertrail.domain.events import OrderEvent, TrackingEvent
from ordertrail.domain.order import CanonicalOrder
from ordertrail.frontdoor.references import TrackingReport

DESCRIPTION = """
Tell ordertrail about orders, and read where they stand.

**Send it again whenever in doubt.** Every write carries an id of yours. The same id with the same body (however
formatted) is answered like the first time, with status 200, and has no effect. The same id with another body is
answered 409, and that body is kept as a dead letter. A 2xx means stored durably. A 429 or 503 means nothing happened:
wait for `Retry-After` seconds and send it again.

**Errors** are RFC 9457 problem details. `errors` names each wrong field by JSON Pointer and never repeats a value.

**Orders** are named by the id minted for them, or as `channel:external id` within the API key's brand.
"""


_ANSWERS: tuple[type[BaseModel], ...] = (
    OrderAccepted, EventAccepted, OrderPage, TimelinePage, DeliveryList, DecisionPage, CasePage, DeadLetterPage,
    DeadLetter, ReplayAnswer, OrderDocument,
)  # fmt: skip
_BODIES: tuple[tuple[str, Any], ...] = (
    ("CanonicalOrder", CanonicalOrder),
    ("OrderEvent", Annotated[OrderEvent, Field(title="OrderEvent")]),
    ("TrackingReport", TrackingReport),
    ("Problem", Problem),
)
PUBLISHED = MappingProxyType({"order": CanonicalOrder, "order-event": OrderEvent, "tracking-event": TrackingEvent})
"""The bodies that have a JSON Schema of their own, by the name in its address."""


@lru_cache(maxsize=1)
def _components() -> dict[str, Any]:
    bodies = [((name, "validation"), TypeAdapter[Any](model)) for name, model in _BODIES]
    answers = [((model.__name__, "serialization"), TypeAdapter[Any](model)) for model in _ANSWERS]
    schemas, shared = TypeAdapter.json_schemas(
        [(key[0], key[1], adapter) for key, adapter in [*bodies, *answers]],  # type: ignore[misc]
        ref_template="#/components/schemas/{model}",
    )
    components: dict[str, Any] = dict(shared.get("$defs", {}))
    for (name, _), schema in schemas.items():
        if schema.get("$ref") != f"#/components/schemas/{name}":
            components[name] = schema
    return components


def schema_of(name: str) -> dict[str, Any] | None:
    """The published JSON Schema (2020-12) of a body, or None if there is none of this name."""
    model: Any = PUBLISHED.get(name)
    if model is None:
        return None
    schema = TypeAdapter[Any](model).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **schema}


def _without_defaults(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Routes say themselves how they fail; what FastAPI adds for any route with a parameter is not our format."""
    for operations in document["paths"].values():
        for operation in operations.values():
            told = operation["responses"].get("422", {}).get("content", {})
            if "HTTPValidationError" in str(told):
                del operation["responses"]["422"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def install(app: FastAPI) -> None:
    """Serve the document at /openapi.json, built on first use."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(_components())
            _without_defaults(document, schemas)
            app.openapi_schema = document
        return app.openapi_schema

    # Assigned as FastAPI documents it for extending the document.
    setattr(app, "openapi", build)  # noqa: B010
