"""A Temporal development server of the suite's own: tuned, on free ports, with a file that survives its end."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

SUGGEST_CONTINUE_AS_NEW = 200
"""History events after which a run is told to continue as new; the server's own default takes thousands."""
ATTRIBUTES = ("Brand=Keyword", "Status=Keyword", "Conditions=KeywordList", "Queue=Keyword", "Promise=Datetime")
BINARIES = Path(sys.prefix) / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DevServer:
    """`start` and `stop` as often as wanted: the address and the data stay the same."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "temporal.db"
        self._port, self._ui_port, self._metrics_port = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.target = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [str(BINARIES / "temporal"), "server", "start-dev", "--db-filename", str(self._file)]
        command += ["--port", str(self._port), "--ui-port", str(self._ui_port), "--log-level", "never"]
        command += ["--metrics-port", str(self._metrics_port), "--headless"]
        for pragma in ("journal_mode=wal", "synchronous=1"):
            command += ["--sqlite-pragma", pragma]
        rates = [
            f"history.{queue}ProcessorMaxPollRPS=2000" for queue in ("transfer", "timer", "visibility", "outbound")
        ]
        for value in (*rates, f"limit.historyCount.suggestContinueAsNew={SUGGEST_CONTINUE_AS_NEW}"):
            command += ["--dynamic-config-value", value]
        for attribute in ATTRIBUTES:
            command += ["--search-attribute", f"Ordertrail{attribute}"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=20)
            self._process = None

    async def connect(self, *, metrics_port: int = 0, identity: str | None = None) -> Client:
        """A client, as soon as the server answers."""
        runtime = None
        if metrics_port:
            metrics = PrometheusConfig(bind_address=f"127.0.0.1:{metrics_port}")
            runtime = Runtime(telemetry=TelemetryConfig(metrics=metrics))
        for _ in range(300):
            try:
                return await Client.connect(
                    self.target, data_converter=pydantic_data_converter, runtime=runtime, identity=identity
                )
            except RuntimeError:
                await asyncio.sleep(0.1)
        raise RuntimeError("the Temporal server did not come up")
