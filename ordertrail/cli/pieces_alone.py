"""`ordertrail api | worker | temporal`: one piece in this process, from the environment."""

import asyncio
import os
import time
from typing import Annotated

import typer

from ordertrail.cli.embedded import Ports, build, locked
from ordertrail.cli.pieces import api_argv, temporal_piece, worker_argv
from ordertrail.cli.ports import claim
from ordertrail.cli.running import run_until_told
from ordertrail.cli.session import Unreachable, connected, data_dir, opened_database
from ordertrail.settings import load_settings

_PIECES = "One piece of the system"
_AGAIN_AFTER_S = 1.0


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes any free one.", min=0, max=65535, metavar="PORT")
    ] = 8000,
) -> None:
    """Run the HTTP API, the tracking pages and the dispatcher."""
    with opened_database(load_settings()):
        port = claim(host, port, what="the API", option="--port")
    _become(api_argv(host, port))


def worker(
    wait: Annotated[float, typer.Option(help="Seconds to wait for Temporal before giving up.", min=0)] = 30,
) -> None:
    """Run a Temporal worker: it advances orders and sends messages."""
    with opened_database(load_settings()):
        asyncio.run(_wait_for_temporal(wait))
    _become(worker_argv())


def temporal(
    port: Annotated[
        int, typer.Option(help="Port of the server; 0 takes any free one.", min=0, max=65535, metavar="PORT")
    ] = 7233,
    ui_port: Annotated[int, typer.Option(help="Port of its Web UI.", min=0, max=65535, metavar="PORT")] = 8233,
) -> None:
    """Run the embedded Temporal development server, tuned, with its data in the data directory. Not for production."""
    ports = Ports(
        api=0,
        temporal=claim("127.0.0.1", port, what="Temporal", option="--port"),
        ui=claim("127.0.0.1", ui_port, what="the Temporal Web UI", option="--ui-port"),
    )
    embedded = build(data_dir(), "127.0.0.1", ports, environment=os.environ)
    with locked(embedded.data_dir):
        asyncio.run(
            run_until_told(
                [temporal_piece(embedded)],
                logs=embedded.logs,
                greeting=f"Temporal answers at {embedded.temporal_address}, its Web UI at {embedded.ui_url}",
            )
        )


async def _wait_for_temporal(seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            await connected()
        except Unreachable:
            if time.monotonic() >= until:
                raise
            await asyncio.sleep(_AGAIN_AFTER_S)
        else:
            return


def _become(argv: tuple[str, ...]) -> None:
    """Give this process to the piece: its signals and exit code are then the piece's own."""
    os.execv(argv[0], argv)  # noqa: S606  no shell on purpose


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (api, worker, temporal):
        app.command(rich_help_panel=_PIECES)(command)
