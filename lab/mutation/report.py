"""Says what the tests noticed and what they did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lab.mutation.operators import OPERATORS
from lab.mutation.runner import Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one operator, or of all. A timeout is a kill: a hang would be noticed."""

    mutants: int
    killed: int
    survived: int
    not_run: int

    @property
    def survivor_rate(self) -> float:
        """Survivors among the mutants that ran; 0 if none did."""
        ran = self.killed + self.survived
        return self.survived / ran if ran else 0.0

    def as_json(self) -> dict[str, float]:
        return {
            "mutants": self.mutants,
            "killed": self.killed,
            "survived": self.survived,
            "not_run": self.not_run,
            "survivor_rate": round(self.survivor_rate, 4),
        }


def tally(verdicts: Sequence[Verdict]) -> Tally:
    outcomes = [verdict.outcome for verdict in verdicts]
    return Tally(
        mutants=len(outcomes),
        killed=outcomes.count("killed") + outcomes.count("timeout"),
        survived=outcomes.count("survived"),
        not_run=outcomes.count("not_run"),
    )


def by_operator(verdicts: Sequence[Verdict]) -> dict[str, Tally]:
    """Tallies of the operators that found a place, in the order the operators are listed."""
    tallies = {
        operator.name: tally([v for v in verdicts if v.mutant.operator == operator.name])
        for operator in OPERATORS
    }
    return {name: counts for name, counts in tallies.items() if counts.mutants}


def survivors(verdicts: Sequence[Verdict]) -> list[Verdict]:
    alive = [verdict for verdict in verdicts if verdict.outcome == "survived"]
    return sorted(alive, key=lambda v: (v.mutant.module, v.mutant.line, v.mutant.node_index))


def timed_out(verdicts: Sequence[Verdict]) -> int:
    """Kills by the clock alone: on a machine with much else to do, some of them are survivors."""
    return [verdict.outcome for verdict in verdicts].count("timeout")


def as_json(verdicts: Sequence[Verdict], equivalent: int, seconds: float) -> dict[str, object]:
    return {
        **tally(verdicts).as_json(),
        "timed_out": timed_out(verdicts),
        "marked_equivalent": equivalent,
        "seconds": round(seconds, 1),
        "operators": {name: counts.as_json() for name, counts in by_operator(verdicts).items()},
        "survivors": [
            {
                "file": _relative(verdict.mutant.path),
                "line": verdict.mutant.line,
                "operator": verdict.mutant.operator,
                "before": verdict.mutant.before,
                "after": verdict.mutant.after,
            }
            for verdict in survivors(verdicts)
        ],
    }


def print_report(
    console: Console, verdicts: Sequence[Verdict], equivalent: int, seconds: float
) -> None:
    for verdict in survivors(verdicts):
        mutant = verdict.mutant
        console.print(
            Text(f"{_relative(mutant.path)}:{mutant.line}  {mutant.operator}", "bold"),
            soft_wrap=True,
        )
        console.print(Text(f"  - {mutant.before}", "red"), soft_wrap=True)
        console.print(Text(f"  + {mutant.after}", "green"), soft_wrap=True)
    table = Table("operator", box=None, pad_edge=False)
    for heading in ("mutants", "killed", "survived", "rate"):
        table.add_column(heading, justify="right")
    rows = by_operator(verdicts) | {"all": tally(verdicts)}
    for name, counts in rows.items():
        table.add_row(
            name,
            str(counts.mutants),
            str(counts.killed),
            str(counts.survived),
            f"{counts.survivor_rate:.1%}",
        )
    console.print(table)
    total = rows["all"]
    left = f", {total.not_run} not run: time was up" if total.not_run else ""
    late = timed_out(verdicts)
    hung = f", {late} killed by the clock alone" if late else ""
    console.print(f"{seconds:.0f} s; {equivalent} marked as equivalent and left out{hung}{left}")


def _relative(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
