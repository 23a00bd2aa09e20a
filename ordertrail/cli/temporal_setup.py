"""`ordertrail temporal-setup`: what a Temporal namespace needs before orders live in it."""

import asyncio
import time
from datetime import timedelta
from typing import Annotated

import typer
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ordertrail.cli.session import Unreachable, connected
from ordertrail.domain.failures import OrdertrailError

RETENTION = timedelta(days=90)
"""How long closed orders stay in the Temporal UI; the server's own default is one day."""
SEARCH_ATTRIBUTES = {
    "OrdertrailBrand": "Keyword",
    "OrdertrailStatus": "Keyword",
    "OrdertrailConditions": "KeywordList",
    "OrdertrailQueue": "Keyword",
    "OrdertrailPromise": "Datetime",
}
_NOT_YET = frozenset({RPCStatusCode.NOT_FOUND, RPCStatusCode.UNAVAILABLE})
"""A new server is healthy some seconds before it has its namespace."""
_AGAIN_AFTER_S = 1.0
_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


def temporal_setup(
    wait: Annotated[float, typer.Option(help="Seconds to wait for Temporal and the namespace.", min=0)] = 30,
) -> None:
    """Register the search attributes and set the retention of the namespace the TEMPORAL_* settings name.

    For a self-hosted cluster; safe to repeat. The embedded server gets both by itself. Temporal Cloud does not let
    clients do this: create the same search attributes there.
    """
    added = asyncio.run(_set_up(wait))
    typer.echo(
        f"Search attributes added: {', '.join(added) or 'none, all are there'}. Retention: {RETENTION.days} days."
    )


async def _set_up(wait: float) -> list[str]:
    until = time.monotonic() + wait
    while True:
        try:
            client = await connected()
            added = await add_search_attributes(client)
            await set_retention(client, RETENTION)
        except Unreachable:
            if time.monotonic() >= until:
                raise
        except RPCError as error:
            if error.status not in _NOT_YET or time.monotonic() >= until:
                raise _refused(error) from None
        else:
            return added
        await asyncio.sleep(_AGAIN_AFTER_S)


def _refused(error: RPCError) -> OrdertrailError:
    names = ", ".join(f"{name} ({kind})" for name, kind in SEARCH_ATTRIBUTES.items())
    return OrdertrailError(
        "temporal_refused", f"Temporal refused ({error.status.name}); add these search attributes yourself: {names}"
    )


async def add_search_attributes(client: Client) -> list[str]:
    """Register those that are missing; their names. Raises RPCError."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {name: _TYPES[kind] for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    return sorted(missing)


async def set_retention(client: Client, retention: timedelta) -> None:
    """Set how long the namespace keeps closed workflows. Raises RPCError."""
    span = Duration()
    span.FromTimedelta(retention)
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=span)
        )
    )


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="One piece of the system")(temporal_setup)
