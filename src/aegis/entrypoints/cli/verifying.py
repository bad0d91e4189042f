"""`aegis verify`: does an answer still stand?"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from aegis import bootstrap
from aegis.bootstrap.live import verify_live
from aegis.entrypoints.citations import checked_json, citations_of, reach_of
from aegis.entrypoints.cli.options import printable
from aegis.model.errors import ConfigurationError, InvalidRequest
from aegis.settings import Settings

Result = Mapping[str, str]
_STYLES = {"match": "green", "changed": "yellow", "gone": "red", "unverifiable": "magenta"}


def verify_file(answer: Path, case: Path | None, settings: Settings) -> list[Result]:
    """Asks the case, else AEGIS_CASE_DIR, else the configured backends.

    InvalidRequest where the file is no answer, ConfigurationError without a source.
    """
    told = _read(answer)
    citations = citations_of(told, settings.timezone)
    cases = case or settings.case_dir
    if cases is not None:
        checked = bootstrap.verify_recorded(cases, citations)
    elif settings.has_telemetry:
        checked = verify_live(settings, citations, reach_of(told))
    else:
        raise ConfigurationError(
            "--case: give a case folder, or set AEGIS_CASE_DIR, PROMETHEUS_BASE_URL, "
            "LOKI_BASE_URL or JAEGER_BASE_URL"
        )
    return cast("list[Result]", checked_json(citations, checked))


def print_results(console: Console, results: Sequence[Result]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in results:
        verdict = one["verdict"]
        # The answer may come from anywhere.
        name, said = Line(printable(one["id"])), Line(printable(one["statement"]))
        table.add_row(name, Line(verdict, style=_STYLES[verdict]), said)
    console.print(table)
    counts = Counter(one["verdict"] for one in results)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _STYLES if counts[verdict])
    console.print(told or "The answer cites no evidence.")


def _read(file: Path) -> object:
    name = str(file)
    try:
        raw = sys.stdin.buffer.read() if name == "-" else file.read_bytes()
        return cast("object", json.loads(raw.decode("utf-8")))
    except OSError as error:
        raise InvalidRequest(name, error.strerror or "cannot be read") from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(name, f"is not JSON: {error}") from None
