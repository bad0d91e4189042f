"""Bodies of a storm, as Alertmanager would post them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ALERTS = 10_000


@dataclass(frozen=True, slots=True)
class Storm:
    """`calls` are posted by `connections` at the same time."""

    name: str
    connections: int
    calls: tuple[bytes, ...]


def storms(alerts: int, round_: int = 0) -> tuple[Storm, ...]:
    """The same alerts thrice: as one group, as 100 groups, one each.

    Alerts of different rounds and storms are different ones, so that each is news.
    """
    return (
        Storm("one group", 1, _grouped("one", round_, alerts, 1)),
        Storm("100 groups", 100, _grouped("hundred", round_, alerts, min(100, alerts))),
        Storm("one each", 200, _grouped("each", round_, alerts, alerts)),
    )


def _grouped(storm: str, round_: int, alerts: int, groups: int) -> tuple[bytes, ...]:
    size = alerts // groups
    return tuple(
        _body(f"{storm}-{round_}-{group}", [_alert(storm, round_, group, n) for n in range(size)])
        for group in range(groups)
    )


def _body(group: str, alerts: list[dict[str, Any]]) -> bytes:
    common = {"alertname": "InstanceDown", "team": "platform"}
    fields = {
        "receiver": "aegis",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": {"group": group},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.invalid:9093",
        "version": "4",
        "groupKey": f'{{}}/{{team="platform"}}:{{group="{group}"}}',
        "truncatedAlerts": 0,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def _alert(storm: str, round_: int, group: int, number: int) -> dict[str, Any]:
    """About 880 bytes, as in a recorded storm."""
    instance = f"10.{group % 250}.{number // 250}.{number % 250}:9100"
    return {
        "status": "firing",
        "labels": {
            "alertname": "InstanceDown",
            "cluster": "production-eu-central-1",
            "group": f"{storm}-{round_}-{group}",
            "instance": instance,
            "job": "node-exporter",
            "namespace": "monitoring",
            "pod": f"node-exporter-{storm}-{group:05d}-{number:05d}",
            "severity": ("critical", "warning", "info")[number % 3],
            "team": "platform",
        },
        "annotations": {
            "description": f"{instance} of job node-exporter has been down for more than five "
            "minutes. Check the machine, then the network between it and Prometheus.",
            "runbook_url": "https://runbooks.example.invalid/InstanceDown",
            "summary": f"Instance {instance} is down",
        },
        "startsAt": "2026-11-21T07:43:19.042Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.invalid:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "fingerprint": "0000000000000000",
    }
