"""What the api and the worker construct alike."""

import gc
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from ordertrail.domain.failures import ConfigurationError


def runtime_with_metrics(host: str, port: int) -> Runtime | None:
    """The SDK's runtime that shows its Prometheus figures; None, its default one, where `port` is 0.

    Once per process, because it keeps the port. Raises ConfigurationError if something else has it.
    """
    if not port:
        return None
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=f"{host}:{port}")))
    except ValueError:
        message = f"ORDERTRAIL_SDK_METRICS_PORT: cannot listen on {host}:{port}"
        raise ConfigurationError("metrics_port", message) from None


async def connect_temporal(*, runtime: Runtime | None = None) -> Client:
    """A client by the standard `TEMPORAL_*` settings. Raises RuntimeError while the server cannot be reached."""
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "127.0.0.1:7233")
    return await Client.connect(**config, data_converter=pydantic_data_converter, runtime=runtime)


def share_interpreter_often() -> None:
    """Let threads take turns ten times as often as Python's default of 5 ms.

    Whoever holds the database's write lock asks for the interpreter again after each statement, and would each time
    wait that long behind a thread that computes; everybody else who wants to write would wait with it.
    """
    sys.setswitchinterval(0.0005)


def keep_what_is_loaded() -> None:
    """Tell the garbage collector that what was loaded by now stays, and to look less often at what comes after.

    A step makes thousands of short-lived objects that die by their reference counts; looking through all modules and
    models for cycles in between costs more than it finds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def templates_dir() -> Path:
    """Where the templates are: beside the packages, in a checkout and in a wheel alike."""
    return Path(__file__).resolve().parents[2] / "templates"
