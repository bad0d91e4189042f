"""The mutation tool, tried on a small engine whose tests are known to miss some changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.mutation.mutants import Mutant, UnexplainedMark, find_mutants, sample_evenly
from lab.mutation.operators import OPERATORS
from lab.mutation.report import as_json
from lab.mutation.runner import Verdict

ROOT = Path(__file__).parents[2]

ENGINE = '''
"""Scores; 3 is no number here."""
from dataclasses import dataclass

WEIGHTS = {"errors": 2.0, "latency": -1.0}
NEVER_READ = 7


@dataclass
class Limits:
    highest: float = 9.0


def score(errors: float, latency: float) -> float:
    """At most the 9.0 of Limits."""
    total = WEIGHTS["errors"] * errors + WEIGHTS["latency"] * latency
    return min(total, Limits().highest)


def inside(times_ns, start_ns, end_ns):
    return [time for time in times_ns if start_ns <= time < end_ns]


def countdown(steps):
    while steps > 0:
        steps -= 1
    return steps


def unreached(value):
    return max(value, 5)
'''

TESTS = """
from functools import cache

import pytest
from toy.scoring import countdown, inside, score


@cache
def low_score():
    return score(3.0, 2.0)


def test_the_score_is_a_number():
    assert isinstance(low_score(), float)


def test_errors_raise_and_latency_lowers_the_score():
    assert low_score() == 4.0


def test_the_score_is_capped():
    assert score(30.0, 1.0) == 9.0


def test_a_window_holds_its_start_but_not_its_end():
    assert inside([1, 2, 3, 4, 5], 2, 4) == [2, 3]


@pytest.mark.parametrize("steps", [1, 3])
def test_a_countdown_ends_at_zero(steps):
    assert countdown(steps) == 0
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "toy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "scoring.py").write_text(ENGINE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_scoring.py").write_text(TESTS)
    return tmp_path


def run_tool(toy: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own interpreter)
        [
            *(sys.executable, "-m", "lab.mutation", "--package", "toy"),
            *("--source-root", str(toy / "src"), "--tests", str(toy / "tests"), *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def mutants_of(source: str, tmp_path: Path) -> tuple[list[Mutant], int]:
    path = tmp_path / "module.py"
    path.write_text(source)
    return find_mutants("module", path, OPERATORS)


def changes_of(source: str, tmp_path: Path) -> set[tuple[str, str]]:
    return {(mutant.operator, mutant.after) for mutant in mutants_of(source, tmp_path)[0]}


def test_what_the_tests_miss_survives_and_what_they_check_is_killed(toy: Path) -> None:
    result = run_tool(toy, "--json", "--max-survivors", "0.5")
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    alive = {(survivor["operator"], survivor["after"]) for survivor in report["survivors"]}
    assert alive == {
        ("sign", "NEVER_READ = -7"),
        ("constant", "NEVER_READ = 14"),
        ("extreme", "return min(value, 5)"),
        ("constant", "return max(value, 10)"),
    }
    assert report["killed"] == report["mutants"] - 4
    assert set(report["operators"]) == {
        *("sign", "comparison", "edge", "arithmetic", "extreme", "constant")
    }


def test_too_many_survivors_are_a_failure(toy: Path) -> None:
    result = run_tool(toy, "--max-survivors", "0.05", "--operator", "extreme")
    assert result.returncode == 1
    assert "scoring.py:31  extreme" in result.stdout
    assert "- return max(value, 5)" in result.stdout
    assert "+ return min(value, 5)" in result.stdout


def test_tests_that_fail_already_measure_nothing(toy: Path) -> None:
    (toy / "tests" / "test_scoring.py").write_text("def test_no():\n    assert False\n")
    result = run_tool(toy)
    assert result.returncode == 2
    assert "must pass before anything is broken" in result.stderr


def test_no_tests_at_all_measure_nothing(toy: Path) -> None:
    (toy / "tests" / "test_scoring.py").write_text("")
    assert run_tool(toy).returncode == 2


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("WEIGHT = 3.0", ("sign", "WEIGHT = -3.0")),
        ("found = a < b", ("comparison", "found = a > b")),
        ("found = a == b", ("comparison", "found = a != b")),
        ("early = start_ns < end_ns", ("edge", "early = start_ns <= end_ns")),
        ("tail = rows[1:]", ("edge", "tail = rows[1 + 1:]")),
        ("head = rows[:n]", ("edge", "head = rows[:n - 1]")),
        ("at = np.searchsorted(a, b)", ("edge", "at = np.searchsorted(a, b, side='right')")),
        ("total = a - b", ("arithmetic", "total = a + b")),
        ("total *= 2", ("arithmetic", "total /= 2")),
        ("top = np.maximum(a, b)", ("extreme", "top = np.minimum(a, b)")),
        ("both = a and b", ("logic", "both = a or b")),
        ("both = a & b", ("logic", "both = a | b")),
        ("kept = [a for a in b if a.ok]", ("condition", "(not a.ok,)")),
        ("rest = ~mask", ("condition", "rest = ~~mask")),
        ("first = rows[0]", ("constant", "first = rows[1]")),
    ],
)
def test_each_operator_makes_its_change(line: str, change: tuple[str, str], tmp_path: Path) -> None:
    assert change in changes_of(line, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        '"""Holds 3 < 4."""',
        '__all__ = ["a" + "b"]',
        "def f(a: Literal[3]) -> Literal[4]: ...",
        'name = "a" + suffix',
        'said = f"{count + 1} of {total}"',
        "said = Text(zh=str(count + 1), en=str(count + 1))",
        "logger.info(count + 1)",
        "guard = a or b  # mutate: equivalent both are the same here",
    ],
)
def test_prose_types_and_marked_lines_are_left_alone(line: str, tmp_path: Path) -> None:
    assert changes_of(line, tmp_path) == set()


def test_a_marked_mutant_is_counted(tmp_path: Path) -> None:
    assert mutants_of("a = b + c  # mutate: equivalent c is zero", tmp_path) == ([], 1)


def test_a_mutant_that_ran_out_of_time_is_killed_but_told_apart(tmp_path: Path) -> None:
    """On a busy machine it may be a survivor whose tests took too long."""
    (hung, *_), _ = mutants_of("while left > 0:\n    left -= 1\n", tmp_path)
    told = as_json([Verdict(hung, "timeout", 80.0), Verdict(hung, "killed", 1.0)], 0, 81.0)
    assert (told["killed"], told["timed_out"]) == (2, 1)


def test_a_mark_without_a_reason_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnexplainedMark, match="say why"):
        mutants_of("a = b + c  # mutate: equivalent", tmp_path)


def test_a_sample_spreads_over_the_operators_and_repeats_with_its_seed(tmp_path: Path) -> None:
    source = "\n".join(f"a{i} = b + {i + 1} < c" for i in range(30))
    mutants, _ = mutants_of(source, tmp_path)
    sample = sample_evenly(mutants, 12, offset=0.5)
    assert len(sample) == 12
    assert {mutant.operator for mutant in sample} == {mutant.operator for mutant in mutants}
    assert sample == sample_evenly(mutants, 12, offset=0.5)
    assert sample != sample_evenly(mutants, 12, offset=0.0)


def test_the_operators_are_those_the_documentation_lists() -> None:
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert rows == [operator.name for operator in OPERATORS]
