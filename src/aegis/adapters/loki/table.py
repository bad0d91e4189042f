"""Rows become a LogTable in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from aegis.adapters.loki.answers import Row
from aegis.adapters.loki.identity import pod_label, service_of
from aegis.adapters.loki.logql import LogQuery, Matcher, re2_literal
from aegis.adapters.loki.reading_lines import level_of, trace_and_span
from aegis.adapters.loki.selector import ServiceSelector
from aegis.model.errors import InvalidRequest
from aegis.model.telemetry import LogRow, LogTable


def log_table(
    rows: Sequence[Row], label: str, selector: ServiceSelector, sampled_share: float
) -> LogTable:
    """Every line has a time: Loki dates those that came without one."""
    if not rows:
        return LogTable.empty()
    read: list[LogRow] = []
    values: dict[str, set[str]] = {}
    pods: dict[str, str | None] = {}
    for row in rows:
        trace, span = trace_and_span(row.labels, row.body)
        level = level_of(row.labels, row.body)
        service = service_of(row.labels, label, selector)
        read.append((service, row.time_ns, row.body, _id(trace), _id(span), level))
        values.setdefault(service, set()).add(row.labels.get(label, ""))
        if service not in pods:
            pods[service] = pod_label(tuple(row.labels))
    table = LogTable.of(read, sampled_share)
    return replace(table, selectors=_selectors(values, pods, label, selector))


def _selectors(
    values: Mapping[str, set[str]],
    pods: Mapping[str, str | None],
    label: str,
    selector: ServiceSelector,
) -> dict[str, str]:
    """How to ask for each service: by the one value of the label that is its alone, else by its
    pods. What cannot be written as a query is left out."""
    owners: dict[str, int] = {}
    for found in values.values():
        for value in found:
            owners[value] = owners.get(value, 0) + 1
    written = {}
    for service, found in values.items():
        (value, *others), pod = sorted(found), pods[service]
        if not others and owners[value] == 1:
            matcher = Matcher(label, "=", value)
        elif pod is not None:
            matcher = Matcher(pod, "=~", f"{re2_literal(service)}(-.+)?")
        else:
            continue
        with suppress(InvalidRequest):
            written[service] = LogQuery((*selector.scope, matcher)).text()
    return written


def _id(text: str) -> bytes:
    return text.encode("utf-8", "replace").rstrip(b"\x00")
