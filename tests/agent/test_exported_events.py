"""Kubernetes events in the logs: read in every exporter's form, moved to their workload."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from aegis.agent.exported_events import (
    Event,
    changes_of,
    read_event,
    sort_out_events,
    without_doubles,
)
from aegis.agent.joined_names import NameRules
from aegis.agent.monitor import Scene, Sources, collect
from aegis.model.telemetry import UNDATED, Change, LogLine
from tests.fakes import FakeTelemetry
from tests.recordings import SmallShop, at, between, lines_of, log_table, ns

POD = "cart-6d5f7c9b8d-x2x4z"
BACK_OFF = "Back-off restarting failed container app in pod cart"


def event(
    reason: str = "BackOff",
    message: str = BACK_OFF,
    kind: str = "Pod",
    name: str = POD,
    **more: object,
) -> dict[str, Any]:
    """As kubernetes-event-exporter writes it."""
    return {
        "metadata": {"name": f"{name}.17a1b2c3", "namespace": "shop"},
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": "node-1"},
        "type": "Warning",
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name},
        **more,
    }


def line(minute: float, body: str, service: str = "event-exporter") -> LogLine:
    return LogLine(ns(minute), service, body, "info")


def exported(*told: tuple[float, dict[str, Any]]) -> tuple[list[LogLine], tuple[Change, ...]]:
    table = log_table([line(minute, json.dumps(one)) for minute, one in told])
    found = sort_out_events(table, between(0, 60))
    return lines_of(found.lines), found.changes


LOGFMT = (
    f"name={POD} kind=Pod objectAPIversion=v1 objectRV=1 eventRV=2 reportinginstance=n1 "
    "reportingcontroller=kubelet sourcecomponent=kubelet sourcehost=n1 reason=BackOff "
    'type=Warning count=5 msg="Back-off \\"app\\" failed"'
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (json.dumps(event()), BACK_OFF),
        (json.dumps({"verb": "ADDED", "event": event()}), BACK_OFF),
        (json.dumps({"verb": "UPDATED", "event": event(), "old_event": event()}), BACK_OFF),
        (
            json.dumps(
                {
                    "type": "ADDED",
                    "object": {
                        "reason": "BackOff",
                        "note": BACK_OFF,
                        "type": "Warning",
                        "regarding": {"kind": "Pod", "name": POD},
                    },
                }
            ),
            BACK_OFF,
        ),
        (
            json.dumps(
                {"kind": "Pod", "name": POD, "reason": "BackOff", "msg": "m", "type": "Warning"}
            ),
            "m",
        ),
        (LOGFMT, 'Back-off "app" failed'),
    ],
)
def test_every_exporter_is_understood(body: str, message: str) -> None:
    assert read_event(body) == Event("cart", "BackOff", message, True, None)


@pytest.mark.parametrize(
    ("kind", "name", "workload"),
    [
        ("Pod", POD, "cart"),
        ("Pod", "db-0", "db"),
        ("Pod", "agent-x2x4z", "agent"),
        ("ReplicaSet", "cart-6d5f7c9b8d", "cart"),
        ("Deployment", "cart", "cart"),
        ("StatefulSet", "db", "db"),
        ("HorizontalPodAutoscaler", "cart", "cart"),
        ("Job", "clean-29012345", "clean"),
    ],
)
def test_an_event_is_of_the_workload_of_its_object(kind: str, name: str, workload: str) -> None:
    found = read_event(json.dumps(event(kind=kind, name=name)))
    assert found is not None
    assert found.workload == workload


@pytest.mark.parametrize(
    "body",
    [
        "order failed, reason: no stock",
        '{"msg": "failed", "reason": "no stock"}',
        '{"reason": ["a"], "involvedObject": {"kind": "Pod", "name": "x-0"}}',
        '{"reason": "x", "involvedObject": "Pod"}',
        "name=joe kind=Pod reason=bored msg=hello",
        json.dumps(event(kind="Node", name="node-1")),
        json.dumps(event(kind="PersistentVolumeClaim")),
        json.dumps(event(name="")),
        json.dumps(event(reason="")),
        '{"reason": ' + "[" * 5000,
        '{"reason": "x"' + " " * 70_000 + "}",
        "[1, 2]",
    ],
)
def test_what_is_no_event_of_a_workload_stays_what_it_is(body: str) -> None:
    assert read_event(body) is None
    table = log_table([line(1, body)])
    assert sort_out_events(table, between(0, 60)).lines is table


def test_an_event_becomes_a_line_of_its_workload() -> None:
    lines, changes = exported((1, event()), (2, event("Started", "Started app", type="Normal")))
    assert [(one.service, one.level, one.body) for one in lines] == [
        ("cart", "error", f"BackOff: {BACK_OFF}"),
        ("cart", "info", "Started: Started app"),
    ]
    assert [one.time_ns for one in lines] == [ns(1), ns(2)]
    assert changes == ()


def test_other_lines_stay_and_each_service_is_in_order_of_time() -> None:
    table = log_table(
        [
            line(5, "hello", "cart"),
            line(3, json.dumps(event())),
            LogLine(ns(1), "web", "GET /", None, "t1", "s1"),
            LogLine(UNDATED, "web", "undated"),
        ]
    )
    found = sort_out_events(table, between(0, 60))
    assert found.events == 1
    assert found.lines.services == ("cart", "web")
    kept = lines_of(found.lines)
    assert [one.time_ns for one in kept if one.service == "cart"] == [ns(3), ns(5)]
    assert LogLine(ns(1), "web", "GET /", None, "t1", "s1") in kept
    assert LogLine(UNDATED, "web", "undated") in kept


def test_an_old_event_told_again_has_its_own_time() -> None:
    old = event(lastTimestamp=at(-30).isoformat())
    late = event(lastTimestamp=at(20).isoformat().replace("+00:00", "Z"))
    fresh = event(lastTimestamp=at(49).isoformat(), count=3)
    lines, _ = exported((50, old), (50, late), (50, fresh))
    assert sorted(one.time_ns for one in lines) == [ns(20), ns(50)]


def scaled(minute: float, told: str, deployment: str = "cart") -> tuple[float, dict[str, Any]]:
    message = f"Scaled {told}"
    return minute, event("ScalingReplicaSet", message, "Deployment", deployment, type="Normal")


def pulled(minute: float, image: str, pod: str = POD) -> tuple[float, dict[str, Any]]:
    message = f'Successfully pulled image "{image}" in 2.1s (2.1s including waiting)'
    return minute, event("Pulled", message, name=pod, type="Normal")


@pytest.mark.parametrize(
    "told",
    [
        "up replica set cart-6d5f7c9b8d to 1 from 0",
        "up replica set cart-6d5f7c9b8d from 0 to 1",
    ],
)
def test_a_replica_set_that_comes_from_nothing_is_a_rollout(told: str) -> None:
    _, changes = exported(scaled(10, told))
    assert changes == (Change("cart", at(10), "deploy"),)


def test_a_replica_set_that_takes_over_is_a_rollout_even_where_nobody_counts() -> None:
    _, changes = exported(
        scaled(10, "up replica set cart-aaaaaaaaaa to 1"),
        scaled(10.5, "down replica set cart-bbbbbbbbbb to 2"),
        scaled(11, "up replica set cart-aaaaaaaaaa to 2"),
    )
    assert changes == (Change("cart", at(10), "deploy"),)


def test_a_number_of_replicas_that_follows_the_load_is_no_change() -> None:
    _, changes = exported(
        scaled(10, "up replica set cart-aaaaaaaaaa to 5 from 3"),
        scaled(11, "up replica set cart-aaaaaaaaaa to 6"),
        scaled(30, "down replica set cart-aaaaaaaaaa to 3 from 6"),
    )
    assert changes == ()


def test_another_tag_of_an_image_is_a_rollout_with_its_version() -> None:
    _, changes = exported(
        pulled(5, "registry:5000/shop/cart:v1"), pulled(40, "registry:5000/shop/cart:v2")
    )
    assert changes == (Change("cart", at(40), "deploy", "v2"),)


def test_the_same_image_pulled_on_another_node_is_none() -> None:
    _, changes = exported(pulled(5, "shop/cart:v1"), pulled(40, "shop/cart:v1"))
    assert changes == ()
    _, changes = exported(pulled(5, "shop/cart:v1"), pulled(6, "proxy:v9"))
    assert changes == ()


def test_what_is_pulled_with_a_rollout_names_its_version() -> None:
    _, changes = exported(
        scaled(10, "up replica set cart-6d5f7c9b8d to 1 from 0"), pulled(10.2, "shop/cart:v7")
    )
    assert changes == (Change("cart", at(10), "deploy", "v7"),)


def test_two_rollouts_apart_are_two_changes() -> None:
    _, changes = exported(
        scaled(10, "up replica set cart-aaaaaaaaaa to 1 from 0"),
        scaled(20, "up replica set cart-bbbbbbbbbb to 1 from 0"),
        scaled(20, "up replica set pay-bbbbbbbbbb to 1 from 0", "pay"),
    )
    assert [(one.service, one.time) for one in changes] == [
        ("cart", at(10)),
        ("cart", at(20)),
        ("pay", at(20)),
    ]


def test_the_order_in_which_events_come_does_not_matter() -> None:
    told = [
        (ns(1), Event("cart", "Pulled", 'Successfully pulled image "a:v1"', False, None)),
        (ns(9), Event("cart", "Pulled", 'Successfully pulled image "a:v2"', False, None)),
    ]
    assert changes_of(told) == changes_of(told[::-1]) == (Change("cart", at(9), "deploy", "v2"),)


def test_what_kube_state_metrics_told_already_is_not_told_twice() -> None:
    known = (Change("cart", at(10), "deploy", "v2"),)
    more = (
        Change("cart", at(12), "deploy"),
        Change("cart", at(14), "deploy"),
        Change("pay", at(10)),
    )
    assert without_doubles(known, more) == (*known, *more[1:])


def test_an_analysis_of_running_backends_moves_them_and_tells_it() -> None:
    shop = SmallShop().recording()
    lines = [
        *lines_of(shop.logs),
        line(31, json.dumps(event(name="store-6d5f7c9b8d-x2x4z"))),
        line(29, json.dumps(scaled(29, "up replica set store-aaaaaaaaaa to 1 from 0", "store")[1])),
    ]
    held = FakeTelemetry(shop.metrics, shop.spans, log_table(lines))
    scene = Scene(between(0, 40), None, (), (), (), joins_names=NameRules())
    seen, steps = asyncio.run(collect(Sources(held, held, held), scene, between(30, 36)))
    assert seen.changes == (Change("store", at(29), "deploy"),)
    assert "event-exporter" not in seen.services
    assert "store" in seen.logs.services
    (step,) = [one for one in steps if one.tool == "sort_out_events"]
    assert json.loads(step.observation) == {"events": 2, "changes": 1}
    recorded = Scene(between(0, 40), None, (), (), ())
    kept, _ = asyncio.run(collect(Sources(held, held, held), recorded, between(30, 36)))
    assert "event-exporter" in kept.services  # a recording is replayed as it is
