"""`python -m tests.failures`: every failure of every backend, by a command and over HTTP.

Prints a row a cell: how long the answer took, how much more memory than usual its process
held, and whether the answer names the backend among its blind spots.
"""

from __future__ import annotations

import itertools
import sys
from typing import Annotated

import typer
from rich.console import Console

from aegis.model.backend import BACKENDS, setting
from tests.failures.broken import FAILURES, WHENS, shop_with
from tests.failures.measuring import (
    Measured,
    analyzed_by_command,
    analyzed_by_server,
    grown_mib,
)
from tests.http.server import running_server

MOST_GROWN_MIB = 128.0
MOST_S = 30.0


def run(settings: dict[str, str], surface: str) -> Measured:
    if surface == "command":
        return analyzed_by_command(settings)
    with running_server(settings) as server:
        return analyzed_by_server(server)


def main(surfaces: Annotated[list[str], typer.Argument()] = ["command", "http"]) -> None:  # noqa: B006
    """Exit 1 where a cell breaks a promise."""
    console = Console(width=150)
    broken = 0
    for surface in surfaces:
        with shop_with(None) as settings:
            usual = run(settings, surface)
        console.print(f"{surface}: usually {usual.took_s:.1f} s, {usual.most_kib / 1024:.0f} MiB")
        for backend, failure, when in itertools.product(BACKENDS, FAILURES, WHENS):
            if backend == "alertmanager" and when == "later":
                continue  # it is asked once
            with shop_with(backend, failure, when) as settings:
                found = run(settings, surface)
            name = setting(backend, "base_url")
            spots = found.told["blind_spots"] if found.told is not None else []
            named = any(name in spot for spot in spots)
            grown = grown_mib(usual, found)
            is_kept = named and found.took_s < MOST_S and grown < MOST_GROWN_MIB
            broken += not is_kept
            told = "kept" if is_kept else f"BROKEN {found.wrong} {spots}"
            console.print(
                f"{surface:8} {backend:13} {failure:6} {when:8} {found.took_s:5.1f} s "
                f"{grown:+6.0f} MiB {told}"
            )
    console.print(f"{broken} broken")
    sys.exit(bool(broken))


if __name__ == "__main__":
    typer.run(main)
