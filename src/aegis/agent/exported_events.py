"""Kubernetes events that somebody writes into the logs become lines and changes of workloads.

Exporters write an event as one line of their own stream: kubernetes-event-exporter and
eventrouter as JSON, Grafana Alloy and its agent as logfmt. There they say nothing of the
workload they are about. Events of pods, their controllers and autoscalers are moved to it;
those of nodes and volumes stay where they are. A Warning counts as an error: Kubernetes knows
nothing more severe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aegis.agent.joined_names import workload_of_pod
from aegis.model.telemetry import (
    EPOCH,
    ONE_ROLLOUT_NS,
    UNDATED,
    Change,
    LogRow,
    LogTable,
    TimeWindow,
    from_ns,
    to_ns,
)

WORKLOADS = frozenset(
    ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Rollout", "HorizontalPodAutoscaler")
)
LONGEST_LINE = 64 * 1024
LONGEST_NAME = 253
LONGEST_MESSAGE = 2000
LATE_NS = 600 * 1_000_000_000
"""An exporter that starts tells old events again: those have their own time."""
_TIMES = ("lastTimestamp", "eventTime", "firstTimestamp")
_LOGFMT = re.compile(r'([A-Za-z]\w*)=("(?:[^"\\]|\\.)*"|\S*)', re.ASCII)
_SET_HASH = re.compile(r"-[a-f0-9]{6,10}$")
_JOB_NUMBER = re.compile(r"-\d{6,}$")
_SCALED = re.compile(r"Scaled (up|down) replica set (\S+) (?:from (\d+) )?to \d+(?: from (\d+))?")
_PULLED = re.compile(r'ulled image "([^"\s]+)"')
_TAG = re.compile(r"^(.*?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@sha256:([0-9a-f]{12}).*)?$")


@dataclass(frozen=True, slots=True)
class Event:
    """What an event says; `time_ns` is its own time, None where it has none."""

    workload: str
    reason: str
    message: str
    is_warning: bool
    time_ns: int | None


@dataclass(frozen=True, slots=True)
class Exported:
    """The lines with the events moved, and what they say was changed."""

    lines: LogTable
    changes: tuple[Change, ...]
    events: int


def sort_out_events(lines: LogTable, extent: TimeWindow) -> Exported:
    """The table itself where it holds no event of a workload."""
    events = {row: one for row, body in enumerate(lines.body) if (one := read_event(body))}
    if not events:
        return Exported(lines, (), 0)
    rows: list[LogRow] = []
    dated: list[tuple[int, Event]] = []
    codes, levels = lines.service_code.tolist(), lines.level_code.tolist()
    for row, written_ns in enumerate(lines.time_ns.tolist()):
        ids = (lines.trace_id[row], lines.span_id[row])
        event = events.get(row)
        if event is None:
            level = lines.levels[levels[row]] if levels[row] >= 0 else None
            rows.append((lines.services[codes[row]], written_ns, lines.body[row], *ids, level))
            continue
        time_ns = _time_of(event, written_ns)
        if time_ns != UNDATED and not extent.start_ns <= time_ns < extent.end_ns:
            continue
        level = "error" if event.is_warning else "info"
        body = f"{event.reason}: {event.message}"
        rows.append((event.workload, time_ns, body, *ids, level))
        if time_ns != UNDATED:
            dated.append((time_ns, event))
    return Exported(
        replace(LogTable.of(rows, lines.sampled_share), selectors=lines.selectors),
        changes_of(dated),
        len(events),
    )


def without_doubles(known: Sequence[Change], more: Iterable[Change]) -> tuple[Change, ...]:
    """All of them, less those of `more` that tell again what is known of the same service."""
    fresh = [
        one
        for one in more
        if not any(
            other.service == one.service
            and abs(to_ns(other.time) - to_ns(one.time)) <= ONE_ROLLOUT_NS
            for other in known
        )
    ]
    return (*known, *fresh)


def read_event(body: str) -> Event | None:
    """None for a line that is no event, or not one of a workload."""
    if "reason" not in body or len(body) > LONGEST_LINE:
        return None
    told = _json(body) if body.lstrip()[:1] == "{" else _logfmt(body)
    if told is None:
        return None
    kind, name, reason, message = (
        told.get(key, "") for key in ("kind", "name", "reason", "message")
    )
    workload = _workload(kind, name)
    if not (workload and reason and len(workload) <= LONGEST_NAME):
        return None
    text = message[:LONGEST_MESSAGE]
    return Event(workload, reason, text, told.get("type") == "Warning", _moment(told.get("time")))


def changes_of(events: Sequence[tuple[int, Event]]) -> tuple[Change, ...]:
    """Rollouts: a replica set that comes from nothing or takes over, or an image with another tag.

    A number of replicas that changes is none: it follows the load instead of causing it.
    """
    found: dict[str, list[tuple[int, str | None]]] = {}
    sets: dict[str, list[tuple[int, str]]] = {}
    tags: dict[tuple[str, str], str] = {}
    for time_ns, event in sorted(events, key=lambda one: (one[0], one[1].message)):
        if scaled := _SCALED.search(event.message):
            grown = sets.setdefault(event.workload, [])
            others = [
                at for at, name in grown if name != scaled[2] and time_ns - at <= ONE_ROLLOUT_NS
            ]
            grown.append((time_ns, scaled[2]))
            if scaled[1] == "up" and ("0" in (scaled[3], scaled[4]) or others):
                found.setdefault(event.workload, []).append((time_ns, None))
            elif others:
                found.setdefault(event.workload, []).append((min(others), None))
        elif pulled := _PULLED.search(event.message):
            image, tag = _image(pulled[1])
            before = tags.get((event.workload, image))
            tags[event.workload, image] = tag
            if before is not None and before != tag:
                found.setdefault(event.workload, []).append((time_ns, tag))
            elif before is None:
                found.setdefault(event.workload, []).append((time_ns, f"?{tag}"))
    changes = [one for service, signs in found.items() for one in _merged(service, signs)]
    return tuple(sorted(changes, key=lambda one: (one.time, one.service)))


def _merged(service: str, signs: list[tuple[int, str | None]]) -> list[Change]:
    """Signs that come together are one change. A tag after `?` was merely seen: it names the
    version of a change and makes none."""
    groups: list[list[tuple[int, str | None]]] = []
    for sign in sorted(signs, key=lambda one: (one[0], one[1] or "")):
        if not groups or sign[0] - groups[-1][0][0] > ONE_ROLLOUT_NS:
            groups.append([])
        groups[-1].append(sign)
    changes = []
    for group in groups:
        telling = [time_ns for time_ns, tag in group if not (tag or "").startswith("?")]
        if telling:
            version = next((tag.lstrip("?") for _, tag in reversed(group) if tag), None)
            changes.append(Change(service, from_ns(min(telling)), "deploy", version or None))
    return changes


def _json(body: str) -> dict[str, str] | None:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    for key in ("event", "object"):  # eventrouter, the collector's object receiver
        if isinstance(given.get(key), dict):
            given = given[key]
    about = given.get("involvedObject") or given.get("regarding")
    place: Mapping[str, Any] = about if isinstance(about, dict) else given
    time = next((given[key] for key in _TIMES if isinstance(given.get(key), str)), None)
    told = {
        "kind": place.get("kind"),
        "name": place.get("name"),
        "reason": given.get("reason"),
        "message": next((given[key] for key in ("message", "note", "msg") if key in given), None),
        "type": given.get("type"),
        "time": time,
    }
    return {key: value for key, value in told.items() if isinstance(value, str)}


def _logfmt(body: str) -> dict[str, str] | None:
    """Only lines that begin as Alloy's do: other logs have a `reason=` too."""
    if not body.startswith(("name=", "kind=")):
        return None
    found = {name: _unquoted(value) for name, value in _LOGFMT.findall(body)}
    if "objectAPIversion" not in found and "sourcecomponent" not in found:
        return None
    return {**found, "message": found.get("msg", "")}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        told = json.loads(value)
    except ValueError:
        return value.strip('"')
    return told if isinstance(told, str) else value


def _workload(kind: str, name: str) -> str:
    """The workload an object belongs to by its name; "" for what is none."""
    if kind in WORKLOADS:
        return name
    if kind == "Pod":
        return workload_of_pod(name)
    if kind == "ReplicaSet":
        return _SET_HASH.sub("", name)
    return _JOB_NUMBER.sub("", name) if kind == "Job" else ""


def _moment(text: str | None) -> int | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    known = moment is not None and moment.tzinfo is not None and moment > EPOCH
    return to_ns(moment) if known and moment is not None else None


def _time_of(event: Event, written_ns: int) -> int:
    """When it was written, but for an event that is told again long after."""
    if event.time_ns is None:
        return written_ns
    if written_ns == UNDATED or written_ns - event.time_ns > LATE_NS:
        return event.time_ns
    return written_ns


def _image(reference: str) -> tuple[str, str]:
    """(image, its tag or the beginning of its digest)."""
    found = _TAG.match(reference)
    if found is None:
        return reference, ""
    return found[1], found[2] or found[3] or ""
