"""`aegis doctor`: what works, what does not, and which setting mends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import pytest

from aegis.adapters.system_clock import SystemClock
from aegis.bootstrap.doctor import examine_settings
from aegis.model.backend import BACKENDS, settings_of
from aegis.model.telemetry import Span, to_ns
from aegis.settings import read_settings
from aegis.settings.feishu import NAMES
from tests.adapters.jaeger_server import JaegerServer, Release
from tests.adapters.loki_language import StoredLine
from tests.adapters.loki_server import HeldLoki
from tests.adapters.stand_in import Reply, Seen, closed_port, standing_in
from tests.cli.commands import Aegis, Ran
from tests.prometheus.speaking import Speaking

pytestmark = pytest.mark.loopback

HTML = Reply(200, b"<!doctype html><title>Sign in</title>", "text/html")
REQUESTS = (
    {"__name__": "http_server_request_duration_seconds_count", "job": "checkout"},
    {"__name__": "http_server_request_duration_seconds_sum", "job": "checkout"},
    {"__name__": "http_server_request_duration_seconds_bucket", "job": "checkout", "le": "1"},
)
Answer = Callable[[Seen], Reply]


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for backend in BACKENDS for name in settings_of(backend)]
    more = ["LOKI_SERVICE_LABEL_KEY", "LOKI_SELECTOR_TEMPLATE", "AEGIS_SIGNALS_FILE"]
    for name in [*names, *more, *NAMES, "AEGIS_SERVICE_ALIASES"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Answer], None]]:
    """Lets the address of a backend be that of a stand-in."""
    with ExitStack() as stack:

        def stand(variable: str, answer: Answer) -> None:
            monkeypatch.setenv(variable, stack.enter_context(standing_in(answer)).url)

        yield stand


At = Callable[[str, Answer], None]


def of(ran: Ran, backend: str) -> dict[str, Any]:
    (found,) = [one for one in ran.json()["backends"] if one["backend"] == backend]
    return cast("dict[str, Any]", found)


def findings(ran: Ran, backend: str) -> dict[str, tuple[str, str]]:
    """Name → (state, message)."""
    return {one["name"]: (one["state"], one["message"]) for one in of(ran, backend)["findings"]}


def look(aegis: Aegis) -> Ran:
    return aegis("doctor", "--json", "--lang", "en")


def a_minute_ago_ns() -> int:
    return to_ns(SystemClock().now() - timedelta(minutes=1))


def a_loki(*streams: dict[str, str]) -> Answer:
    held = HeldLoki([StoredLine(a_minute_ago_ns(), "hello", stream, {}) for stream in streams])

    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/buildinfo"):
            return Reply(body=b'{"version": "3.5.1"}')
        return held.answer(seen)

    return answer


def a_jaeger(release: Release) -> Answer:
    start = a_minute_ago_ns()
    return JaegerServer(
        [Span("a" * 32, "b" * 16, "", "cart", "GET /", start, 10**6, False)], release
    )


def an_alertmanager(seen: Seen) -> Reply:
    if seen.path == "/api/v2/status":
        return Reply(body=b'{"versionInfo": {"version": "0.27.0"}}')
    return Reply(body=b'[{"labels": {"alertname": "Slow"}}]')


def rows_of_checkout(promql: str) -> list[tuple[dict[str, str], float]]:
    return [({"job": "checkout"}, 1.0)]


def test_nothing_configured_is_a_wrong_setting_and_each_address_is_named(aegis: Aegis) -> None:
    ran = aegis("doctor", "--lang", "en")
    assert ran.code == 2
    for backend in BACKENDS:
        assert f"not configured; set {backend.upper()}_BASE_URL" in ran.out
    assert look(aegis).json()["ok"] is False


def test_without_a_backend_to_ask_the_verdict_names_what_to_set_though_others_are_well(
    aegis: Aegis, at: At
) -> None:
    at("ALERTMANAGER_BASE_URL", an_alertmanager)
    ran = aegis("doctor", "--lang", "en")
    assert ran.code == 2
    assert "There is no backend to ask: set PROMETHEUS_BASE_URL" in ran.out
    assert "✗" not in ran.out


def test_all_backends_that_are_well_are_described(aegis: Aegis, at: At) -> None:
    at("PROMETHEUS_BASE_URL", Speaking(REQUESTS, rows_of_checkout))
    at("LOKI_BASE_URL", a_loki({"app": "cart"}, {"app": "shop"}))
    at("JAEGER_BASE_URL", a_jaeger("next"))
    at("ALERTMANAGER_BASE_URL", an_alertmanager)
    ran = look(aegis)
    assert ran.code == 0, ran.out
    assert ran.json()["ok"] is True
    assert {of(ran, backend)["condition"] for backend in BACKENDS} == {"answers"}
    for backend in BACKENDS:
        found = findings(ran, backend)
        assert found["reachable"] == ("ok", "can be reached")
        assert found["credentials"] == ("ok", "none needed")
        assert found["clock"] == ("ok", "agrees with ours")
        assert found["sample_query"][0] == "ok"
    prometheus = findings(ran, "prometheus")
    assert prometheus["version"][1] == "prometheus 2.55.1"
    assert prometheus["metrics"][1].startswith("3 names, 3 of them known")
    assert "otel" in prometheus["conventions"][1]
    assert prometheus["traffic"] == ("ok", "1 services: checkout")
    assert findings(ran, "loki")["version"][1] == "loki 3.5.1"
    assert findings(ran, "loki")["service_label"] == ("ok", "app")
    assert findings(ran, "loki")["services"] == ("ok", "2: cart, shop")
    assert findings(ran, "jaeger")["version"][1].startswith("v3 with summaries")
    assert findings(ran, "jaeger")["services"] == ("ok", "1: cart")
    assert findings(ran, "alertmanager")["alerts"] == ("ok", "1 alerts")


def test_what_a_release_lacks_is_no_failure(aegis: Aegis, at: At) -> None:
    at("JAEGER_BASE_URL", a_jaeger("1.57"))
    at("PROMETHEUS_BASE_URL", Speaking(REQUESTS, rows_of_checkout, buildinfo={"version": "2.24.0"}))
    ran = look(aegis)
    assert ran.code == 0
    assert findings(ran, "jaeger")["version"] == ("ok", "v3 without summaries (1.57 to 2.18)")
    assert findings(ran, "prometheus")["version"] == ("ok", "victoriametrics")


def test_the_json_has_one_shape_whatever_is_found(aegis: Aegis, at: At) -> None:
    at("JAEGER_BASE_URL", a_jaeger("1.57"))
    told = look(aegis).json()
    assert set(told) == {"ok", "settings", "backends"}
    assert [one["backend"] for one in told["backends"]] == [*BACKENDS, "database", "feishu"]
    for backend in told["backends"]:
        assert set(backend) == {"backend", "address", "condition", "findings"}
        for finding in backend["findings"]:
            assert set(finding) == {"name", "state", "message"}
            assert finding["state"] in {"ok", "warn", "fail"}
    assert told["backends"][0]["address"] is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_that_is_down_is_named_and_the_others_are_still_examined(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    at("JAEGER_BASE_URL" if backend != "jaeger" else "LOKI_BASE_URL", a_good(backend))
    variable = f"{backend.upper()}_BASE_URL"
    monkeypatch.setenv(variable, f"http://127.0.0.1:{closed_port()}")
    ran = look(aegis)
    assert ran.code == 4
    assert of(ran, backend)["condition"] == "no_answer"
    state, said = findings(ran, backend)["reachable"]
    assert state == "fail"
    assert f"is {variable} right?" in said
    other = "jaeger" if backend != "jaeger" else "loki"
    assert of(ran, other)["condition"] == "answers"


def a_good(backend: str) -> Answer:
    """A stand-in of another kind than `backend`."""
    return a_jaeger("next") if backend != "jaeger" else a_loki({"app": "cart"})


@pytest.mark.parametrize("backend", BACKENDS)
def test_refused_credentials_name_the_setting_and_hide_the_secret(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    at("JAEGER_BASE_URL" if backend != "jaeger" else "LOKI_BASE_URL", a_good(backend))
    at(f"{backend.upper()}_BASE_URL", lambda seen: Reply(401, b"who is hunter2?", "text/plain"))
    monkeypatch.setenv(f"AEGIS_{backend.upper()}_BEARER_TOKEN", "hunter2")
    ran = look(aegis)
    assert ran.code == 4
    found = findings(ran, backend)
    assert found["reachable"][0] == "ok"
    assert found["credentials"][0] == "fail"
    assert f"check AEGIS_{backend.upper()}_BEARER_TOKEN" in found["credentials"][1]
    assert "hunter2" not in ran.out


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_page_in_place_of_data_means_a_wrong_address(aegis: Aegis, at: At, backend: str) -> None:
    at(f"{backend.upper()}_BASE_URL", lambda seen: HTML)
    ran = look(aegis)
    assert ran.code == (2 if backend == "alertmanager" else 4)  # alone it explains no incident
    state, said = findings(ran, backend)["api"]
    assert state == "fail"
    assert f"set {backend.upper()}_BASE_URL to the address of the API" in said


def test_json_of_something_else_is_not_taken_for_the_backend(aegis: Aegis, at: At) -> None:
    for backend in BACKENDS:
        at(f"{backend.upper()}_BASE_URL", lambda seen: Reply(body=b'["something else"]'))
    ran = look(aegis)
    assert ran.code == 4
    for backend in BACKENDS:
        assert findings(ran, backend)["api"][0] == "fail"


def test_a_backend_that_hangs_ends_at_its_own_limit(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("LOKI_BASE_URL", lambda seen: Reply(body=b'{"status":', length=1_000, hang=True))
    monkeypatch.setenv("AEGIS_LOKI_TIMEOUT_S", "0.3")
    ran = look(aegis)
    assert ran.code == 4
    assert "gave no answer within 0.3 s" in findings(ran, "loki")["reachable"][1]


def test_a_slow_examination_ends_at_the_deadline_and_keeps_what_it_found(at: At) -> None:
    good = a_loki({"app": "cart"})

    def tired(seen: Seen) -> Reply:
        return good(seen) if seen.path.endswith("/labels") else Reply(length=1_000, hang=True)

    at("LOKI_BASE_URL", tired)
    (loki, *_) = examine_settings(read_settings(), deadline_s=1.0).backends
    assert loki.condition == "no_answer"
    names = {one.name: one.state for one in loki.findings}
    assert names == {"reachable": "ok", "credentials": "ok", "clock": "ok", "deadline": "fail"}


def test_accepted_credentials_are_told_by_their_setting(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("LOKI_BASE_URL", a_loki({"app": "cart"}))
    monkeypatch.setenv("AEGIS_LOKI_USERNAME", "ann")
    monkeypatch.setenv("AEGIS_LOKI_PASSWORD", "hunter2")
    ran = look(aegis)
    assert findings(ran, "loki")["credentials"] == ("ok", "AEGIS_LOKI_USERNAME is accepted")
    assert "hunter2" not in ran.out


def test_a_token_file_that_cannot_be_read_is_a_wrong_setting(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("two words")
    at("LOKI_BASE_URL", a_loki({"app": "cart"}))
    monkeypatch.setenv("AEGIS_LOKI_BEARER_TOKEN_FILE", str(file))
    ran = look(aegis)
    assert ran.code == 2
    assert of(ran, "loki")["condition"] == "wrong_setting"
    assert "AEGIS_LOKI_BEARER_TOKEN_FILE" in findings(ran, "loki")["settings"][1]


def test_a_label_no_stream_has_is_a_wrong_setting(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("LOKI_BASE_URL", a_loki({"app": "cart"}))
    monkeypatch.setenv("LOKI_SERVICE_LABEL_KEY", "svc")
    ran = look(aegis)
    assert ran.code == 2
    state, said = findings(ran, "loki")["service_label"]
    assert state == "fail"
    assert "LOKI_SERVICE_LABEL_KEY" in said
    assert "app" in said


def test_services_are_told_as_an_analysis_will_see_them(aegis: Aegis, at: At) -> None:
    nameless = {"service_name": "unknown_service", "namespace": "prod"}
    pods = ("cart-5c4d8f9b7-xk2p9", "cart-5c4d8f9b7-q8w7r", "shop-0")
    at("LOKI_BASE_URL", a_loki(*({**nameless, "pod": pod} for pod in pods)))
    ran = look(aegis)
    assert findings(ran, "loki")["service_label"] == ("ok", "pod")
    assert findings(ran, "loki")["services"] == ("ok", "2: cart, shop")
    assert ran.code == 0


def test_streams_that_nothing_names_ask_for_the_setting(aegis: Aegis, at: At) -> None:
    at("LOKI_BASE_URL", a_loki({"service_name": "unknown_service", "team": "pay"}))
    state, said = findings(look(aegis), "loki")["services"]
    assert state == "warn"
    assert said == (
        "no label tells services apart; set LOKI_SERVICE_LABEL_KEY to one of: service_name, team"
    )


def test_settings_without_a_backend_of_their_own_are_checked(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at("LOKI_BASE_URL", a_loki({"app": "cart"}))
    monkeypatch.setenv("AEGIS_SIGNALS_FILE", str(tmp_path / "missing.yaml"))
    monkeypatch.setenv("LOKI_SELECTOR_TEMPLATE", "{app}")
    ran = look(aegis)
    wrong = {one["name"] for one in ran.json()["settings"] if one["state"] == "fail"}
    assert (ran.code, wrong) == (2, {"AEGIS_SIGNALS_FILE", "LOKI_SELECTOR_TEMPLATE"})
    assert of(ran, "loki")["condition"] == "answers"


@pytest.mark.parametrize(("ahead_s", "words"), [(600, "s ahead of ours"), (-600, "s behind ours")])
def test_a_clock_that_is_off_is_told(aegis: Aegis, at: At, ahead_s: int, words: str) -> None:
    told = json.dumps({"versionInfo": {"version": "1"}}).encode()
    date = ("Date", format_datetime(SystemClock().now() + timedelta(seconds=ahead_s), usegmt=True))

    def late(seen: Seen) -> Reply:
        return Reply(body=told if seen.path.endswith("status") else b"[]", headers=(date,))

    at("ALERTMANAGER_BASE_URL", late)
    state, said = findings(look(aegis), "alertmanager")["clock"]
    assert state == "warn"
    assert words in said
    assert "NTP" in said


def test_metrics_nobody_knows_ask_for_a_signals_file(aegis: Aegis, at: At) -> None:
    at("PROMETHEUS_BASE_URL", Speaking([{"__name__": "our_own_thing", "job": "cart"}]))
    ran = look(aegis)
    state, said = findings(ran, "prometheus")["metrics"]
    assert (ran.code, state) == (0, "warn")
    assert "extend it with AEGIS_SIGNALS_FILE" in said


def test_what_a_backend_says_is_no_markup_and_hides_nothing(aegis: Aegis, at: At) -> None:
    at("LOKI_BASE_URL", a_loki({"app": "[red]cart[/] \u202egnp"}))
    ran = aegis("doctor", "--lang", "en")
    assert ran.code == 0
    assert "[red]cart[/] gnp" in ran.out


def test_people_read_it_in_their_language(
    aegis: Aegis, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("JAEGER_BASE_URL", a_jaeger("before v3"))
    assert "一切正常" in aegis("doctor").out
    monkeypatch.setenv("AEGIS_LANGUAGE", "en")
    assert "All is well" in aegis("doctor").out
    assert "classic (before 1.57)" in aegis("doctor").out
