"""What a metric means, told from its name, its labels and its values.

Names follow no single convention, so words are looked for, not whole names: a name is cut
at case changes and punctuation ("CpuUsageRate(%)" is cpu, usage, rate).
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np

from aegis.model.evidence import Signal
from aegis.model.telemetry import Series

_CUT = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+[a-z]*")

_VOCABULARY: tuple[tuple[Signal, str], ...] = (
    ("restarts", "restart restarts oom oomkilled evicted crashloop"),
    ("cpu", "cpu throttled throttling load1 load5"),
    ("memory", "memory mem heap rss gc swap"),
    ("disk", "disk diskio fs filesystem io iops volume wal fsync"),
    (
        "network",
        "network net tcp udp packet packets socket sockets retransmit retransmits "
        "bandwidth transmit receive",
    ),
    (
        "errors",
        "error errors err errs fail failed failure failures fault faults exception "
        "exceptions rejected timeout timeouts 5xx availability success successes",
    ),
    ("latency", "latency latencies duration durations rt rtt elapsed ttfb delay"),
    (
        "saturation",
        "queue queued pending pool connections threads busy inflight flight backlog lag "
        "saturation utilization waiting active goroutines",
    ),
    (
        "traffic",
        "request requests req workload load ops qps rps tps throughput calls hits traffic "
        "messages transactions",
    ),
)
"""The words that tell each signal; the first line with a match decides."""
_WORDS: tuple[tuple[Signal, frozenset[str]], ...] = tuple(
    (signal, frozenset(words.split())) for signal, words in _VOCABULARY
)
_TIME_PHRASES = (("response", "time"), ("request", "time"), ("processing", "time"))
_GOOD_WORDS = frozenset({"availability", "success", "successes"})
_TIME_WORDS = frozenset({"ms", "millis", "milliseconds", "seconds"})
_SHARE_WORDS = frozenset({"availability", "success", "rate", "ratio", "share", "fraction"})
_PART_WORDS = frozenset({"share", "ratio", "fraction", "utilization"})
"""Of resources: "rate" and "success" tell no unit there."""
_RESOURCES = frozenset({"cpu", "memory", "disk", "network", "saturation"})
_PERCENT_WORDS = frozenset({"percent", "percentage", "pct"})
_COUNTER_ENDINGS = ("_total", "_count", "_sum", "-total", "-count", "-sum")
_ERROR_STATUS = re.compile(
    r"^(5\d\d|5xx|server_error|internal|error|status_code_error)$", re.IGNORECASE
)
_STATUS_LABELS = frozenset(
    {
        "status",
        "code",
        "status_code",
        "http_status_code",
        "http_response_status_code",
        "response_code",
        "outcome",
        "grpc_code",
        "grpc_status",
        "rpc_grpc_status_code",
    }
)
PEER_LABELS = (
    "peer",
    "peer_service",
    "callee",
    "destination",
    "destination_workload",
    "upstream",
    "server",
    "server_address",
    "net_peer_name",
    "peer_name",
    "target",
)
_ORDINAL = re.compile(r"^(p?\d+|avg|average|mean|max|min|median|p|q|quantile)$")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one series measures.

    `flipped`: more is better (availability, success), so the shortfall is what counts.
    `peer`: the callee when the series is a caller's view of it. `unit` is "%", "share",
    "ms", "s", "bytes", "per_s", "count" or "" for the metric's own unit. `counter`: only
    its rate means something. `caller_side`: measured where the call leaves.
    """

    signal: Signal
    unit: str
    flipped: bool = False
    peer: str | None = None
    counter: bool = False
    caller_side: bool = False


def words_of(name: str) -> list[str]:
    """The lower-case words of a metric name, in order."""
    return [word.lower() for word in _CUT.findall(name)]


def meaning_of(series: Series) -> Meaning | None:
    """What the series measures, or None where no known word occurs in its name."""
    name, colon_peer = _without_peer(series.name)
    words = words_of(name)
    signal = _signal_of(words)
    labels = dict(series.labels)
    lowered = name.lower()
    if signal is None or lowered.endswith(("_bucket", "_created")):
        return None
    counter = lowered.endswith(_COUNTER_ENDINGS) and _never_falls(series)
    if signal == "latency" and counter:
        if not lowered.endswith("count"):
            return None  # a sum of durations grows with traffic: alone it means nothing
        signal = "traffic"
    if signal == "traffic" and not counter and not _TIME_WORDS.isdisjoint(words):
        signal = "latency"
    if signal == "traffic" and _counts_errors(labels):
        signal = "errors"
    peer = colon_peer or next((labels[key] for key in PEER_LABELS if labels.get(key)), None)
    if peer == series.service:
        peer = None
    flipped = signal == "errors" and not _GOOD_WORDS.isdisjoint(words)
    return Meaning(
        signal=signal,
        unit=_unit_of(name, words, signal, series, counter=counter),
        flipped=flipped,
        peer=peer,
        counter=counter,
        caller_side="client" in words or peer is not None,
    )


def _without_peer(name: str) -> tuple[str, str | None]:
    """Split "client_latency_p95:peer" into the metric and the peer it names."""
    head, colon, tail = name.partition(":")
    if colon and "client" in words_of(head) and tail:
        return head, tail
    return name, None


def _signal_of(words: list[str]) -> Signal | None:
    present = set(words)
    pairs = set(itertools.pairwise(words))
    for signal, vocabulary in _WORDS:
        if not vocabulary.isdisjoint(present):
            return signal
        if signal == "latency" and not pairs.isdisjoint(_TIME_PHRASES):
            return signal
    if any(word.startswith("p") and word[1:].isdigit() for word in words):
        return "latency"
    return None


def _counts_errors(labels: dict[str, str]) -> bool:
    return any(
        key in _STATUS_LABELS and _ERROR_STATUS.match(value) for key, value in labels.items()
    )


def _never_falls(series: Series) -> bool:
    """A counter rises except where its process restarted (a fall to near zero)."""
    steps = np.diff(series.values)
    falls = series.values[1:][steps < 0]
    if len(steps) < 3 or not np.any(steps > 0):
        return False
    return len(falls) <= max(1, len(steps) // 20) and bool(
        np.all(falls <= 0.5 * np.max(series.values))
    )


def _unit_of(name: str, words: list[str], signal: Signal, series: Series, *, counter: bool) -> str:
    present = set(words)
    small = bool(np.all(np.abs(series.values) <= 1.0 + 1e-9))
    if "%" in name or not _PERCENT_WORDS.isdisjoint(present):
        return "%"
    if signal == "latency":
        if not present.isdisjoint({"ms", "millis", "milliseconds"}):
            return "ms"
        return "s" if not present.isdisjoint({"s", "sec", "secs", "second", "seconds"}) else ""
    if signal == "errors" and not present.isdisjoint(_SHARE_WORDS):
        return "share" if small else "%" if "availability" in present else ""
    if small and signal in _RESOURCES and not present.isdisjoint(_PART_WORDS):
        return "share"
    if "bytes" in present:
        return "bytes"
    if counter or ("per", "second") in itertools.pairwise(words):
        return "per_s"
    if signal in ("errors", "traffic", "restarts") and not _only_ordinals_left(words):
        return "count" if "sum" in present or "count" in present else ""
    return ""


def _only_ordinals_left(words: list[str]) -> bool:
    return all(_ORDINAL.match(word) for word in words)
