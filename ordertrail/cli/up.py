"""`ordertrail up`: the whole system on this machine, keeping its data."""

import asyncio
import os
from collections.abc import Callable
from typing import Annotated

import typer

from ordertrail.cli.embedded import Embedded, Ports, build, claim_ports, is_loopback, leave_addresses, locked
from ordertrail.cli.pieces import api_piece, task_queue_of, temporal_piece, worker_piece
from ordertrail.cli.running import Inside, run_until_told
from ordertrail.cli.session import data_dir, upgraded
from ordertrail.settings import load_settings

Host = Annotated[str, typer.Option(help="Address the API listens on. Beyond loopback, /outbox needs a key.")]
ApiPort = Annotated[int, typer.Option(help="Port of the API; 0 takes any free one.", min=0, max=65535, metavar="PORT")]
TemporalPort = Annotated[int, typer.Option(help="Port of the Temporal server.", min=0, max=65535, metavar="PORT")]
UiPort = Annotated[int, typer.Option(help="Port of the Temporal Web UI.", min=0, max=65535, metavar="PORT")]


def up(
    host: Host = "127.0.0.1", api_port: ApiPort = 8000, temporal_port: TemporalPort = 7233, ui_port: UiPort = 8233
) -> None:
    """Run everything on this machine: Temporal, database, API, worker. Keeps its data; Ctrl-C stops it cleanly."""
    ports = claim_ports(host, Ports(api=api_port, temporal=temporal_port, ui=ui_port))
    embedded = build(data_dir(), host, ports, environment=os.environ)
    with locked(embedded.data_dir):
        raise typer.Exit(run_embedded(embedded, greeting=_greeting(embedded)))


def run_embedded(
    embedded: Embedded, *, greeting: str = "", inside: Inside | None = None,
    prepare: Callable[[], None] | None = None, tell: Callable[[str], None] = typer.echo,
) -> int:  # fmt: skip
    """Bring the database up to date, run all pieces and the work inside, stop all. The exit code.

    `prepare` runs between the upgrade and the start, with the embedded environment in force. The caller holds the
    data directory.
    """
    os.environ.clear()
    os.environ.update(embedded.env)
    upgraded(load_settings())
    leave_addresses(embedded)
    if prepare is not None:
        prepare()
    pieces = (
        temporal_piece(embedded),
        worker_piece(embedded, task_queue=task_queue_of(embedded.env)),
        api_piece(embedded),
    )
    tell("Starting Temporal, the worker and the API …")
    return asyncio.run(run_until_told(pieces, logs=embedded.logs, greeting=greeting, inside=inside, tell=tell))


def _greeting(embedded: Embedded) -> str:
    outbox = f"{embedded.url}/outbox" + ("" if is_loopback(embedded.host) else " (with a key of scope 'ops')")
    return "\n".join(
        (
            "",
            "  ordertrail is up.",
            f"  API docs         {embedded.url}/docs",
            f"  Message outbox   {outbox}",
            f"  Temporal Web UI  {embedded.ui_url}",
            f"  Logs and data    {embedded.data_dir}",
            "",
            "  Next: ordertrail brands import FILE, then ordertrail keys create --brand ID. Ctrl-C stops everything.",
        )
    )


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(up)
