"""`python -m lab.webhook`: does the webhook keep up with a storm? Exit 1 where it does not."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from lab.webhook.chat import MOST_A_SECOND, Chat, Told, chat
from lab.webhook.load import Measured, post
from lab.webhook.servers import Server, aegis, echo
from lab.webhook.storms import ALERTS, Storm, storms

MOST_TIMES_ECHO = 5.0
MOST_MEMORY_MIB = 256.0


@dataclass(frozen=True, slots=True)
class Compared:
    """One storm against both servers."""

    storm: str
    echo: Measured
    aegis: Measured
    told: Told

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
            "chat": self.told.as_json(),
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
    with chat(folder) as group:
        settings = dict(group.settings) | ({} if db_url is None else {"AEGIS_DB_URL": db_url})
        with echo() as bare, aegis(folder, settings) as ours:
            _warm(bare, ours)
            group.told(0, time.monotonic())
            before = ours.memory_mib()
            compared = [_compared(storm, bare, ours, group) for storm in storms(alerts)]
            return compared, ours.memory_mib("VmHWM") - before


def _compared(storm: Storm, bare: Server, ours: Server, group: Chat) -> Compared:
    echoed, known, began = post(storm, bare), len(group.taken()), time.monotonic()
    return Compared(storm.name, echoed, post(storm, ours), group.told(known, began))


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
    found += [
        f"{one.storm}: {one.told.most_a_second} messages in a second, more than {MOST_A_SECOND}"
        for one in compared
        if one.told.most_a_second > MOST_A_SECOND
    ]
    found += [f"{one.storm}: the chat heard nothing" for one in compared if not one.told.messages]
    if grown_mib > MOST_MEMORY_MIB:
        found.append(f"memory grew by {grown_mib:.0f} MiB, more than {MOST_MEMORY_MIB:g}")
    return found


def _short(value: object) -> str:
    """Three figures are enough, and eighty columns are few."""
    return f"{value:.0f}" if isinstance(value, float) and value >= 100 else str(value)


def _print(compared: Sequence[Compared], grown_mib: float, broken: Sequence[str]) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("storm", no_wrap=True)
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
        table.add_row(*(_short(row[name]) for name in row if name != "chat"))
    console.print(table)
    for one in compared:
        told = one.told
        console.print(
            f"{one.storm}: the chat was told in {told.messages} messages and {told.updates} "
            f"updates, at most {told.most_a_second} a second, the first after "
            f"{told.first_after_s:.1f} s"
        )
    console.print(f"memory grew by {grown_mib:.0f} MiB at most")
    for line in broken:
        console.print(f"broken: {line}")


if __name__ == "__main__":
    sys.exit(main())
