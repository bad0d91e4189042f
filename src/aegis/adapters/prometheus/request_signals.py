"""What comes out of every convention that counts requests and times them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aegis.adapters.prometheus.entries import Matcher, SignalEntry

QUANTILES = ((0.95, "p95"), (0.99, "p99"))


@dataclass(frozen=True, slots=True)
class Requests:
    """A convention's requests.

    `of` counts them, `duration` times them (both may be one histogram), `largest` is a gauge
    of the longest; "" where there is none. `bad`, `bad_of`: see SignalEntry. `rejected`:
    statuses that are no errors by convention, told apart by the label `status`.
    """

    prefix: str
    of: str
    duration: str
    largest: str
    status: str
    bad: tuple[Matcher, ...]
    bad_of: str
    rejected: tuple[Matcher, ...]
    fill: tuple[str, ...]
    keep: tuple[str, ...]
    where: tuple[Matcher, ...]

    def signals(self) -> Iterator[SignalEntry]:
        """Traffic, failures, latency and refusals by status, as far as the metrics tell them."""
        name, where, keep = self.prefix, self.where, self.keep
        yield SignalEntry(
            f"{name}_requests_per_second", "traffic", "rate", of=self.of, where=where, keep=keep
        )
        if self.bad or self.bad_of:
            yield SignalEntry(
                f"{name}_error_share",
                "errors",
                "share",
                of=self.of,
                bad=self.bad,
                bad_of=self.bad_of,
                where=where,
                keep=keep,
            )
        yield from self._latencies()
        if self.rejected and self.status:
            yield SignalEntry(
                f"{name}_rejected_share",
                "errors",
                "status_mix",
                of=self.of,
                bad=self.rejected,
                status=self.status,
                fill=self.fill,
                where=where,
                keep=(*keep, "status"),
            )

    def _latencies(self) -> Iterator[SignalEntry]:
        name, of, where, keep = f"{self.prefix}_duration", self.duration, self.where, self.keep
        if of:
            for quantile, told in QUANTILES:
                yield SignalEntry(
                    f"{name}_{told}_seconds",
                    "latency",
                    "quantile",
                    of=of,
                    quantile=quantile,
                    where=where,
                    keep=keep,
                )
            yield SignalEntry(
                f"{name}_mean_seconds", "latency", "mean", of=of, where=where, keep=keep
            )
        if self.largest:
            yield SignalEntry(
                f"{name}_max_seconds",
                "latency",
                "gauge",
                of=self.largest,
                where=where,
                keep=keep,
                aggregation="max",
            )
