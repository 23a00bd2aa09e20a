"""`ordertrail orders`: look at an order, bring orders back after Temporal lost its data."""

import asyncio
import json
from typing import Annotated, Any

import typer
from temporalio.service import RPCError

from ordertrail import dispatcher
from ordertrail.cli import story
from ordertrail.cli.session import Unreachable, connected, opened_database, settings_beside
from ordertrail.cli.tables import cell, show
from ordertrail.db.engine import Database
from ordertrail.domain.document import OrderDocument
from ordertrail.domain.ids import order_workflow_id
from ordertrail.temporal_ui import run_url

app = typer.Typer(help="Orders and their stories.", no_args_is_help=True)


@app.command("show")
def show_order(
    order: Annotated[str, typer.Argument(help="An order id, or channel:external-id together with --brand.")],
    brand: Annotated[str | None, typer.Option(help="The order's brand.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document as the API serves it.")] = False,
) -> None:
    """Show one order: where it stands, what happened, what was decided and why, what was sent."""
    settings = settings_beside()
    with opened_database(settings) as database, database.read() as c:
        found = story.find(c, order, brand=brand)
        chapters = [(chapter, story.read(c, found.id, chapter)) for chapter in story.CHAPTERS]
    if as_json:
        typer.echo(json.dumps(json.loads(found.document), indent=2))
        return
    document = OrderDocument.model_validate_json(found.document)
    facts = _facts(document) | {
        "workflow": order_workflow_id(found.key),
        "run": run_url(settings.temporal_ui_url, found.key),
        "advances": found.seq,
        "open": "yes" if found.open else "no",
    }
    show(f"Order {document.number}", ("fact", "value"), list(facts.items()))
    for chapter, rows in chapters:
        show(chapter.title, chapter.columns, [tuple(row) for row in rows])


def _facts(document: OrderDocument) -> dict[str, Any]:
    shipments = "; ".join(
        " ".join(part for part in (each.ref, each.carrier_name or "", each.tracking_number or "", each.status) if part)
        for each in document.shipments
    )
    return {
        "id": document.order_id,
        "brand": document.brand,
        "status": document.status,
        "conditions": ", ".join(document.conditions),
        "placed": document.placed_at,
        "promised until": cell(document.promise.ends()) if document.promise else "",
        "total": f"{document.totals.total} {document.currency}",
        "shipments": shipments,
        "messages sent": document.messages_sent,
        "case open": "yes" if document.case_open else "no",
        "tracking page": document.tracking_page,
    }


@app.command()
def rebuild(brand: Annotated[str | None, typer.Option(help="Orders of this brand only.")] = None) -> None:
    """Start a workflow for every open order that has none: Temporal's own data was lost. Nobody is told twice."""
    settings = settings_beside()
    with opened_database(settings) as database:
        number = asyncio.run(_rebuild(database, settings.task_queue, brand))
    typer.echo(f"{number} open orders have their workflow.")


async def _rebuild(database: Database, task_queue: str, brand: str | None) -> int:
    client = await connected()
    try:
        return await dispatcher.rebuild(database, client, task_queue, brand)
    except RPCError as error:
        message = (
            f"Temporal failed midway ({error.status.name}); run this again, orders already woken are not told twice"
        )
        raise Unreachable("temporal_unavailable", message) from None
