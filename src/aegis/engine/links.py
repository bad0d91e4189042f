"""Where to look at a piece of evidence: Grafana's Explore, else Prometheus or Jaeger.

Everything that telemetry wrote becomes one percent-encoded value of a query parameter, so
that it can neither leave its place nor the host that the settings name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlencode

from aegis.engine.log_lines import log_stream
from aegis.engine.queries import jaeger_search
from aegis.model.evidence import Evidence
from aegis.model.label_text import quoted
from aegis.model.links import DataSource, ExternalAddresses
from aegis.model.telemetry import TimeWindow

LONGEST_LINK = 8000
"""Longer ones are cut by proxies and chats: none is better than half."""
TRACES_SHOWN = "20"
PANE = "aeg"
"""Any three letters: of another length Grafana makes up one of its own."""


def link_of(item: Evidence, to: ExternalAddresses) -> str | None:
    """An address to open, with some time around the evidence's window; None where nothing fits."""
    item = _of_whole_characters(item)
    link = None
    if item.source == "traces":
        link = _traces(item, to)
    elif item.source == "logs":
        link = _explore(to, "loki", {"expr": _logql(item, to)}, item)
    elif item.source in ("metrics", "alerts"):
        link = _metrics(item, to)
    return link if link is not None and len(link) <= LONGEST_LINK else None


def _metrics(item: Evidence, to: ExternalAddresses) -> str | None:
    expression = item.query
    if item.source == "alerts":
        expression = f"ALERTS{{alertname={quoted(item.subject)}}}"
    if to.grafana is not None:
        return _explore(to, "prometheus", {"expr": expression, "range": True}, item)
    if to.prometheus is None:
        return None
    shown = _around(item.window)
    asked = {
        "g0.expr": expression,
        "g0.tab": "0",
        "g0.range_input": f"{int(shown.duration_s)}s",
        "g0.end_input": shown.end.strftime("%Y-%m-%d %H:%M:%S"),
    }
    # Prometheus 3 leads from here to its own page and keeps the question.
    return f"{to.prometheus}/graph?{_encoded(asked)}"


def _traces(item: Evidence, to: ExternalAddresses) -> str | None:
    if item.signal == "latency":  # of whole requests, whatever their operation
        item = replace(item, subject="")
    if to.grafana is None:
        search = f"{jaeger_search(item)}&lookback=custom&limit={TRACES_SHOWN}"
        return f"{to.jaeger}{search}" if to.jaeger is not None else None
    asked: dict[str, object] = {"queryType": "search", "service": item.service}
    operation = item.subject.split(" → ")[0]
    if operation:
        asked["operation"] = operation
    if item.signal == "error_spans":
        asked["tags"] = "error=true"
    return _explore(to, "jaeger", {**asked, "limit": int(TRACES_SHOWN)}, item)


def _explore(
    to: ExternalAddresses, source: DataSource, query: Mapping[str, object], item: Evidence
) -> str | None:
    """Explore's address since Grafana 10: panes as JSON, times as text.

    The pane alone names the data source, which may be by uid or by name. Of queries that
    name one Grafana drops those that do not have the pane's uid, and opens without any.
    """
    if to.grafana is None:
        return None
    shown = _around(item.window)
    pane = {
        "datasource": to.uid(source),
        "queries": [{"refId": "A", **query}],
        "range": {
            "from": str(shown.start_ns // 1_000_000),
            "to": str(shown.end_ns // 1_000_000),
        },
    }
    panes = json.dumps({PANE: pane}, ensure_ascii=False, separators=(",", ":"))
    return f"{to.grafana}/explore?{_encoded({'schemaVersion': '1', 'panes': panes})}"


def _logql(item: Evidence, to: ExternalAddresses) -> str:
    """The evidence's query, with the streams as this Loki labels them where a case told it."""
    recorded = log_stream(item.service)
    if not item.query.startswith(recorded):
        return item.query
    selector = to.log_selector.format(service=quoted(item.service)[1:-1])
    return selector + item.query.removeprefix(recorded)


def _around(window: TimeWindow) -> TimeWindow:
    """Half as much time again on both sides, at least five minutes: a change needs a before."""
    margin = max(timedelta(minutes=5), (window.end - window.start) / 2)
    return TimeWindow(window.start - margin, window.end + margin)


def _of_whole_characters(item: Evidence) -> Evidence:
    """Half a character, which no address can hold, becomes a question mark."""
    service, subject, query = (
        text.encode("utf-8", "replace").decode()
        for text in (item.service, item.subject, item.query)
    )
    return replace(item, service=service, subject=subject, query=query)


def _encoded(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe="")
