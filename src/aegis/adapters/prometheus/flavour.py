"""Which program answers the Prometheus query API, and how its answers differ.

| program | differs in |
|---|---|
| Prometheus 2.40–3.x | before 3.0 no UTF-8 names in queries (`{"a.b"}` is 400); `limit=` of series and labels from 2.51, before it is ignored; from 3.0 ranges are left-open, so a rate window holds one sample less; over 11,000 points a series is 400 |
| Mimir, Cortex | API below `/prometheus`, tenant in `X-Scope-OrgID` (401 without); limits are 422 with `err-mimir-…`; no targets, metadata may be off; `application` in buildinfo |
| Thanos | answers what it can: status 200, `warnings` and gaps where a store is away; `dedup` is on by default; versions begin with 0 |
| VictoriaMetrics | API below `/select/TENANT/prometheus` in the cluster; `isPartial`; repeats an older value in the newest 30 s, so those are not read; exponential and native histograms have buckets with `vmrange` in place of `le`; 30,000 points; a query text of at most 16 KiB; `errorType` is the status code; names default to today, so start and end are always sent; rates are not extrapolated; says it is 2.24.0 and nothing else |
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from aegis.model.telemetry import TimeWindow

Program = Literal["prometheus", "mimir", "thanos", "victoriametrics", "unknown"]

UNSETTLED = {"victoriametrics": timedelta(seconds=30)}
"""Until then the newest values of a time may still change (-search.latencyOffset)."""
LONGEST_QUERY = {"victoriametrics": 15_000}
USUAL_LONGEST_QUERY = 60_000


@dataclass(frozen=True, slots=True)
class Flavour:
    """`version` is (major, minor), None where it is not told."""

    program: Program
    version: tuple[int, int] | None

    @property
    def knows_utf8(self) -> bool:
        """Whether `{"a.b"}` may be asked; where nobody says, the server's 400 will tell."""
        if self.program == "prometheus" and self.version is not None:
            return self.version >= (3, 0)
        return True

    def settled(self, window: TimeWindow) -> TimeWindow:
        """The window less what this program has not got ready; asked again it reads the same."""
        end = window.end - UNSETTLED.get(self.program, timedelta(0))
        return TimeWindow(window.start, end) if end > window.start else window

    @property
    def bucket_labels(self) -> tuple[str, ...]:
        """What tells the buckets of a histogram apart. VictoriaMetrics stores exponential ones,
        native ones and its own with a range for each bucket, and those that have `le` with it."""
        return ("le", "vmrange") if self.program == "victoriametrics" else ("le",)

    @property
    def longest_query(self) -> int:
        return LONGEST_QUERY.get(self.program, USUAL_LONGEST_QUERY)


UNKNOWN = Flavour("unknown", None)


def flavour_of(buildinfo: Mapping[str, Any]) -> Flavour:
    """Told from `/api/v1/status/buildinfo`; everything may be missing from it."""
    version = _version(str(buildinfo.get("version", "")))
    application = str(buildinfo.get("application", "")).lower()
    if "mimir" in application or "cortex" in application:
        return Flavour("mimir", version)
    if "thanos" in application or (version is not None and version[0] == 0):
        return Flavour("thanos", version)
    if version == (2, 24) and not buildinfo.get("goVersion"):
        return Flavour("victoriametrics", None)
    if version is None:
        return UNKNOWN
    return Flavour("prometheus", version)


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})", text)
    return (int(found[1]), int(found[2])) if found else None
