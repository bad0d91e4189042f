"""`python -m lab.webhook`: does the webhook keep up with a storm? Exit 1 where it does not."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from lab.webhook.load import Measured, post
from lab.webhook.servers import Server, aegis, echo
from lab.webhook.storms import ALERTS, storms

MOST_TIMES_ECHO = 5.0
MOST_MEMORY_MIB = 256.0
_ROUTES = "default: {chat: oc_bench}\n"


@dataclass(frozen=True, slots=True)
class Compared:
    """One storm against both servers."""

    storm: str
    echo: Measured
    aegis: Measured

    @property
    def times(self) -> float:
        return self.aegis.percentile_ms(0.99) / self.echo.percentile_ms(0.99)

    @property
    def refused(self) -> int:
        return sum(count for status, count in self.aegis.statuses.items() if status != 200)

    def as_json(self) -> dict[str, object]:
        return {
            "storm": self.storm,
            "calls": len(self.aegis.seconds),
            "echo_p50_ms": round(self.echo.percentile_ms(0.5), 2),
            "echo_p99_ms": round(self.echo.percentile_ms(0.99), 2),
            "p50_ms": round(self.aegis.percentile_ms(0.5), 2),
            "p99_ms": round(self.aegis.percentile_ms(0.99), 2),
            "times_echo_p99": round(self.times, 2),
            "calls_a_second": round(len(self.aegis.seconds) / self.aegis.took_s, 1),
            "echo_cpu_s": round(self.echo.cpu_s, 2),
            "cpu_s": round(self.aegis.cpu_s, 2),
            "not_200": self.refused,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.webhook", description=__doc__)
    parser.add_argument("--alerts", type=int, default=ALERTS, help="in each storm")
    parser.add_argument("--db-url", help="AEGIS_DB_URL; else SQLite in a temporary folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="aegis-bench-") as name:
        compared, grown_mib = _run(given.alerts, Path(name), given.db_url)
    broken = _broken(compared, grown_mib)
    if given.json:
        told = {
            "storms": [one.as_json() for one in compared],
            "memory_grown_mib": round(grown_mib, 1),
            "broken": broken,
        }
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        _print(compared, grown_mib, broken)
    return 1 if broken else 0


def _run(alerts: int, folder: Path, db_url: str | None) -> tuple[list[Compared], float]:
    routes = folder / "routes.yaml"
    routes.write_text(_ROUTES, encoding="utf-8")
    settings = {"AEGIS_ROUTES_FILE": str(routes)}
    if db_url is not None:
        settings["AEGIS_DB_URL"] = db_url
    with echo() as bare, aegis(folder, settings) as ours:
        _warm(bare, ours)
        before = ours.memory_mib()
        compared = [
            Compared(storm.name, post(storm, bare), post(storm, ours)) for storm in storms(alerts)
        ]
        return compared, ours.memory_mib("VmHWM") - before


def _warm(*servers: Server) -> None:
    """The first calls of a process import and compile."""
    for server in servers:
        for storm in storms(200, round_=1):
            post(storm, server)


def _broken(compared: Sequence[Compared], grown_mib: float) -> list[str]:
    found = [
        f"{one.storm}: {one.refused} calls were not acknowledged" for one in compared if one.refused
    ]
    found += [
        f"{one.storm}: p99 is {one.times:.1f} times that of an echo, more than {MOST_TIMES_ECHO:g}"
        for one in compared
        if one.times > MOST_TIMES_ECHO
    ]
    if grown_mib > MOST_MEMORY_MIB:
        found.append(f"memory grew by {grown_mib:.0f} MiB, more than {MOST_MEMORY_MIB:g}")
    return found


def _print(compared: Sequence[Compared], grown_mib: float, broken: Sequence[str]) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("storm")
    for column in (
        "calls",
        "echo p50",
        "p99 ms",
        "ours p50",
        "p99 ms",
        "× echo",
        "a second",
        "echo cpu",
        "cpu s",
        "≠ 200",
    ):
        table.add_column(column, justify="right")
    for one in compared:
        row = one.as_json()
        table.add_row(*(str(row[name]) for name in row))
    console.print(table)
    console.print(f"memory grew by {grown_mib:.0f} MiB at most")
    for line in broken:
        console.print(f"broken: {line}")


if __name__ == "__main__":
    sys.exit(main())
