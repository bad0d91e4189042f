"""Bodies as Alertmanager posts them: recorded ones, and ones made for a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).parent / "captures"
ALL = sorted(path.stem for path in CAPTURES.glob("*.json"))
START = "2026-11-21T12:00:00Z"
NO_TIME = "0001-01-01T00:00:00Z"


def captured(name: str) -> bytes:
    return (CAPTURES / f"{name}.json").read_bytes()


def alert(name: str = "DiskFull", **more: Any) -> dict[str, Any]:
    """One alert; `labels` are added to its name, all else replaces a field."""
    labels = {"alertname": name, "severity": "critical", **more.pop("labels", {})}
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": f"{name} on {labels.get('instance', 'one')}"},
        "startsAt": START,
        "endsAt": NO_TIME,
        "generatorURL": "http://prometheus.example.invalid/graph",
        "fingerprint": "0000000000000000",
        **more,
    }


def resolved(name: str = "DiskFull", until: str = "2026-11-21T12:10:00Z", **more: Any) -> Any:
    return alert(name, status="resolved", endsAt=until, **more)


def body(*alerts: Any, **fields: Any) -> bytes:
    return json.dumps(document(*alerts, **fields)).encode()


def document(*alerts: Any, **fields: Any) -> Mapping[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "aegis",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.invalid",
        "alerts": list(alerts),
        **fields,
    }
