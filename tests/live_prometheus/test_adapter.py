"""What the adapter promises, kept on a real Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.prometheus.api import PrometheusApi
from aegis.adapters.prometheus.catalog import load_catalog
from aegis.adapters.prometheus.governor import Grid
from aegis.adapters.prometheus.kubernetes import KubernetesChanges
from aegis.adapters.prometheus.metrics import PrometheusMetrics
from aegis.adapters.prometheus.promql import selector
from aegis.agent.monitor import Sources
from aegis.engine.signals import meaning_of
from aegis.model.backend import BackendConfig
from aegis.model.errors import SourceRejected
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, Matrix, TimeWindow
from aegis.workflows.verify_answer.verify import Citation, verify_answer
from lab.exposition.openmetrics import Exposition
from tests.contracts.metric_promises import check_metric_source
from tests.live_prometheus.incidents import Incident, from_prometheus, incident
from tests.live_prometheus.server import backfill, prometheus
from tests.recordings import at, between, ns

STEP_S = 15
HOSTILE = ['a"b', "x\\y", 'x"} or up{a="', "{{`", "\u202eevil", "日本"]
EXTENT = between(0, 60)


def read(url: str, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
    found: list[tuple[Matrix, tuple[EvidenceGap, ...]]] = []

    async def ask() -> None:
        found.append(await AskedAnew(url).read_metrics(window))

    asyncio.run(ask())
    return found[0]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Incident]:
    with incident(8, "otel", tmp_path_factory.mktemp("known")) as here:
        yield here


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A few services with hostile names, one that dies, rollouts, and one restart."""
    folder = tmp_path_factory.mktemp("small")
    out = Exposition()
    times = np.arange(ns(0), ns(60), STEP_S * 10**9)
    count = np.arange(1.0, len(times) + 1)
    for name in [*HOSTILE, "dies"]:
        end = len(times) // 2 if name == "dies" else len(times)
        for status, share in (("200", 30.0), ("500", 3.0)):
            labels = {"job": name, "code": status, "handler": "/"}
            out.counter("http_requests", labels, times[:end], share * count[:end])
        up = np.where(np.arange(len(times)) < end, 1.0, 0.0)
        out.gauge("up", {"job": name, "instance": "i"}, times, up)
    _roll_out(out, times)
    path = folder / "exposition.txt"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(out.lines())
    backfill(path, folder / "tsdb")
    with prometheus(folder) as url:
        yield url


def _roll_out(out: Exposition, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """web: a new image after 30 minutes; cart: more replicas; pay: a new generation only."""
    half = len(times) // 2
    late = np.arange(len(times)) >= half
    where = {"namespace": "shop"}
    for name, generation, replicas in (("web", 5, 2), ("cart", 8, 3), ("pay", 1, 1)):
        labels = {**where, "deployment": name}
        out.gauge(
            "kube_deployment_metadata_generation",
            labels,
            times,
            (generation + late).astype(np.float64),
        )
        wanted = replicas + (late if name == "cart" else 0 * late)
        out.gauge("kube_deployment_spec_replicas", labels, times, wanted.astype(np.float64))
    for tag, pod, begin, end in (("1.4.0", "w9kzp", 0, half), ("1.5.0", "x7c2d", half, len(times))):
        image = {"container": "app", "image": f"registry.local:5000/shop/web:{tag}"}
        pod_labels = {**where, "pod": f"web-7d9f8b6c4{pod[0]}-{pod}"}
        ones = np.ones(end - begin)
        out.gauge("kube_pod_container_info", {**pod_labels, **image}, times[begin:end], ones)


def test_every_series_can_be_asked_again_alone_and_gives_the_same_rows(known: Incident) -> None:
    window = known.case.extent
    matrix, _ = read(known.url, window)
    by_name = {one.name: one for one in matrix.series}
    steps = np.concatenate([np.diff(one.times_ns) for one in matrix.series])
    grid = Grid(window, int(steps.min()) // 10**9)

    async def ask_again() -> None:
        async with BackendClient(
            BackendConfig("prometheus", known.url), Budget(most_requests=100)
        ) as client:
            api = PrometheusApi(client)
            for one in by_name.values():
                rows = (await api.over(one.query, grid.closed, grid.step_s)).rows
                assert len(rows) == 1, one.query
                assert rows[0].times_ns.tolist() == one.times_ns.tolist()
                np.testing.assert_allclose(rows[0].values, one.values, rtol=1e-9)

    asyncio.run(ask_again())
    assert len(by_name) > 8


def test_evidence_of_an_answer_matches_when_it_is_measured_again(known: Incident) -> None:
    answer = from_prometheus(known)
    cited = [one for one in answer.diagnosis.evidence if one.source == "metrics"]
    assert cited
    verdicts: list[str] = []

    async def again() -> None:
        async with BackendClient(BackendConfig("prometheus", known.url), Budget()) as client:
            live = PrometheusMetrics(client, load_catalog(None))
            sources = Sources(live, known.case, known.case)
            asked = [
                Citation(one.id, one.source, one.query, one.data_window, one.sha256, "")
                for one in cited
            ]
            found = await verify_answer(asked, sources, (), known.case.extent)
            verdicts.extend(one.verdict for one in found)

    asyncio.run(again())
    assert set(verdicts) == {"match"}


def test_hostile_names_come_back_as_they_are_and_change_nothing(small: str) -> None:
    matrix, _ = read(small, EXTENT)
    assert {one.service for one in matrix.series} >= set(HOSTILE)
    shares = {
        one.service: float(np.median(one.values))
        for one in matrix.series
        if one.name == "http_server_error_share"
    }
    for name in HOSTILE:
        assert shares[name] == pytest.approx(1 / 11, rel=1e-6)


def test_what_died_is_read_until_then_and_told_as_down(small: str) -> None:
    matrix, gaps = read(small, EXTENT)
    last = max(one.times_ns[-1] for one in matrix.series if one.service == "dies")
    assert ns(29) < last < ns(36)
    told = [gap.statement.en for gap in gaps if gap.service == "dies"]
    assert "dies has scrape targets that are down (up = 0): its metrics are incomplete." in told
    assert not any("down" in gap.statement.en for gap in gaps if gap.service != "dies")


@dataclass(frozen=True)
class AskedAnew:
    """A source with a client of its own for each question."""

    url: str

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        async with BackendClient(BackendConfig("prometheus", self.url), Budget()) as client:
            return await PrometheusMetrics(client, load_catalog(None)).read_metrics(window)


def test_it_keeps_what_every_metric_source_promises(small: str) -> None:
    check_metric_source(AskedAnew(small), EXTENT, between(-600, -540))


def test_what_is_missing_in_the_window_is_said(small: str) -> None:
    matrix, gaps = read(small, between(-600, -540))
    assert matrix.series == ()
    assert [gap.reason for gap in gaps] == ["no_data"]


def test_the_engine_knows_what_every_series_means(small: str) -> None:
    matrix, _ = read(small, between(10, 20))
    assert [one.name for one in matrix.series if meaning_of(one) is None] == []


def test_rollouts_are_changes_and_scaling_is_none(small: str) -> None:
    found: list[tuple[Change, ...]] = []

    async def ask() -> None:
        async with BackendClient(BackendConfig("prometheus", small), Budget()) as client:
            changes, gaps = await KubernetesChanges(client, load_catalog(None)).read_changes(EXTENT)
            found.append(changes)
            assert gaps == ()

    asyncio.run(ask())
    told = {(one.service, one.kind, one.version) for one in found[0]}
    assert told == {("web", "deploy", "1.5.0"), ("pay", "config", None)}
    for one in found[0]:
        assert at(29) <= one.time <= at(32)


def test_a_dotted_name_is_refused_by_2_42_and_asked_for_with_underscores(small: str) -> None:
    async def ask() -> None:
        async with BackendClient(BackendConfig("prometheus", small), Budget()) as client:
            api = PrometheusApi(client)
            version = str((await api.buildinfo())["version"])
            old = selector("http.requests_total", {"job": "日本"}, utf8=False)
            assert len((await api.instant(f"count({old})", at(10))).rows) == 1
            if version.startswith("2."):
                with pytest.raises(SourceRejected, match="400"):
                    await api.instant(selector("http.requests_total", {}), at(10))

    asyncio.run(ask())
