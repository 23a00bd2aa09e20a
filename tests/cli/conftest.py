"""Runs coroutine tests and the command line."""

import asyncio
import inspect
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from ordertrail.cli.main import main

SECRET = "a-secret-for-tests-only-0123456789abcdef"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


def clean_environment(data_dir: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """This environment without any of our settings, then these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORDERTRAIL_", "TEMPORAL_"))}
    return {**kept, "ORDERTRAIL_DATA_DIR": str(data_dir), "COLUMNS": "100", **extra}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `ordertrail …` in this process; settings as keyword arguments. An uncaught exception fails the test."""

    def call(*argv: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        out, err = io.StringIO(), io.StringIO()
        environment = clean_environment(tmp_path / "data", settings)
        code = 0
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "argv", ["ordertrail", *argv]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())

    return call
