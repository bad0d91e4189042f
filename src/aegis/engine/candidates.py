"""The candidates with the evidence for and against each, and those ruled out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aegis.engine.family import family_of
from aegis.engine.findings import Finding
from aegis.engine.measured import MeasuredSeries
from aegis.engine.proof import Docket, strongest_first
from aegis.engine.ranking import Scored
from aegis.engine.statements import explained_by_statement
from aegis.engine.symptoms import Symptoms, weigh
from aegis.engine.world import World
from aegis.model.diagnosis import RootCause, RuledOut
from aegis.model.evidence import Signal
from aegis.model.incident import Observations
from aegis.model.telemetry import Change, to_ns

MOST_DETAILED = 5
MOST_EVIDENCE = 5
MOST_OF_A_SIGNAL = 2
MOST_RULED_OUT = 5
LEAST_TELLING = 0.15
LEAST_RULED_OUT_SYMPTOMS = 1.0
RULED_OUT_SHARE = 0.35
STRONG_SHARE = 0.5
TELLING_CHANGE_MIN = 120.0
CALM_SIGNALS: tuple[Signal, ...] = ("errors", "latency", "cpu", "memory")


@dataclass(slots=True)
class Candidates:
    """Turns scored services into causes; cites evidence in rank order."""

    symptoms: Mapping[str, Symptoms]
    world: World
    usable: Sequence[MeasuredSeries]
    observations: Observations
    docket: Docket
    ordered: Sequence[Scored]
    _weights: dict[int, float] = field(default_factory=dict)
    _changes: dict[str, Finding] | None = None

    def causes(self, chances: Mapping[str, float]) -> tuple[RootCause, ...]:
        """Every service, most probable first; the first few carry evidence."""
        kinds = {
            change.service: change.kind or ""
            for change in sorted(self.observations.changes, key=lambda item: item.time)
            if change.time < self.observations.window.end
        }
        causes = []
        for place, item in enumerate(self.ordered):
            own = self.symptoms.get(item.service, Symptoms())
            detailed = place < MOST_DETAILED
            causes.append(
                RootCause(
                    service=item.service,
                    probability=chances[item.service],
                    family=family_of(item.service, own, self.world, kinds),
                    score=item.score,
                    evidence_ids=self._for(item.service, own) if detailed else (),
                    against_ids=self._against(item) if detailed else (),
                    onset_ns=self._onset(own),
                )
            )
        return tuple(causes)

    def ruled_out(self) -> tuple[RuledOut, ...]:
        """Services with clear symptoms of their own that something else explains."""
        first = self.ordered[0].service if self.ordered else None
        found = []
        for item in self.ordered[1:]:
            if item.raw < LEAST_RULED_OUT_SYMPTOMS or item.score > RULED_OUT_SHARE * item.raw:
                continue
            downstream = self.world.graph.downstream(item.service)
            cause = first if first in downstream else item.explained_by
            if cause is None:
                continue
            telling = self._telling(self.symptoms[item.service])[:1]
            found.append(
                (
                    item,
                    RuledOut(
                        service=item.service,
                        explained_by=cause,
                        evidence_ids=tuple(self.docket.cite(finding) for finding in telling),
                        why=explained_by_statement(
                            item.service, cause, self._between(item.service, cause)
                        ),
                    ),
                )
            )
        found.sort(key=lambda pair: (-round(pair[0].raw, 9), pair[0].score))
        return tuple(entry for _, entry in found[:MOST_RULED_OUT])

    def _weight(self, finding: Finding) -> float:
        known = self._weights.get(id(finding))
        if known is None:
            known = self._weights[id(finding)] = weigh(finding)
        return known

    def _telling(self, own: Symptoms) -> list[Finding]:
        """Findings worth showing, strongest first, at most two of one signal."""
        worth = [item for item in own.findings if self._weight(item) >= LEAST_TELLING]
        shown: list[Finding] = []
        for finding in strongest_first(worth, {id(item): self._weight(item) for item in worth}):
            same = sum(1 for item in shown if item.signal == finding.signal)
            if same < MOST_OF_A_SIGNAL:
                shown.append(finding)
        return shown

    def _for(self, service: str, own: Symptoms) -> tuple[str, ...]:
        ids = [self.docket.cite(item) for item in self._telling(own)[:MOST_EVIDENCE]]
        change = self.change_of(service)
        if change is not None:
            ids.append(self.docket.cite(change))
        return tuple(ids)

    def change_of(self, service: str) -> Finding | None:
        """The latest change of the service shortly before (or in) the window."""
        if self._changes is None:
            self._changes = {}
            window = self.observations.window
            near = (
                change
                for change in self.observations.changes
                if change.time < window.end
                and (window.start - change.time).total_seconds() < TELLING_CHANGE_MIN * 60.0
            )
            for change in sorted(near, key=lambda item: item.time):
                self._changes[change.service] = _change_finding(change, window.start_ns)
        return self._changes.get(service)

    def _against(self, item: Scored) -> tuple[str, ...]:
        """The strongest evidence that another service explains this one, and what is calm."""
        ids: list[str] = []
        rival = item.explained_by or self._best_rival(item)
        if rival is not None and rival in self.symptoms:
            telling = self._telling(self.symptoms[rival])
            ids.extend(self.docket.cite(finding) for finding in telling[:1])
        calm = self._calm(item.service)
        if calm is not None:
            ids.append(self.docket.cite(calm))
        return tuple(ids)

    def _best_rival(self, item: Scored) -> str | None:
        """The best other candidate whose symptoms this one would not explain."""
        upstream = self.world.graph.upstream(item.service)
        for other in self.ordered:
            if other.service != item.service and other.service not in upstream:
                return other.service if other.score > 0.0 else None
        return None

    def _calm(self, service: str) -> Finding | None:
        """A measurement of the service that a fault in it should have moved, and did not."""
        window = self.observations.window
        moved = {item.signal for item in self.symptoms.get(service, Symptoms()).findings}
        for signal in CALM_SIGNALS:
            if signal in moved:
                continue
            calm = [
                _calm_finding(item, inside)
                for item in self.usable
                if item.series.service == service
                and item.meaning.signal == signal
                and np.any(inside := window.contains(item.times_ns))
                and not np.all(inside)
            ]
            if calm:
                return min(calm, key=lambda item: item.digest())
        return None

    def _onset(self, own: Symptoms) -> int | None:
        """When the first of the service's strong findings began."""
        most = max([0.0, *(self._weight(item) for item in own.findings)])
        onsets = [
            item.onset_ns
            for item in own.findings
            if item.onset_ns is not None and self._weight(item) >= STRONG_SHARE * most > 0.0
        ]
        return min(onsets, default=None)

    def _between(self, service: str, cause: str) -> tuple[str, ...]:
        """Services on a shortest chain of calls from one to the other, ends left out.

        Among several shortest chains, the one through the strongest symptoms.
        """
        graph, chain, place = self.world.graph, [], service
        distance = graph.upstream(cause)
        while distance[place] > 1:
            closer = [
                name for name in graph.callees[place] if distance.get(name) == distance[place] - 1
            ]
            place = max(closer, key=self._prominence)
            chain.append(place)
        return tuple(chain)

    def _prominence(self, service: str) -> tuple[float, int, str, str]:
        own = self.symptoms.get(service, Symptoms())
        return (max(own.by_signal.values(), default=0.0), *own.fingerprint(), service)


def _change_finding(change: Change, start_ns: int) -> Finding:
    time_ns = to_ns(change.time)
    return Finding(
        source="changes",
        signal="change",
        service=change.service,
        peer=None,
        subject=change.version or "",
        query=f'changes{{service="{change.service}"}}',
        surprise=0.0,
        baseline=None,
        observed=(start_ns - time_ns) / 60e9,
        unit="min",
        times_ns=np.array([time_ns], dtype=np.int64),
        values=np.ones(1),
        onset_ns=time_ns,
    )


def _calm_finding(item: MeasuredSeries, inside: np.ndarray) -> Finding:
    return Finding(
        source="metrics",
        signal=item.meaning.signal,
        service=item.series.service,
        peer=item.meaning.peer,
        subject=item.series.name,
        query=item.series.query,
        surprise=0.0,
        baseline=float(np.median(item.values[~inside])),
        observed=float(np.median(item.values[inside])),
        unit=item.meaning.unit,
        times_ns=item.times_ns,
        values=item.values,
    )
