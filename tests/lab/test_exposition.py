"""Cases written as counters and histograms: known text, and the same quantities when read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aegis.model.telemetry import Floats, Matrix
from lab.exposition.accumulating import intervals_s, requests_of
from lab.exposition.case import exposed
from lab.exposition.openmetrics import Exposition, Labels
from lab.exposition.readings import read_back
from lab.exposition.requests import REQUEST_CONVENTIONS
from lab.exposition.resources import pod_of
from tests.recordings import MS, SECOND, ns, series

MINUTES = (0.0, 1.0, 2.0, 3.0)


MEASURED = (
    ("http_server_requests_per_second", (10.0, 10.0, 20.0, 20.0)),
    ("http_server_error_ratio", (0.0, 0.0, 0.5, 0.5)),
    ("http_server_request_duration_p50", (0.02,) * 4),
    ("http_server_request_duration_p90", (0.09,) * 4),
    ("http_server_request_duration_p99", (0.2,) * 4),
    ("process_cpu_utilization", (0.5,) * 4),
)
CALLED = series(
    "web",
    "http_client_request_duration_p95",
    [(ns(minute), 0.1) for minute in MINUTES],
    (("server_address", "db"),),
)
SHOP = Matrix(
    (
        *(
            series("web", name, [(ns(at), one) for at, one in zip(MINUTES, values, strict=True)])
            for name, values in MEASURED
        ),
        CALLED,
    )
)
GOLDEN = Path(__file__).parent / "exposition"


@pytest.mark.parametrize("convention", sorted(REQUEST_CONVENTIONS))
def test_known_lines_of_each_convention(convention: str) -> None:
    text = list(exposed(SHOP, convention).lines())
    wanted = (
        (GOLDEN / f"{convention}.txt")
        .read_text()
        .replace("POD", pod_of("web"))
        .splitlines(keepends=True)
    )
    assert [line for line in wanted if line not in text] == []
    assert text[-1] == "# EOF\n"


@pytest.mark.parametrize("convention", sorted(REQUEST_CONVENTIONS))
def test_counters_never_fall_and_buckets_stand_inside_each_other(convention: str) -> None:
    for family, samples in exposed(SHOP, convention).families.items():
        for one in samples:
            if one.suffix in ("_total", "_bucket", "_count", "_sum"):
                assert (np.diff(one.values) >= 0).all(), family
        buckets: dict[Labels, list[Floats]] = {}
        for one in samples:
            if one.suffix == "_bucket":
                buckets.setdefault(one.labels[:-1], []).append(one.values)
        for inside in buckets.values():
            assert (np.diff(np.stack(inside), axis=0) >= 0).all(), family


def test_quantiles_come_back_out_of_the_buckets() -> None:
    bounds = np.geomspace(0.001, 30.0, 300)
    found = requests_of(read_back(SHOP).services["web"], bounds, 60.0)
    assert found is not None
    shares = found.buckets[:, -1] / found.count[-1]
    for share, seconds in ((0.5, 0.02), (0.9, 0.09), (0.99, 0.2)):
        assert float(np.interp(share, shares, bounds)) == pytest.approx(seconds, rel=0.05)


def test_rates_times_the_time_between_scrapes_are_what_counters_grow_by() -> None:
    times = np.array([0, 60, 120, 2000], dtype=np.int64) * SECOND
    assert intervals_s(times, 60.0).tolist() == [60.0, 60.0, 60.0, 300.0]


def test_names_that_the_simulator_does_not_write_are_refused() -> None:
    with pytest.raises(ValueError, match="unheard_of"):
        read_back(Matrix((series("web", "unheard_of", [(0, 1.0), (MS, 1.0)]),)))


def test_a_family_has_one_type_and_label_values_are_escaped() -> None:
    out = Exposition()
    moment = np.array([SECOND], dtype=np.int64)
    out.gauge("a", {"x": 'q"\\\n'}, moment, np.array([1.5]))
    assert list(out.lines()) == ["# TYPE a gauge\n", 'a{x="q\\"\\\\\\n"} 1.5 1.000\n', "# EOF\n"]
    with pytest.raises(ValueError, match="a is a gauge"):
        out.counter("a", {}, moment, np.array([1.0]))


def test_the_name_of_a_pod_is_always_the_same_and_looks_like_a_deployments() -> None:
    assert pod_of("web") == pod_of("web")
    head, replica_set, pod = pod_of("web").rsplit("-", 2)
    assert (head, len(replica_set), len(pod)) == ("web", 9, 5)
