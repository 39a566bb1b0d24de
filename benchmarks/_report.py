"""How a benchmark tells its figures: a table for people, or one JSON object; the machine is always stated."""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

Row = Mapping[str, object]


def arguments(doc: str | None) -> argparse.Namespace:
    return parser(doc).parse_args()


def parser(doc: str | None) -> argparse.ArgumentParser:
    """--quick, --json and --rounds, with the benchmark's docstring as help."""
    read = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--quick", action="store_true", help="smaller sizes, one round: under a minute")
    read.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    read.add_argument("--rounds", type=int, help="repetitions, of which the median is told")
    return read


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def peak_memory_mb() -> float:
    """The most that this process has held (ru_maxrss is in kilobytes on Linux, in bytes on macOS)."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def median_of(rounds: Sequence[Row]) -> dict[str, object]:
    """The median of each figure over all rounds."""
    return {
        name: round(statistics.median(float(str(one[name])) for one in rounds), 3)
        if isinstance(value, int | float)
        else value
        for name, value in rounds[0].items()
    }


def tell(figures: Mapping[str, object], tables: Mapping[str, Sequence[Row]], *, as_json: bool) -> None:
    """Print everything, once, at the end."""
    if as_json:
        print(json.dumps({**figures, **{name: list(rows) for name, rows in tables.items()}}))
        return
    for name, value in figures.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, Mapping) else value
        print(f"{name}: {text}")
    for name, rows in tables.items():
        print(f"\n{name}")
        _table(rows)


def _table(rows: Sequence[Row]) -> None:
    names = list(rows[0])
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    for row in cells:
        first, *others = (
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "   ".join([first, *others]))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:,.3g}" if value < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
