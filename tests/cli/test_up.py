"""`ordertrail up` as a whole: it comes up, survives a crash of a piece, keeps its data, and leaves nothing behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.conftest import clean_environment

Up = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Starts the system on free ports; whatever is left of it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        ports = [word for option in ("--api-port", "--temporal-port", "--ui-port") for word in (option, "0")]
        process = subprocess.Popen(
            [sys.executable, "-m", "ordertrail.cli", "up", *ports],
            env=clean_environment(tmp_path / "data", {"PYTHONUNBUFFERED": "1"}),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def url_of(process: "subprocess.Popen[str]") -> str:
    """Read the greeting up to the API's address."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "API docs" in line:
            return line.split()[-1].removesuffix("/docs")
    raise AssertionError("".join(said))


def pieces(process: "subprocess.Popen[str]") -> dict[str, psutil.Process]:
    """The system's processes by name."""
    marks = {"start-dev": "temporal", "uvicorn": "api", "worker": "worker"}
    found: dict[str, psutil.Process] = {}
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):  # it may end while we look, zombies included
            found |= {marks[mark]: child for mark in marks if mark in child.cmdline()}
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def all_gone(processes: dict[str, psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes.values())


def test_up_survives_a_crash_of_a_piece_and_stops_cleanly(up: Up, tmp_path: Path) -> None:
    process = up()
    url = url_of(process)
    first = pieces(process)
    assert first.keys() == {"temporal", "worker", "api"}
    assert httpx.get(f"{url}/healthz", trust_env=False).is_success
    first["worker"].kill()
    wait_until(lambda: pieces(process).get("worker", first["worker"]).pid != first["worker"].pid)
    last = pieces(process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "worker ended with code -9; starting it again" in said
    assert said.endswith("Stopping …\nStopped.\n")
    assert all_gone(last)
    assert {"ordertrail.db", "temporal.db", "secret"} <= {file.name for file in (tmp_path / "data").iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent-death signal")
def test_up_comes_back_after_it_was_killed_itself(up: Up) -> None:
    process = up()
    url_of(process)
    left = pieces(process)
    process.kill()
    process.wait()
    wait_until(lambda: all_gone(left))
    again = up()
    assert httpx.get(f"{url_of(again)}/healthz", trust_env=False).is_success
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=60)
    assert again.returncode == 0
