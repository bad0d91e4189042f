"""`aegis analyze` without a case: the configured backends are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aegis.bootstrap.live import HISTORY, extent_of, verify_live
from aegis.entrypoints.citations import citations_of, reach_of
from aegis.model.telemetry import TimeWindow
from aegis.settings import read_settings
from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.stand_in import Reply, closed_port, standing_in
from tests.cli.commands import Aegis
from tests.fakes import FakeClock
from tests.recordings import SmallShop, at, between, lines_of, spans_of

pytestmark = pytest.mark.loopback

UTC = ZoneInfo("UTC")
SHOP = SmallShop().recording()
SPANS = spans_of(SHOP.spans)[3:]  # an id of zeros is no id
WINDOW = ("--start", "2026-03-01T10:30:00Z", "--end", "2026-03-01T10:36:00Z")
BACKENDS = ("PROMETHEUS_BASE_URL", "LOKI_BASE_URL", "JAEGER_BASE_URL", "ALERTMANAGER_BASE_URL")


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is minute 40."""
    for name in BACKENDS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("aegis.bootstrap.live.SystemClock", lambda: FakeClock(at(40)))


@contextmanager
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loki and Jaeger that saw the shop."""
    loki = HeldLoki(stored(lines_of(SHOP.logs)))
    with standing_in(loki.answer) as logs, standing_in(JaegerServer(SPANS)) as traces:
        monkeypatch.setenv("LOKI_BASE_URL", logs.url)
        monkeypatch.setenv("JAEGER_BASE_URL", traces.url)
        yield


def test_without_a_backend_it_says_what_to_set(aegis: Aegis) -> None:
    ran = aegis("analyze", "why slow?")
    assert ran.code == 2
    assert ran.err.startswith("error: PROMETHEUS_BASE_URL: not set")


def test_it_names_the_cause_and_what_is_not_configured(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch):
        told = aegis("analyze", "why slow?", *WINDOW, "--json").json()
    assert told["ranked_root_causes"][0]["service"] == "store"
    assert "No metrics: PROMETHEUS_BASE_URL is not set." in told["blind_spots"]
    tools = [step["tool"] for step in told["trace"]["steps"]]
    assert tools == ["trace_note", "read_metrics", "read_traces", "read_logs", "diagnose"]


def test_a_query_of_logs_to_paste_names_streams_as_loki_does(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch):
        told = aegis("analyze", "why slow?", *WINDOW, "--json").json()
    (step,) = [action for action in told["next_actions"] if "count_over_time" in action]
    assert '{app="store"} |= ' in step


def test_a_time_that_the_question_names_is_a_guess(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch):
        told = aegis("analyze", "why slow in the last 10 minutes?", "--json").json()
    assert "find_onset" in [step["tool"] for step in told["trace"]["steps"]]


def firing(service: str, name: str) -> Reply:
    """Alertmanager's answer: one alert, since minute 31."""
    labels = {"alertname": name, "service": service}
    alert = {"labels": labels, "annotations": {}, "startsAt": at(31).isoformat()}
    return Reply(body=json.dumps([{**alert, "status": {"state": "active"}}]).encode())


def test_alerts_that_fired_are_evidence_and_stand_for_the_alarm(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch), standing_in(lambda _: firing("store", "StoreSlow")) as server:
        monkeypatch.setenv("ALERTMANAGER_BASE_URL", server.url)
        told = aegis("analyze", "what is going on?", *WINDOW, "--json").json()
    (alert,) = [one for one in told["evidence"] if one["source"] == "alerts"]
    assert alert["statement"].startswith("Alert StoreSlow of store has been firing since 10:31")
    assert alert["id"] in told["ranked_root_causes"][0]["evidence_ids"]
    assert alert["id"] in [one["evidence_id"] for one in told["timeline"]]
    assert "list_alerts" in [step["tool"] for step in told["trace"]["steps"]]
    assert {one.path for one in server.seen} == {"/api/v2/alerts"}


def test_alerts_that_cannot_be_read_are_a_blind_spot_only_where_they_were_asked_for(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch):
        without = aegis("analyze", "why slow?", *WINDOW, "--json").json()
        monkeypatch.setenv("ALERTMANAGER_BASE_URL", f"http://127.0.0.1:{closed_port()}")
        down = aegis("analyze", "why slow?", *WINDOW, "--json").json()
    assert not [one for one in without["blind_spots"] if "alert" in one.lower()]
    (blind,) = [one for one in down["blind_spots"] if "alert" in one.lower()]
    assert "ALERTMANAGER_BASE_URL" in blind
    assert down["ranked_root_causes"][0]["service"] == "store"


def test_an_alert_is_verified_while_it_fires(aegis: Aegis, monkeypatch: pytest.MonkeyPatch) -> None:
    rings = [firing("store", "StoreSlow")]
    with shop(monkeypatch), standing_in(lambda _: rings[0]) as server:
        monkeypatch.setenv("ALERTMANAGER_BASE_URL", server.url)
        answer = aegis("analyze", "what is going on?", *WINDOW, "--json").json()
        cited = citations_of(answer, UTC)
        still = {one.id: one for one in verify_live(read_settings(), cited)}
        rings[0] = Reply(body=b"[]")
        ended = {one.id: one for one in verify_live(read_settings(), cited)}
    assert still["a1"].verdict == "match"
    assert ended["a1"].verdict == "unverifiable"
    assert "fires no more" in ended["a1"].statement.en


def test_a_backend_that_is_down_is_a_blind_spot_and_the_rest_answers(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch), standing_in(lambda _: Reply(401, b"who are you?")) as locked:
        monkeypatch.setenv("PROMETHEUS_BASE_URL", locked.url)
        told = aegis("analyze", "why slow?", *WINDOW, "--json").json()
    assert told["ranked_root_causes"][0]["service"] == "store"
    assert any("AEGIS_PROMETHEUS_" in spot and "401" in spot for spot in told["blind_spots"])


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2026-03-01T10:50:00Z", "2026-03-01T10:55:00Z", "lies in the future"),
        ("2026-02-27T10:00:00Z", "2026-03-01T10:00:00Z", "is longer than 24 h"),
    ],
)
def test_a_time_that_cannot_be_asked_about_is_refused(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch, start: str, end: str, told: str
) -> None:
    with shop(monkeypatch):
        ran = aegis("analyze", "why slow?", "--start", start, "--end", end)
    assert ran.code == 3
    assert told in ran.err


def test_the_evidence_of_an_answer_is_asked_for_again(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(monkeypatch):
        told = aegis("analyze", "why slow?", *WINDOW, "--json").json()
        cited = citations_of(told, UTC)
        whole = verify_live(read_settings(), cited, reach_of(told))
        shorter = replace(cited[0], data_window=between(30, 36))
        (part,) = verify_live(read_settings(), [shorter])
    assert {one.verdict for one in whole} == {"match"}
    assert part.verdict == "changed"


def test_an_answer_is_verified_by_the_backends_it_came_from(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AEGIS_CASE_DIR", raising=False)
    answer = tmp_path / "answer.json"
    with shop(monkeypatch):
        told = aegis("analyze", "why slow?", *WINDOW, "--json")
        answer.write_text(told.out, encoding="utf-8")
        ran = aegis("verify", str(answer), "--json")
    gone = aegis("verify", str(answer), "--json")  # the backends are stopped
    assert ran.code == 0
    assert [one["verdict"] for one in ran.json()["results"]] == ["match"] * len(
        told.json()["evidence"]
    )
    assert gone.code == 4
    assert {one["verdict"] for one in gone.json()["results"]} == {"unverifiable"}


def test_a_sample_is_drawn_again_over_the_time_that_the_answer_read(
    aegis: Aegis, monkeypatch: pytest.MonkeyPatch
) -> None:
    jaeger = JaegerServer(SPANS)
    with standing_in(jaeger) as server:
        monkeypatch.setenv("JAEGER_BASE_URL", server.url)
        told = aegis("analyze", "why slow?", *WINDOW, "--json").json()
        read = {one.one("query.start_time_min") for one in server.seen}
        server.seen.clear()
        verify_live(read_settings(), citations_of(told, UTC), reach_of(told))
        again = {one.one("query.start_time_min") for one in server.seen}
    assert again == read
    assert len(read) > 1


@pytest.mark.parametrize(
    "steps",
    [
        None,
        "read_traces",
        [],
        [None, {"tool": "read_traces"}],
        [{"tool": "read_traces", "tool_input": "{"}],
        [{"tool": "read_traces", "tool_input": '{"start": 1, "end": 2}'}],
        [{"tool": "read_traces", "tool_input": '{"start": "2026-03-01", "end": "2026-03-02"}'}],
        [{"tool": "read_logs", "tool_input": json.dumps(between(0, 9).as_text())}],
    ],
)
def test_a_trace_that_tells_no_time_tells_none(steps: object) -> None:
    assert reach_of({"trace": {"steps": steps}}) is None
    assert reach_of({"trace": steps}) is None


def test_the_trace_of_an_answer_tells_which_time_was_read() -> None:
    step = {"tool": "read_traces", "tool_input": json.dumps(between(0, 9).as_text())}
    assert reach_of({"trace": {"steps": [{"tool": "x"}, step]}}) == between(0, 9)


def test_history_is_read_before_the_time_and_nothing_after_now() -> None:
    window = between(30, 36)
    assert extent_of(window, at(37)) == TimeWindow(window.start - HISTORY, at(37))
    later = at(36) + timedelta(hours=5)
    assert extent_of(window, later) == TimeWindow(window.start - HISTORY, at(38))
