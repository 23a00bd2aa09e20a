"""Records the histories that later versions of the workflow must be able to replay: `python -m tests.workflows.record`.

Run it after adding a scenario. Histories once released stay: orders that began under them are still on their way.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from temporalio.client import Client

from ordertrail.db import migrate
from ordertrail.db.engine import Database
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.server import DevServer
from tests.workflows.system import Order, assembled, eventually

HISTORIES = Path(__file__).parent / "histories"


async def record(client: Client, directory: Path, name: str) -> None:
    """Play one scenario and keep the history of each of its runs."""
    url = f"sqlite:///{directory / name}.db"
    database = Database(url)
    migrate.upgrade(database)
    database.close()
    scenario = SCENARIOS[name]
    async with assembled(client, url, policy=dict(scenario.policy), **scenario.settings) as system:
        order = await scenario.play(system)
        runs = await runs_of(client, order)
        for number, run_id in enumerate(runs, start=1):
            history = await client.get_workflow_handle(order.handle.id, run_id=run_id).fetch_history()
            file = HISTORIES / f"{name}{f'_{number}' if len(runs) > 1 else ''}.json"
            scrubbed = _scrubbed(json.loads(history.to_json()))
            file.write_text(json.dumps(scrubbed, separators=(",", ":")) + "\n", encoding="utf-8")


async def runs_of(client: Client, order: Order) -> list[str]:
    """The ids of all runs of an order, oldest first, from the last one back along the chain."""
    run_id: str | None = (await eventually(order.handle.describe, "the order has a run")).run_id
    found: list[str] = []
    while run_id:
        found.insert(0, run_id)
        history = await client.get_workflow_handle(order.handle.id, run_id=run_id).fetch_history()
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


def _scrubbed(part: Any) -> Any:
    """Without the recording machine: stack traces name its files."""
    match part:
        case dict():
            return {key: "" if key == "stackTrace" else _scrubbed(value) for key, value in part.items()}
        case list():
            return [_scrubbed(value) for value in part]
        case _:
            return part


async def main(names: list[str]) -> None:
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        server = DevServer(Path(directory))
        server.start()
        try:
            client = await server.connect(identity="recorder")
            for name in names or SCENARIOS:
                await record(client, Path(directory), name)
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
