"""A backend that hangs is asked by one question, and by the next ones once its rest is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aegis.entrypoints.http.analyst import run
from aegis.entrypoints.http.backend_troubles import BackendTroubles
from aegis.model.backend import BACKENDS, BackendConfig, setting
from tests.adapters.stand_in import Reply, Seen, StandIn, standing_in
from tests.http.service import ANALYZE, STREAM, VERIFY, Sent, answers, events_of, settings

WINDOW = {"start": "2026-03-01T10:30:00Z", "end": "2026-03-01T10:36:00Z"}
ASKED = {"description": "why is it slow?", "time_range": WINDOW}
CITED = {
    "id": "l1",
    "source": "logs",
    "query": "x",
    "sha256": "0" * 64,
    "statement": "many errors",
    **WINDOW,
}


def hanging(_: Seen) -> Reply:
    return Reply(body=b"{", length=100, hang=True)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A Loki that hangs, and nothing else."""
    for name in BACKENDS:
        monkeypatch.delenv(setting(name, "base_url"), raising=False)
    monkeypatch.delenv("AEGIS_CASE_DIR", raising=False)
    with standing_in(hanging) as loki:
        monkeypatch.setenv("LOKI_BASE_URL", loki.url)
        monkeypatch.setenv("AEGIS_LOKI_TIMEOUT_S", "0.5")
        yield loki
        loki.let_go()


@pytest.mark.loopback
def test_the_next_question_leaves_a_backend_alone_that_hung_in_the_first(stuck: StandIn) -> None:
    given = settings(backends=(BackendConfig("loki", stuck.url, timeout_s=0.5),))
    first, second, verified = answers(
        Sent("POST", ANALYZE, ASKED),
        Sent("POST", STREAM, ASKED),
        Sent("POST", VERIFY, {"evidence": [CITED]}),
        given=given,
        warm=True,
    )
    assert len(stuck.seen) == 1
    assert any("gave no answer within 0.5 s" in one for one in first.json()["blind_spots"])
    told = events_of(second)
    assert "backend" not in {one["event"] for one in told}
    (final,) = [one for one in told if one["event"] == "final"]
    assert any("it is left alone for" in one for one in final["blind_spots"])
    (checked,) = verified.json()["results"]
    assert checked["verdict"] == "unverifiable"


@pytest.mark.loopback
def test_once_its_rest_is_over_it_is_asked_again(stuck: StandIn) -> None:
    now = [0.0]
    troubles = BackendTroubles(clock=lambda: now[0])
    for moment, asked_so_far in ((0.0, 1), (20.0, 1), (31.0, 2)):
        now[0] = moment
        events: list[Mapping[str, Any]] = []
        run(job(troubles), events.append)
        for event in events:
            if event["event"] == "backend":
                troubles.heard(event)
        assert len(stuck.seen) == asked_so_far
    assert troubles.as_told() == {"loki": {"failures": 6, "rest_s": 30.0}}


def job(troubles: BackendTroubles) -> dict[str, Any]:
    return {
        "job": "analyze",
        "cases": None,
        "description": "why?",
        "language": "en",
        "timezone": "UTC",
        "window": [WINDOW["start"], WINDOW["end"]],
        "last_minutes": None,
        "session_id": None,
        "notify": False,
        "troubles": troubles.as_told(),
    }


def test_a_backend_that_works_again_is_no_trouble_any_more() -> None:
    troubles = BackendTroubles(clock=lambda: 100.0)
    troubles.heard({"backend": "loki", "failures": 5, "rest_s": 30.0})
    troubles.heard({"backend": "jaeger", "failures": 2, "rest_s": 0.0})
    troubles.heard({"backend": "loki", "failures": 0, "rest_s": 0.0})
    assert troubles.as_told() == {"jaeger": {"failures": 2, "rest_s": 0.0}}
