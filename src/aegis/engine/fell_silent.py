"""Services that told of themselves all along and stopped while it burned.

Nothing is concluded from it (the scrape may have failed as well as the service), but it is said
first: rows that are missing look like calm everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aegis.engine.quantities import clock_time, some_names, tidy
from aegis.engine.verdict import SOURCE_WORDS
from aegis.model.evidence import EvidenceGap, Source
from aegis.model.incident import Observations
from aegis.model.telemetry import Int32s, Int64s, TimeWindow
from aegis.model.text import Text

SHORTEST_LEAD_NS = 15 * 60 * 10**9
STRETCHES = 5
"""Each of so many equal parts of the time before must have had rows: others come in bursts."""
LEAST_MISSED_ROWS = 10.0
MOST_NAMED = 3


def fell_silent(observations: Observations) -> tuple[EvidenceGap, ...]:
    """One gap a service and source, in the order they stopped; of very many only their names.

    A source without any row in the window is not told of here.
    """
    window = observations.window
    found: list[EvidenceGap] = []
    for source, times in _times_by_source(observations):
        if not any(np.any(window.contains(rows)) for rows in times.values()):
            continue
        lasts = {name: _stopped_at(rows, window) for name, rows in times.items()}
        stopped = {name: last for name, last in lasts.items() if last is not None}
        names = sorted(stopped, key=lambda name: (stopped[name], name))
        if len(names) > MOST_NAMED:
            found.append(EvidenceGap(source, "stopped", None, _many(source, names)))
        else:
            for name in names:
                told = _one(source, name, stopped[name], window)
                found.append(EvidenceGap(source, "stopped", name, told))
    return tuple(found)


def _stopped_at(times_ns: Int64s, window: TimeWindow) -> int | None:
    """The last of a service's rows where many more should have come before the window's end."""
    upto = times_ns[times_ns < window.end_ns]
    if len(upto) == 0:
        return None
    last = int(upto.max())
    lead = max(window.end_ns - window.start_ns, SHORTEST_LEAD_NS)
    if last < window.start_ns - lead:
        return None
    begin = last - lead
    before = upto[upto > begin]
    part = (before - begin - 1) * STRETCHES // lead  # mutate: equivalent: but for a nanosecond
    if len(np.unique(part)) < STRETCHES:
        return None
    silent_ns = window.end_ns - max(last, window.start_ns)
    return last if len(before) * silent_ns / lead >= LEAST_MISSED_ROWS else None


def _times_by_source(observations: Observations) -> Iterator[tuple[Source, dict[str, Int64s]]]:
    series: dict[str, list[Int64s]] = {}
    for one in observations.metrics.series:
        series.setdefault(one.service, []).append(one.times_ns)
    yield "metrics", {name: np.concatenate(times) for name, times in series.items()}
    spans, logs = observations.spans, observations.logs
    yield "traces", _by_service(spans.services, spans.service_code, spans.start_ns)
    yield "logs", _by_service(logs.services, logs.service_code, logs.time_ns)


def _by_service(names: tuple[str, ...], code: Int32s, times_ns: Int64s) -> dict[str, Int64s]:
    return {name: times_ns[code == number] for number, name in enumerate(names)}


def _one(source: Source, service: str, last_ns: int, window: TimeWindow) -> Text:
    name, what, at = tidy(service), SOURCE_WORDS[source], clock_time(last_ns, window)
    return Text(
        f"{name} 的{what.zh}自 UTC {at} 起中断，此前一直有。",
        f"{what.en[0].upper()}{what.en[1:]} of {name} stopped at {at} UTC; "
        "until then they came all along.",
    )


def _many(source: Source, names: list[str]) -> Text:
    what, shown = SOURCE_WORDS[source], some_names(names)
    zh_rest, en_rest = (" 等", " and others") if len(names) > len(shown) else ("", "")
    return Text(
        f"{len(names)} 个服务的{what.zh}在这段时间中断：{'、'.join(shown)}{zh_rest}。",
        f"{what.en[0].upper()}{what.en[1:]} of {len(names)} services stopped in this time: "
        f"{', '.join(shown)}{en_rest}.",
    )
