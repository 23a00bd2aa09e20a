"""Counts what Temporal Cloud would bill for a run, from its history."""

from collections.abc import Iterable
from itertools import pairwise

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

_ONE_EACH = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
        EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
    }
)
_TWO_EACH = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED


def count_actions(events: Iterable[HistoryEvent]) -> int:
    """The actions of one run by https://docs.temporal.io/cloud/actions, as far as a history tells them.

    A signal-with-start is one action, and so are all markers (local activities) of one workflow task. Queries,
    rejected updates and heartbeats leave no event and are not counted here.
    """
    known = list(events)
    started_with_signal = any(
        before.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
        and after.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        for before, after in pairwise(known)
    )
    tasks_with_markers = {
        event.marker_recorded_event_attributes.workflow_task_completed_event_id
        for event in known
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
    }
    return sum(map(_actions, known)) + len(tasks_with_markers) - started_with_signal


def _actions(event: HistoryEvent) -> int:
    if event.event_type in _ONE_EACH:
        return 1
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            return max(event.activity_task_started_event_attributes.attempt - 1, 0)
        case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            metering = event.workflow_task_completed_event_attributes.metering_metadata
            return metering.nonfirst_local_activity_execution_attempts
        case _:
            return 2 if event.event_type == _TWO_EACH else 0
