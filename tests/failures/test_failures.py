"""One backend fails, whichever and however: there is an answer, in time, that names the gap."""

from __future__ import annotations

import time

import pytest

from aegis.model.backend import BACKENDS, BackendName, setting
from tests.cli.commands import Aegis, runner
from tests.failures.broken import FAILURES, WHENS, WINDOW, Failure, When, shop_with
from tests.failures.measuring import analyzed_by_command, grown_mib

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

LATEST_S = 25.0
"""Far more than the deadlines of the settings add up to, for a machine that does much else."""
ASKED = ("analyze", "what is wrong?", "--start", WINDOW["start"], "--end", WINDOW["end"], "--json")
CELLS = [
    (backend, failure, when)
    for backend in BACKENDS
    for failure in FAILURES
    for when in WHENS
    if not (backend == "alertmanager" and when == "later")  # it is asked once
]


@pytest.fixture
def aegis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Aegis:
    return runner(monkeypatch, capsys)


@pytest.mark.parametrize(("backend", "failure", "when"), CELLS)
def test_an_answer_comes_in_time_and_names_what_failed(
    aegis: Aegis,
    monkeypatch: pytest.MonkeyPatch,
    backend: BackendName,
    failure: Failure,
    when: When,
) -> None:
    with shop_with(backend, failure, when, size_mb=20) as settings:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        began = time.monotonic()
        ran = aegis(*ASKED)
        took_s = time.monotonic() - began
    assert (ran.code, ran.err) == (0, "")
    told = ran.json()
    assert took_s < LATEST_S
    named = setting(backend, "base_url")
    assert any(named in spot for spot in told["blind_spots"]), told["blind_spots"]
    assert told["ranked_root_causes"][0]["service"] == "store"


def test_where_nothing_fails_nothing_is_told_to_have_failed(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop_with(None) as settings:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        told = aegis(*ASKED).json()
    assert not [spot for spot in told["blind_spots"] if "_BASE_URL" in spot]


@pytest.mark.parametrize("backend", BACKENDS)
def test_three_hundred_megabytes_cost_a_process_no_128_mib(backend: BackendName) -> None:
    with shop_with(None) as settings:
        usual = analyzed_by_command(settings)
    with shop_with(backend, "flood") as settings:
        flooded = analyzed_by_command(settings)
    assert grown_mib(usual, flooded) < 128
