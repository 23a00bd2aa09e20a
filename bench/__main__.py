"""`python -m bench [names…] [--quick]`: measures, prints a table, keeps the figures in bench/latest.json."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from rich.console import Console

from bench import cost, open_orders, reads, render, speed
from bench.figures import Figure, header, keep, table


class Measure(Protocol):
    """One part of the benchmark; `quick` is for trying things out."""

    def __call__(self, *, quick: bool) -> Awaitable[list[Figure]]: ...


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "render": render.measure,
        "cost": cost.measure,
        "speed": speed.measure,
        "reads": reads.measure,
        "open": open_orders.measure,
    }
)


async def measured(names: Sequence[str], *, quick: bool) -> list[Figure]:
    """The figures of these parts, kept as soon as each is done."""
    found: list[Figure] = []
    for name in names:
        figures = await MEASURES[name](quick=quick)
        keep(figures, quick=quick)
        found += figures
    return found


def main() -> int:
    """Run from the command line; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"parts to run: {', '.join(MEASURES)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="small numbers, to try things out")
    asked = parser.parse_args()
    if unknown := set(asked.names) - MEASURES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; parts are {', '.join(MEASURES)}")
    figures = asyncio.run(measured(asked.names or list(MEASURES), quick=asked.quick))
    console = Console()
    console.print(header(quick=asked.quick))
    console.print(table(figures))
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
