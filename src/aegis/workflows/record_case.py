"""Keeps an incident as a case: collect what an answer would need, take out secrets, write it.

A source that fails does not stop the recording: an incident cannot be recorded later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from aegis.agent.diagnoser import alerted
from aegis.agent.monitor import Scene, Sources, collect
from aegis.agent.steps import UNWATCHED, Step, Watch
from aegis.engine.graph import traced_calls
from aegis.engine.trace_tree import TraceTree
from aegis.model.errors import InvalidWindow, SourceUnavailable
from aegis.model.evidence import EvidenceGap
from aegis.model.incident import Asked, CaseHeader, KeptCase, Observations
from aegis.model.redaction import redacted
from aegis.model.telemetry import UNDATED, Change, LogTable, Matrix, Series, SpanTable, TimeWindow
from aegis.ports import CaseSink

REDACTED_TWIN = "redacted_twin"
"""A label that tells series apart which differed in a secret only."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What is to be recorded. `source` says where from, in words without addresses."""

    id: str
    source: str
    question: str
    window: TimeWindow


@dataclass(frozen=True, slots=True)
class Recorded:
    """`gaps` are what the sources could not tell; a case does not hold them."""

    header: CaseHeader
    kept: KeptCase
    gaps: tuple[EvidenceGap, ...]


async def record_case(
    incident: Incident,
    sources: Sources,
    scene: Scene,
    sink: CaseSink,
    most_bytes: int,
    watch: Watch = UNWATCHED,
) -> Recorded:
    """Raises InvalidRequest where the sink is taken, InvalidWindow where nothing happened in
    the window, SourceUnavailable where nobody could say.
    """
    sink.check_free()
    seen, _ = await collect(sources, scene, incident.window, watch=watch)
    seen = alerted(seen, incident.question)
    _check_not_empty(seen)
    clean = without_secrets(seen)
    header = _header(incident, clean)
    asked = json.dumps({"most_bytes": most_bytes})
    watch.started("write_case", asked)
    kept = sink.keep(header, clean.metrics, clean.spans, clean.logs, most_bytes)
    written = {"samples": kept.samples, "spans": kept.spans, "lines": kept.lines}
    watch.ended(Step("write_case", asked, json.dumps({**written, "bytes": kept.size_bytes})))
    return Recorded(header, kept, seen.gaps)


def without_secrets(seen: Observations) -> Observations:
    """The same with every text redacted; ids and times stay."""
    return replace(
        seen,
        services=_names(seen.services),
        calls=tuple(sorted({(_clean(one), _clean(other)) for one, other in seen.calls})),
        changes=tuple(_change(change) for change in seen.changes),
        metrics=_metrics(seen.metrics),
        spans=_spans(seen.spans),
        logs=_logs(seen.logs),
    )


def _check_not_empty(seen: Observations) -> None:
    window = seen.window
    times = [series.times_ns for series in seen.metrics.series]
    times += [seen.spans.start_ns, seen.logs.time_ns[seen.logs.time_ns != UNDATED]]
    if any(window.contains(part).any() for part in times):
        return
    why = " ".join(gap.statement.en for gap in seen.gaps if gap.reason == "unavailable")
    if why:
        raise SourceUnavailable(f"nothing to record: {why}")
    raise InvalidWindow("window", "there is nothing to record in it")


def _header(incident: Incident, clean: Observations) -> CaseHeader:
    window = incident.window
    traced = {call for call in traced_calls(TraceTree.of(clean.spans)) if all(call)}
    return CaseHeader(
        id=incident.id,
        source=incident.source,
        fault_window=window,
        alarm=clean.alarm,
        services=clean.services,
        calls=tuple(sorted(traced | set(clean.calls))),
        changes=clean.changes,
        asked=Asked(_clean(incident.question), window.start, window.end),
    )


def _metrics(matrix: Matrix) -> Matrix:
    """Series stay apart though their secrets made the difference."""
    out: list[Series] = []
    seen: dict[tuple[str, str, tuple[tuple[str, str], ...]], int] = {}
    for one in matrix.series:
        labels = tuple((_clean(key), _clean_label(key, value)) for key, value in one.labels)
        key = (_clean(one.service), _clean(one.name), labels)
        twins = seen[key] = seen.get(key, 0) + 1
        if twins > 1:
            labels = tuple(sorted((*labels, (REDACTED_TWIN, str(twins)))))
        out.append(replace(one, service=key[0], name=key[1], labels=labels))
    return Matrix(tuple(out))


def _clean_label(key: str, value: str) -> str:
    """A label is a name with a value: `password` says what `hunter2` is."""
    pair = f"{key}={value}"
    told = _clean(pair)
    return value if told == pair else told.removeprefix(f"{key}=")


def _spans(spans: SpanTable) -> SpanTable:
    services, operations = _renamed(spans.services), _renamed(spans.operations)
    return replace(
        spans,
        services=tuple(services[name] for name in spans.services),
        operations=tuple(operations[name] for name in spans.operations),
    )


def _logs(logs: LogTable) -> LogTable:
    services, bodies = _renamed(logs.services), _renamed(logs.body)
    levels = _renamed(logs.levels)
    return replace(
        logs,
        services=tuple(services[name] for name in logs.services),
        levels=tuple(levels[name] for name in logs.levels),
        body=tuple(bodies[body] for body in logs.body),
    )


def _change(change: Change) -> Change:
    kind, version = change.kind, change.version
    return Change(
        _clean(change.service),
        change.time,
        _clean(kind) if kind else None,
        _clean(version) if version else None,
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({_clean(name) for name in names if name}))


def _renamed(texts: Iterable[str]) -> Mapping[str, str]:
    """Each text once: lines repeat."""
    return {text: _clean(text) for text in set(texts)}


def _clean(text: str) -> str:
    """Redacted, and what no UTF-8 file can hold (half a surrogate pair) replaced."""
    return redacted(text).encode("utf-8", "replace").decode()
