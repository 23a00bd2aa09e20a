"""What the api and the worker construct alike."""

import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig


async def connect_temporal(*, sdk_metrics: str = "") -> Client:
    """A client by the standard `TEMPORAL_*` settings. Raises RuntimeError while the server cannot be reached.

    `sdk_metrics`: the `host:port` on which the SDK shows its Prometheus figures, if any.
    """
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "127.0.0.1:7233")
    runtime = None
    if sdk_metrics:
        runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=sdk_metrics)))
    return await Client.connect(**config, data_converter=pydantic_data_converter, runtime=runtime)


def share_interpreter_often() -> None:
    """Let threads take turns ten times as often as Python's default of 5 ms.

    Whoever holds the database's write lock asks for the interpreter again after each statement, and would each time
    wait that long behind a thread that computes; everybody else who wants to write would wait with it.
    """
    sys.setswitchinterval(0.0005)


def templates_dir() -> Path:
    """Where the templates are: beside the packages, in a checkout and in a wheel alike."""
    return Path(__file__).resolve().parents[2] / "templates"
