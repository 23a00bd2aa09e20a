"""`python -m tests.chaos`: the long form of the crash suite."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.report import told
from tests.chaos.running import Form, Result, run

_ORDERS_PER_SECOND = 1.5
_ACTS_PER_SECOND = 0.4


def main() -> int:
    """Run once, print the report; 1 on any violation. Logs and data are kept on failure."""
    arguments = _arguments()
    seconds = arguments.seconds or max(15.0, arguments.orders / _ORDERS_PER_SECOND)
    form = Form(
        orders=arguments.orders, seconds=seconds, life_seconds=20, acts=max(9, round(seconds * _ACTS_PER_SECOND)),
        longest_outage=7, settle_seconds=240, database=arguments.database, seed=arguments.seed,
    )  # fmt: skip
    directory = Path(tempfile.mkdtemp(prefix="ordertrail-chaos-"))
    print(f"seed {form.seed}; logs and data in {directory}", flush=True)
    result = asyncio.run(run(form, directory))
    report = told(result, incidents=arguments.verbose or bool(result.verdict.violations))
    print(report)
    return _ended(result, report, directory, keep=arguments.keep)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--seconds", type=float, help="within which the orders are placed")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(100_000), help="a random one if not given")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--verbose", action="store_true", help="list every kill and fault")
    parser.add_argument("--keep", action="store_true", help="keep logs and data even if nothing is wrong")
    return parser.parse_args()


def _ended(result: Result, report: str, directory: Path, *, keep: bool) -> int:
    if result.verdict.violations or keep:
        (directory / "report.txt").write_text(report + "\n")
        print(f"Logs and data are in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if result.verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
