"""Queries an engineer can paste, built from a piece of evidence.

Names come from telemetry that anyone may have written: quotes and backslashes are escaped,
control characters dropped, and nothing unusual reaches a shell command.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlencode

from aegis.model.evidence import Evidence
from aegis.model.telemetry import TimeWindow

RANGE = "5m"
_COUNTER = re.compile(r"(_total|_count|_sum|_bucket)$")
_SELECTOR = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*|([A-Za-z_:][A-Za-z0-9_:]*)?\{[^{}]*\}")
_SHELL_SAFE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_NOT_LITERAL = re.compile(r"[^A-Za-z0-9_-]")


def fenced(query: str) -> str:
    """The query as inline code, on one line."""
    line = "".join(" " if unicodedata.category(c).startswith("C") else c for c in query)
    fence = "``" if "`" in line else "`"
    return f"{fence}{line}{fence}"


def per_pod(item: Evidence) -> str:
    """The evidence's own query with one series a pod; empty where it names no query.

    Traces become a Jaeger search for the spans the evidence speaks of.
    """
    if item.source == "traces":
        return jaeger_search(item)
    query = item.query.strip()
    if not query or item.source == "changes":
        return ""
    if item.source == "logs":
        counted = query.startswith("{")
        return f"sum by (pod) (count_over_time({query} [{RANGE}]))" if counted else query
    if not _SELECTOR.fullmatch(query):
        return f"max by (pod) ({query})"
    name = query.partition("{")[0] or item.subject
    if _COUNTER.search(name):
        return f"sum by (pod) (rate({query}[{RANGE}]))"
    return f"max by (pod) ({query})"


def jaeger_search(item: Evidence) -> str:
    """The path and query of a search in Jaeger's UI for the evidence's window."""
    wanted = {"service": item.service}
    operation = item.subject.split(" → ")[0]
    if operation:
        wanted["operation"] = operation
    if item.signal == "error_spans":
        wanted["tags"] = '{"error":"true"}'
    if item.signal in ("self_time", "call_time") and item.observed and item.unit == "ms":
        # A span lasts at least its own time, so this keeps the slow ones.
        wanted["minDuration"] = f"{max(1, int(item.observed))}ms"
    wanted["start"] = str(item.window.start_ns // 1000)
    wanted["end"] = str(item.window.end_ns // 1000)
    return f"/search?{urlencode(wanted)}"


def pods(service: str) -> str:
    """A PromQL matcher for the pods of a service, with unusual characters as wildcards."""
    return f'pod=~"{_NOT_LITERAL.sub(".", service)}-.+"'


def cpu_throttling(service: str) -> str:
    of = pods(service)
    return (
        f"sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{{of}}}[{RANGE}])) / "
        f"sum by (pod) (rate(container_cpu_cfs_periods_total{{{of}}}[{RANGE}]))"
    )


def memory_of_limit(service: str) -> str:
    of = pods(service)
    return (
        f'sum by (pod) (container_memory_working_set_bytes{{{of},container!=""}}) / '
        f'sum by (pod) (kube_pod_container_resource_limits{{{of},resource="memory"}})'
    )


def last_terminations(service: str) -> str:
    return (
        "max by (pod, reason) "
        f"(kube_pod_container_status_last_terminated_reason{{{pods(service)}}}) > 0"
    )


def disk_busy() -> str:
    return f"max by (instance, device) (rate(node_disk_io_time_seconds_total[{RANGE}]))"


def retransmits() -> str:
    return (
        f"sum by (instance) (rate(node_netstat_Tcp_RetransSegs[{RANGE}])) / "
        f"sum by (instance) (rate(node_netstat_Tcp_OutSegs[{RANGE}]))"
    )


def scrape_failures() -> str:
    return "up == 0"


def firing_alerts(window: TimeWindow) -> str:
    minutes = max(1, round(window.duration_s / 60))
    return f'max_over_time(ALERTS{{alertstate="firing"}}[{minutes}m])'


def rollout_history(service: str) -> str:
    """A read-only shell command; empty where the name is no Kubernetes name."""
    if not _SHELL_SAFE.fullmatch(service):
        return ""
    return f"kubectl rollout history deployment/{service}"
