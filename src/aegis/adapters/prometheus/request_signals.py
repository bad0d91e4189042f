"""What comes out of every convention that counts requests and times them."""

from __future__ import annotations

from collections.abc import Iterator

from aegis.adapters.prometheus.entries import Matcher, SignalEntry


def request_signals(
    *,
    prefix: str,
    of: str,
    duration: str,
    largest: str,
    status: str,
    bad: tuple[Matcher, ...],
    bad_of: str,
    rejected: tuple[Matcher, ...],
    fill: tuple[str, ...],
    keep: tuple[str, ...],
    where: tuple[Matcher, ...],
) -> Iterator[SignalEntry]:
    """Traffic, failures, refusals by status and latency, as far as the operands tell them.

    `of` counts requests, `duration` times them (both may be one histogram), `largest` is a
    gauge of the longest. `bad`, `bad_of`: see SignalEntry. `rejected`: statuses that are no
    errors by convention, told apart by the label `status`.
    """
    yield SignalEntry(
        f"{prefix}_requests_per_second", "traffic", "rate", of=of, where=where, keep=keep
    )
    if bad or bad_of:
        yield SignalEntry(
            f"{prefix}_error_share",
            "errors",
            "share",
            of=of,
            bad=bad,
            bad_of=bad_of,
            where=where,
            keep=keep,
        )
    if duration:
        for quantile, name in ((0.95, "p95"), (0.99, "p99")):
            yield SignalEntry(
                f"{prefix}_duration_{name}_seconds",
                "latency",
                "quantile",
                of=duration,
                quantile=quantile,
                where=where,
                keep=keep,
            )
        yield SignalEntry(
            f"{prefix}_duration_mean_seconds",
            "latency",
            "mean",
            of=duration,
            where=where,
            keep=keep,
        )
    if largest:
        yield SignalEntry(
            f"{prefix}_duration_max_seconds",
            "latency",
            "gauge",
            of=largest,
            where=where,
            keep=keep,
            aggregation="max",
        )
    if rejected and status:
        yield SignalEntry(
            f"{prefix}_rejected_share",
            "errors",
            "status_mix",
            of=of,
            bad=rejected,
            status=status,
            fill=fill,
            where=where,
            keep=(*keep, "status"),
        )
