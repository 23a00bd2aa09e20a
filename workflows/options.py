"""Timeouts and retry policies by name; every activity call of the product uses one of these."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

ADVANCE_HERE = LocalActivityConfig(
    summary="advance",
    start_to_close_timeout=timedelta(seconds=2),
    schedule_to_close_timeout=timedelta(seconds=3),
    retry_policy=RetryPolicy(maximum_attempts=1),
)
"""The healthy case: no extra hop, few events. One try, because a local activity holds the workflow task open."""

ADVANCE_ELSEWHERE = ActivityConfig(
    summary="advance, database slow or away",
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=15),
        non_retryable_error_types=["stale_advance"],
    ),
)
"""When the database is slow or away: retried for as long as it takes, without holding a workflow task."""

SEND = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    heartbeat_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=2),
    ),
)
"""Short attempts, so that a killed one is retried soon; many of them, within the message's useful life."""
