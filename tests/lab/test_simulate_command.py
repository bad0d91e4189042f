"""`python -m lab.simulator` writes cases, or says in words why it cannot."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from lab.simulator.__main__ import simulate
from lab.simulator.plan import FIRST_FROZEN_SEED

APP = typer.Typer(rich_markup_mode=None)
APP.command()(simulate)


def test_a_place_that_cannot_hold_cases_is_named_before_anything_is_simulated(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")

    ran = CliRunner().invoke(APP, ["--cases", "3", str(tmp_path / "file" / "below")])

    assert ran.exit_code == 2
    assert "Invalid value for OUT" in ran.output
    assert "Not a directory" in ran.output
    assert "Traceback" not in ran.output


def test_the_frozen_seeds_are_not_crossed_into(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        APP, ["--seed", str(FIRST_FROZEN_SEED - 1), "--cases", "2", str(tmp_path)]
    )

    assert ran.exit_code == 2
    assert "begins the frozen half" in ran.output
