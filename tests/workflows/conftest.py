"""One Temporal development server for all of these tests, and a migrated SQLite file for each."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows.server import DevServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    started = DevServer(tmp_path_factory.mktemp("temporal"))
    started.start()
    yield started
    started.stop()
    time.sleep(1)  # the SDK's threads may abort the interpreter when it ends right after a worker (sdk-python#300)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "ordertrail.db")
    return f"sqlite:///{tmp_path / 'ordertrail.db'}"
