"""Orders in flight outlive deploys: recorded histories replay with today's workflow code."""

import asyncio
import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.workflows.leaks import assert_tells_nothing
from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import SCENARIOS
from workflows import WORKFLOWS
from workflows.order import OrderWorkflow

RECORDED = sorted(HISTORIES.glob("*.json"))


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"order:recorded:web:{file.stem}", file.read_text(encoding="utf-8"))


def test_every_scenario_is_recorded() -> None:
    recorded = {file.stem for file in RECORDED}
    assert not [name for name in SCENARIOS if name not in recorded and f"{name}_1" not in recorded]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_order_replays(file: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
    asyncio.run(replayer.replay_workflow(history(file)))


@workflow.defn(name="OrderWorkflow")
class Hasty(OrderWorkflow):
    """The workflow with one more timer at its beginning: a change that would break every order in flight."""

    @workflow.init
    def __init__(self, start: RawValue) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: RawValue) -> None:
        await workflow.sleep(1)
        await super().run(start)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_change_that_would_break_orders_in_flight_is_caught(file: Path) -> None:
    replayer = Replayer(
        workflows=[Hasty], data_converter=pydantic_data_converter, workflow_runner=UnsandboxedWorkflowRunner()
    )
    with pytest.raises(NondeterminismError):
        asyncio.run(replayer.replay_workflow(history(file)))


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_history_holds_no_personal_data_and_no_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert_tells_nothing(text)
    assert "recorder" in text
    assert not [line for line in json.dumps(json.loads(text)).split('"') if line.startswith(("/home", "/root", "/tmp"))]
