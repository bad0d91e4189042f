"""`aegis case record`: from backends to a folder that every other command takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.stand_in import Reply, Seen, standing_in
from tests.cli.commands import Aegis
from tests.fakes import FakeClock
from tests.recordings import SmallShop, at, lines_of, spans_of

pytestmark = pytest.mark.loopback

SHOP = SmallShop().recording()
SPANS = spans_of(SHOP.spans)[3:]  # an id of zeros is no id
WINDOW = ("--start", "2026-03-01T10:30:00Z", "--end", "2026-03-01T10:36:00Z")
BACKENDS = ("PROMETHEUS_BASE_URL", "LOKI_BASE_URL", "JAEGER_BASE_URL", "ALERTMANAGER_BASE_URL")


@pytest.fixture(autouse=True)
def backends(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loki and Jaeger saw the shop; there is no Prometheus. It is minute 40."""
    for name in BACKENDS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("aegis.bootstrap.live.SystemClock", lambda: FakeClock(at(40)))
    loki = HeldLoki(stored(lines_of(SHOP.logs)))
    with standing_in(loki.answer) as logs, standing_in(JaegerServer(SPANS)) as traces:
        monkeypatch.setenv("LOKI_BASE_URL", logs.url)
        monkeypatch.setenv("JAEGER_BASE_URL", traces.url)
        yield


def test_what_is_recorded_can_be_validated_analysed_and_ranked(
    aegis: Aegis, tmp_path: Path
) -> None:
    folder = tmp_path / "cases" / "slow-shop"
    ran = aegis("case", "record", "--out", folder, *WINDOW, "--question", "why slow?")
    assert (ran.code, ran.err) == (0, "")
    assert "2026-03-01 10:30:00 – 10:36:00 UTC" in ran.out
    assert "not seen      No metrics: PROMETHEUS_BASE_URL is not set." in ran.out
    assert f"aegis analyze 'why slow?' --case {folder}" in ran.out
    assert aegis("case", "validate", folder).code == 0
    live = aegis("analyze", "why slow?", *WINDOW, "--json").json()
    replayed = aegis("analyze", "why slow?", "--case", folder, "--json").json()
    assert ranking(replayed) == ranking(live)
    assert ranking(live)[0][0] == "store"
    scored = aegis("bench", tmp_path / "cases", "--window", "asked", "--json").json()
    assert scored["per_case"][0]["id"] == "slow-shop"


def ranking(answer: dict[str, list[dict[str, object]]]) -> list[tuple[object, object]]:
    return [(one["service"], one["probability"]) for one in answer["ranked_root_causes"]]


def test_the_last_minutes_end_now_and_json_tells_what_was_kept(
    aegis: Aegis, tmp_path: Path
) -> None:
    ran = aegis("case", "record", "--out", tmp_path / "case", "--last", "30m", "--json")
    told = ran.json()
    assert told["fault_window"] == {"start": "2026-03-01T10:10:00Z", "end": "2026-03-01T10:40:00Z"}
    shown = aegis("case", "show", tmp_path / "case", "--json").json()
    assert told["spans"] == shown["spans"] > 900
    assert told["lines"] == shown["logs"] == len(SHOP.logs)
    assert told["samples"] == 0
    assert told["left_out"] == []
    header = json.loads((tmp_path / "case" / "case.json").read_text())
    assert header["asked"] == {"question": "哪里坏了？", **told["fault_window"]}
    assert header["source"] == "loki, jaeger"


def test_the_question_may_name_the_time(aegis: Aegis, tmp_path: Path) -> None:
    asked = ("--question", "why was the shop slow in the last 20 minutes?", "--json")
    told = aegis("case", "record", "--out", tmp_path / "case", *asked).json()
    assert told["fault_window"]["start"] == "2026-03-01T10:20:00Z"


def test_a_folder_that_exists_is_refused_and_nobody_is_asked(
    aegis: Aegis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standing_in(lambda _: Reply()) as unasked:
        monkeypatch.setenv("LOKI_BASE_URL", unasked.url)
        ran = aegis("case", "record", "--out", tmp_path)
    assert ran.code == 3
    assert ran.err == f"error: out: {tmp_path} exists already; name a new folder\n"
    assert unasked.seen == []


def test_a_backend_that_fails_is_told_and_the_rest_is_recorded(
    aegis: Aegis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: Seen) -> Reply:
        return Reply(403, b"no", "text/plain")

    with standing_in(forbidden) as down:
        monkeypatch.setenv("LOKI_BASE_URL", down.url)
        told = aegis("case", "record", "--out", tmp_path / "case", *WINDOW, "--json").json()
    assert told["spans"] > 900
    assert told["lines"] == 0
    assert any("logs" in line and "403" in line for line in told["blind_spots"])


def test_a_window_without_anything_leaves_no_folder(aegis: Aegis, tmp_path: Path) -> None:
    window = ("--start", "2026-03-01T07:00:00Z", "--end", "2026-03-01T07:10:00Z")
    ran = aegis("case", "record", "--out", tmp_path / "case", *window)
    assert ran.code == 3
    assert "there is nothing to record in it" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", ["0m", "25h", "soon", "-5m", "30", "9999999h"])
def test_a_length_of_time_that_is_none_is_refused(aegis: Aegis, tmp_path: Path, last: str) -> None:
    ran = aegis("case", "record", "--out", tmp_path / "case", f"--last={last}")
    assert ran.code == 2
    assert "--last" in ran.err


def test_two_ways_to_name_the_window_are_one_too_many(aegis: Aegis, tmp_path: Path) -> None:
    ran = aegis("case", "record", "--out", tmp_path / "case", "--last", "2h", *WINDOW)
    assert ran.code == 2
    assert "not both" in ran.err


def test_an_empty_question_is_refused(aegis: Aegis, tmp_path: Path) -> None:
    ran = aegis("case", "record", "--out", tmp_path / "case", "--question", " ")
    assert ran.code == 2
    assert "--question" in ran.err


def test_without_a_backend_the_setting_is_named(
    aegis: Aegis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BACKENDS:
        monkeypatch.delenv(name, raising=False)
    ran = aegis("case", "record", "--out", tmp_path / "case")
    assert ran.code == 2
    assert "PROMETHEUS_BASE_URL" in ran.err
