"""What is recorded from running backends is answered as they were: with alerts and rollouts."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from aegis import bootstrap
from aegis.bootstrap import Asked
from aegis.bootstrap.live import answer, record
from aegis.workflows.analyze_incident import Analysis
from lab.exposition.requests import REQUEST_CONVENTIONS
from tests.live_prometheus.whole import UTC, Running, running_incident

FIRST_SEED, SEEDS_EACH = 40, 5
LEAST_THE_SAME = 18
MOST_BYTES = 80_000_000

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus-alertmanager") is None, reason="not installed: prometheus-alertmanager"
)


def live_and_replayed(here: Running, folder: Path, *, guess: bool) -> tuple[Analysis, Analysis]:
    """A guessed time is looked into, and the question names a symptom; an exact one is taken
    as it is, and what rang stands for the symptom."""
    text = "why is it slow?" if guess else "what is going on?"
    asked = Asked(text, "en", UTC, here.header.fault_window)
    live = asyncio.run(answer(here.backends, asked, here.clock, exact=not guess))
    asyncio.run(record(here.backends, asked, folder, MOST_BYTES, here.clock))
    if guess:
        return live, bootstrap.analyze_recorded(folder, asked)
    return live, bootstrap.analyze_case(bootstrap.open_case(folder), text, "en")


def ranking(analysis: Analysis) -> list[tuple[str, float]]:
    return [(one.service, round(one.probability, 6)) for one in analysis.diagnosis.causes]


@pytest.mark.slow
def test_recorded_with_alerts_and_rollouts_and_replayed_the_ranking_is_the_same(
    tmp_path: Path,
) -> None:
    same = 0
    conventions = sorted(REQUEST_CONVENTIONS) * SEEDS_EACH
    for number, convention in enumerate(conventions):
        folder = tmp_path / str(number)
        folder.mkdir()
        guess = number % 2 == 1
        with running_incident(FIRST_SEED + number, convention, folder) as here:
            live, replayed = live_and_replayed(here, folder / "kept", guess=guess)
        kept = bootstrap.open_case(folder / "kept").header
        assert [change.service for change in kept.changes] == [here.rolled_out]
        rang = here.header.alarm
        assert rang is not None
        assert (None if kept.alarm is None else kept.alarm.service) == (
            None if guess else rang.service
        )
        same += ranking(live) == ranking(replayed)
        assert ranking(live)[0][0] == ranking(replayed)[0][0]
    assert number == 19
    assert same >= LEAST_THE_SAME
