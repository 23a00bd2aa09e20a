"""The short form of the crash suite: the same as `python -m tests.chaos`, with fewer orders and less time."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.report import told
from tests.chaos.running import Form, run
from tests.chaos.system import KILLABLE

SHORT = Form(orders=25, seconds=7, life_seconds=6, acts=9, longest_outage=3.5, settle_seconds=150, seed=11)


@pytest.mark.timeout(400)
def test_whatever_is_killed_every_message_is_there_exactly_once(tmp_path: Path) -> None:
    result = asyncio.run(run(SHORT, tmp_path))
    report = told(result, incidents=True)
    print(report)
    assert not result.verdict.violations, f"\n{report}\nLogs and data are in {tmp_path}"
    assert set(result.kills) == set(KILLABLE), report
    assert len(result.evidence.messages) > 2 * SHORT.orders, report
