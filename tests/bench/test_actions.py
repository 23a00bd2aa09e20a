"""Actions are counted by the rules Temporal Cloud publishes, on histories written by hand."""

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from bench.actions import count_actions

STARTED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
SIGNALED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
TASK_SCHEDULED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
TASK_COMPLETED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
SCHEDULED = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
COMPLETED = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
UPSERT = HistoryEvent(event_type=EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
TIMER = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_STARTED)
FIRED = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_FIRED)
ENDED = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)


def marker(task: int) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_MARKER_RECORDED)
    event.marker_recorded_event_attributes.workflow_task_completed_event_id = task
    return event


def attempt(number: int) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    event.activity_task_started_event_attributes.attempt = number
    return event


def task_with_retried_local_activities(number: int) -> HistoryEvent:
    event = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    metering = event.workflow_task_completed_event_attributes.metering_metadata
    metering.nonfirst_local_activity_execution_attempts = number
    return event


@pytest.mark.parametrize(
    ("history", "actions"),
    [
        pytest.param([STARTED, TASK_SCHEDULED, TASK_COMPLETED, ENDED], 1, id="a start"),
        pytest.param([STARTED, SIGNALED, TASK_SCHEDULED], 1, id="a signal-with-start is one action"),
        pytest.param([STARTED, TASK_SCHEDULED, SIGNALED], 2, id="a later signal is its own"),
        pytest.param([STARTED, SCHEDULED, attempt(1), COMPLETED], 2, id="an activity"),
        pytest.param([STARTED, SCHEDULED, attempt(4), COMPLETED], 5, id="an activity retried three times"),
        pytest.param([STARTED, marker(4), marker(4), marker(9)], 3, id="all markers of one workflow task are one"),
        pytest.param([STARTED, task_with_retried_local_activities(3)], 4, id="retried local activities"),
        pytest.param([STARTED, TIMER, FIRED, UPSERT], 3, id="a timer and an upsert"),
    ],
)
def test_each_billable_operation_counts_once(history: list[HistoryEvent], actions: int) -> None:
    assert count_actions(history) == actions


def test_a_child_workflow_counts_twice() -> None:
    child = HistoryEvent(event_type=EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
    assert count_actions([STARTED, child]) == 3


def test_a_whole_life_of_an_order() -> None:
    step = [TASK_SCHEDULED, TASK_COMPLETED]
    told = [SCHEDULED, attempt(1), COMPLETED, *step]
    history = [STARTED, SIGNALED, *step, marker(4), UPSERT, TIMER, *told]
    for task in range(6):
        history += [SIGNALED, *step, marker(100 + task), *told]
    # signals, advances, sends, an upsert and a timer
    assert count_actions([*history, ENDED]) == 7 + 7 + 7 + 1 + 1
