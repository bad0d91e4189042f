"""Changes of workloads as kube-state-metrics shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from aegis.adapters.prometheus.answers import Row
from aegis.adapters.prometheus.kubernetes import (
    KubernetesChanges,
    Sign,
    merged,
    signs_of,
    version_of,
)
from aegis.adapters.prometheus.plan import ChangeQuery
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Change, to_ns
from tests.prometheus.speaking import CATALOG, Speaking, backend, client_of
from tests.recordings import at, between, ns

WINDOW = between(0, 60)
IMAGE = "registry.local:5000/shop/web:1.5.0"


def query(reading: str) -> ChangeQuery:
    return ChangeQuery("deployment", reading, "", ("workload",), ("image",), "kube")


def row(minutes: Sequence[float], values: Sequence[float], image: str = IMAGE) -> Row:
    times = np.array([ns(one) for one in minutes], dtype=np.int64)
    return Row({"workload": "web", "image": image}, times, np.array(values, dtype=np.float64))


def signs(reading: str, *rows: Row) -> list[Sign]:
    return list(signs_of(query(reading), rows, WINDOW, 60))


def test_a_value_that_changes_is_a_change_then() -> None:
    assert [one.time_ns for one in signs("step", row([1, 2, 3, 4], [5, 5, 6, 6]))] == [ns(3)]
    assert signs("step", row([1, 2, 3], [5, 5, 5])) == []


def test_a_series_that_appears_beside_older_ones_is_a_change() -> None:
    old, new = row([0, 1, 2], [1, 1, 1], "web:1"), row([30, 31], [1, 1], "web:2")
    assert signs("appears", old, new) == [Sign("web", "deployment", ns(30), "2")]


def test_a_service_that_is_new_as_a_whole_did_not_change() -> None:
    assert signs("appears", row([30, 31], [1, 1])) == []


def test_a_moment_that_a_metric_tells_is_exact_and_counts_inside_the_window_only() -> None:
    told, long_ago = to_ns(at(20.5)) / 1e9, to_ns(at(-600)) / 1e9
    found = signs("time", row([19, 20, 21, 22], [long_ago, long_ago, told, told]))
    assert [one.time_ns for one in found] == [ns(20.5)]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (IMAGE, "1.5.0"),
        ("registry.local:5000/shop/web", None),
        ("web:v2@sha256:" + "ab" * 32, "v2"),
        ("web@sha256:" + "ab" * 32, "abababababab"),
        ("web:\u202eevil", None),
        ("", None),
    ],
)
def test_the_version_is_the_tag_of_the_image(image: str, version: str | None) -> None:
    assert version_of({"image": image}) == version


def test_signs_of_one_rollout_are_one_change_at_the_first_of_them() -> None:
    found = merged(
        [
            Sign("web", "generation", ns(10)),
            Sign("web", "deployment", ns(10.2), "1.5.0"),
            Sign("web", "deployment", ns(11)),
            Sign("web", "placement", ns(9)),
        ]
    )
    assert found == (Change("web", at(10), "deploy", "1.5.0"),)


def test_a_generation_alone_is_a_change_of_configuration_and_with_scale_it_is_none() -> None:
    assert [one.kind for one in merged([Sign("web", "generation", ns(10))])] == ["config"]
    scaled = [Sign("web", "generation", ns(10)), Sign("web", "scale", ns(10.5))]
    assert merged(scaled) == ()
    assert [one.kind for one in merged([*scaled, Sign("web", "deployment", ns(10))])] == ["deploy"]


def test_changes_that_lie_apart_stay_apart_and_come_in_order_of_time() -> None:
    found = merged(
        [
            Sign("web", "deployment", ns(40)),
            Sign("cart", "deployment", ns(20)),
            Sign("web", "deployment", ns(10)),
        ]
    )
    assert [(one.service, one.time) for one in found] == [
        ("web", at(10)),
        ("cart", at(20)),
        ("web", at(40)),
    ]


@pytest.mark.loopback
def test_without_kube_state_metrics_nobody_can_tell() -> None:
    found: list[tuple[tuple[Change, ...], tuple[EvidenceGap, ...]]] = []

    async def ask(url: str) -> None:
        async with client_of(url) as client:
            found.append(await KubernetesChanges(client, CATALOG).read_changes(WINDOW))

    with backend(Speaking([{"__name__": "up", "job": "web"}])) as stand_in:
        asyncio.run(ask(stand_in.url))
    changes, gaps = found[0]
    assert changes == ()
    assert [(gap.source, gap.reason) for gap in gaps] == [("changes", "not_recorded")]
