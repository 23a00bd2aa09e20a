"""The worker process: connect, register, run, drain."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import AsyncExitStack

import structlog
import uvloop
from prometheus_client import start_http_server

from ordertrail.db.engine import Database
from ordertrail.domain.clock import system_clock
from ordertrail.domain.failures import ConfigurationError
from ordertrail.observability import configure_logging
from ordertrail.settings import Settings, load_settings
from ordertrail.wiring.shared import (
    connect_temporal,
    keep_what_is_loaded,
    runtime_with_metrics,
    share_interpreter_often,
)
from ordertrail.wiring.worker import build_workers

log = structlog.get_logger(__name__)

CONNECT_AGAIN_S = 2.0


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is in hand."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database(settings.sqlalchemy_url)
    runtime = runtime_with_metrics(settings.metrics_host, settings.sdk_metrics_port)
    while not stop.is_set():
        try:
            client = await connect_temporal(runtime=runtime)
            break
        except RuntimeError:
            log.warning("temporal_unreachable", again_in_s=CONNECT_AGAIN_S)
            await asyncio.sleep(CONNECT_AGAIN_S)
    else:
        return
    async with AsyncExitStack() as running:
        for worker in build_workers(settings, client, database, system_clock):
            await running.enter_async_context(worker)
        log.info("worker_started", task_queue=settings.task_queue)
        await stop.wait()
        log.info("worker_draining")
    database.close()
    log.info("worker_stopped")


def _show_metrics(host: str, port: int) -> None:
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        taken = f"ORDERTRAIL_WORKER_METRICS_PORT: cannot listen on {host}:{port} ({error.strerror})"
        raise ConfigurationError("metrics_port", taken) from None


def main() -> int:
    """Run from the environment; the exit code."""
    try:
        settings = load_settings()
        configure_logging(settings.log_format, settings.log_level)
        if settings.worker_metrics_port:
            _show_metrics(settings.metrics_host, settings.worker_metrics_port)
        share_interpreter_often()
        keep_what_is_loaded()
        uvloop.run(run(settings))
    except ConfigurationError as error:
        sys.stderr.write(f"ordertrail worker: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # The Temporal SDK's threads may abort the interpreter while it winds down (sdk-python#300); all is done by now.
    os._exit(code)
