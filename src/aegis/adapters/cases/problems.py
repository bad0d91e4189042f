"""What can be wrong with a case folder, and the two ways of taking it.

The code that reads a file reports every problem it meets. A reader raises the first one,
the validator collects them, so both always agree on what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from aegis.model.errors import InvalidCase
from aegis.model.telemetry import Bools

MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `row` counts from 1; `column` is a Parquet column or a JSON field."""

    file: str
    row: int | None
    column: str | None
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        row = f"row {self.row}: " if self.row is not None else ""
        return ": ".join(part for part in (self.file, self.column, row + self.message) if part)


Report = Callable[[Problem], None]


def raise_first(problem: Problem) -> None:
    """The reader's way: an error ends the reading, a warning is for the validator only."""
    if problem.severity == "error":
        row = f"row {problem.row}: " if problem.row is not None else ""
        raise InvalidCase(problem.file, problem.column, row + problem.message)


@dataclass(slots=True)
class Collected:
    """The validator's way: keeps the first MOST_PROBLEMS and goes on."""

    problems: list[Problem] = field(default_factory=list)

    def __call__(self, problem: Problem) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def report_rows(
    report: Report, file: str, column: str, message: str, bad: Bools, first_row: int
) -> None:
    """Report the rows marked in `bad`; its first element is row `first_row` (from 1)."""
    if bad.any():
        for index in np.flatnonzero(bad)[:MOST_PROBLEMS].tolist():
            report(Problem(file, first_row + index, column, message))


def one_line(error: Exception) -> str:
    """The message of a foreign error without its line breaks."""
    return " ".join(str(error).split()) or type(error).__name__
