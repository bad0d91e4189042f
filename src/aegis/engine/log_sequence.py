"""Broken sequences: after this line that line used to follow, in the same span."""

from __future__ import annotations

import numpy as np

from aegis.engine.findings import Finding
from aegis.engine.log_exposure import count, traces_logged_by
from aegis.engine.log_lines import ReadLines
from aegis.engine.stats import share_change_decades
from aegis.engine.trace_tree import NO_ROW, dense
from aegis.model.telemetry import Bools

LEAST_DROP = 0.25
LEAST_SHARE_BEFORE = 0.3
LEAST_BEFORE = 8
LEAST_AFTER = 3
MOST_DECADES = 12.0


def sequence_findings(lines: ReadLines, dated: Bools, after: Bools) -> list[Finding]:
    """After this line, in the same span, that line used to follow and no longer does."""
    rows = np.flatnonzero(dated & (lines.span != NO_ROW))
    rows = rows[np.lexsort((rows, lines.time_ns[rows], lines.span[rows]))]
    kinds = len(lines.templates)
    first = lines.template[rows]
    followed = np.full(len(rows), kinds, dtype=np.int64)
    same = lines.span[rows[1:]] == lines.span[rows[:-1]]
    followed[:-1][same] = lines.template[rows[1:]][same]
    inside = after[rows]
    total_before, total_after = count(first[~inside], kinds), count(first[inside], kinds)
    links, link = dense(first * (kinds + 1) + followed)
    with_before = count(link[~inside], len(links))
    with_after = count(link[inside], len(links))
    source, target = links // (kinds + 1), links % (kinds + 1)
    n_before, n_after = total_before[source], total_after[source]
    with np.errstate(divide="ignore", invalid="ignore"):
        p_before, p_after = with_before / n_before, with_after / n_after
    broken = (
        (target < kinds)
        & (n_before >= LEAST_BEFORE)
        & (n_after >= LEAST_AFTER)
        & (p_before >= LEAST_SHARE_BEFORE)
        & (p_before - p_after >= LEAST_DROP)
    )
    decades = share_change_decades(with_before, n_before, with_after, n_after)
    through = traces_logged_by(lines, after)
    findings = []
    for index in np.flatnonzero(broken):
        template = lines.templates[source[index]]
        service = lines.service_of(template)
        mine = rows[first == source[index]]
        follows = (link == index)[first == source[index]]
        drop = float(p_before[index] - p_after[index])
        touched = drop * float(n_after[index]) / float(through[template.service_code])
        departing = mine[after[mine] & ~follows]
        findings.append(
            Finding(
                source="logs",
                signal="log_sequence",
                service=service,
                peer=None,
                subject=f"{template.label} → {lines.templates[target[index]].label}",
                query=lines.query_of(template),
                surprise=min(MOST_DECADES, float(decades[index])),
                baseline=float(p_before[index]),
                observed=float(p_after[index]),
                unit="share",
                times_ns=lines.time_ns[mine],
                values=follows.astype(np.float64),
                share=min(1.0, touched),
                onset_ns=int(np.min(lines.time_ns[departing])) if len(departing) else None,
            )
        )
    return findings
