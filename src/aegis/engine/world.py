"""What is known of the services beside their symptoms: who calls whom, who can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import exp, log2

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.measured import MeasuredSeries
from aegis.engine.metric_load import LEAST_SURPRISE, inherited_load, load_ratios, traffic_of
from aegis.engine.metric_peers import PEER_CREDIT
from aegis.engine.surge import Surge, surge_of
from aegis.model.evidence import Signal
from aegis.model.incident import Observations
from aegis.model.telemetry import Change, TimeWindow

CHANGE_DECAY_MIN = 10.0
SEEN_INSIDE: frozenset[Signal] = frozenset(
    {"cpu", "memory", "disk", "network", "restarts", "saturation"}
)
"""Signals that only a process itself (or its host) can report."""
SEEN_OUTSIDE: frozenset[Signal] = frozenset({"latency", "errors"})


@dataclass(frozen=True, slots=True)
class World:
    """The call graph and what can be said of each service's visibility.

    `silent` services are known only from what others tell of them: nothing they measure
    themselves was recorded. `unseen` services are called but write neither spans nor logs
    (where nobody does: they are called and call nobody). `views` are the reverse: callers
    nobody calls, whose only telemetry is how one callee answers them, a measurement of that
    callee from outside (caller → callee). `off_path` services have no connection to any
    traced one.
    `leaf_users` tells for each operation of leaf spans which services have such spans.
    `load` is how many times more requests a service gets than before, where known; `inherited`
    the part of it that its callers only pass on.
    `surge` is there where far more requests come in from outside.
    `recency` is 1 for a service changed at the start of the window, less before.
    `centrality` is 0..1, by the number of direct callers and callees.
    `turned_away` is the share of a service's requests that it newly answers without work.
    `measured` tells which signals a service measures itself, `heard` which ones a caller
    measures of a callee: (caller, callee, signal).
    """

    graph: CallGraph
    silent: frozenset[str]
    unseen: frozenset[str]
    off_path: frozenset[str]
    traced: frozenset[str]
    views: Mapping[str, str]
    leaf_users: Mapping[str, frozenset[str]]
    recency: Mapping[str, float]
    load: Mapping[str, float]
    inherited: Mapping[str, float]
    surge: Surge | None
    centrality: Mapping[str, float]
    turned_away: Mapping[str, float]
    measured: Mapping[str, frozenset[Signal]]
    heard: frozenset[tuple[str, str, Signal]]

    @staticmethod
    def of(
        observations: Observations,
        usable: list[MeasuredSeries],
        traced_calls: frozenset[tuple[str, str]],
        leaf_users: Mapping[str, frozenset[str]],
        turned_away: Mapping[str, float],
        *,
        use_changes: bool = True,
    ) -> World:
        signals: dict[str, set[Signal]] = {}
        for item in usable:
            signals.setdefault(item.series.service, set()).add(item.meaning.signal)
            if item.meaning.peer is not None:
                signals.setdefault(item.meaning.peer, set())
        traced, logged = set(observations.spans.services), set(observations.logs.services)
        known = set(observations.services) | set(signals) | traced | logged
        graph = CallGraph.of(known, frozenset(observations.calls) | traced_calls)
        inside = {name for name, found in signals.items() if not found.isdisjoint(SEEN_INSIDE)}
        inside |= traced | logged
        traffic = traffic_of(usable, observations.window)
        degree = {
            name: log2(1 + len(graph.callees[name]) + len(graph.callers[name]))
            for name in graph.callees
        }
        most = max([1.0, *degree.values()])
        return World(
            graph=graph,
            silent=_silent(graph, inside, signals),
            unseen=_unseen(graph, traced | logged),
            off_path=_off_path(graph, traced),
            traced=frozenset(traced),
            views={
                name: next(iter(graph.callees[name]))
                for name in graph.callees
                if name not in inside and not graph.callers[name] and len(graph.callees[name]) == 1
            },
            leaf_users=leaf_users,
            recency=recency_of(observations.changes, observations.window) if use_changes else {},
            load=load_ratios(traffic),
            inherited=inherited_load(traffic, graph),
            surge=surge_of(usable, traffic, graph, observations.window),
            centrality={name: value / most for name, value in degree.items()},
            turned_away=turned_away,
            measured=_measured(usable),
            heard=frozenset(
                (item.series.service, item.meaning.peer, item.meaning.signal)
                for item in usable
                if item.meaning.peer is not None
            ),
        )

    def vouched_for(self, services: frozenset[str]) -> World:
        """The same world where other services' symptoms speak for some silent ones."""
        return replace(self, silent=self.silent - services)

    def amplification(self, service: str) -> float:
        """-1..1: do requests multiply on the way into the service? Callers retry what fails.

        log2 of its own increase in requests over the largest increase among its callers;
        below 0 requests get lost on the way. 0 where that is not known.
        """
        own = self.load.get(service)
        above = [self.load[name] for name in self.graph.callers[service] if name in self.load]
        if own is None or not above:
            return 0.0
        return max(-1.0, min(1.0, log2(own / max(above))))

    def credited(self, findings: Iterable[Finding]) -> list[Finding]:
        """What pure callers measured, as findings of the callee they measured."""
        return [
            replace(
                finding,
                service=self.views[finding.service],
                peer=self.views[finding.service],
                surprise=PEER_CREDIT * finding.surprise,
            )
            for finding in findings
            if finding.service in self.views
            and finding.source == "metrics"
            and finding.signal in SEEN_OUTSIDE
            and PEER_CREDIT * finding.surprise > LEAST_SURPRISE
        ]


def _measured(usable: list[MeasuredSeries]) -> dict[str, frozenset[Signal]]:
    """The signals that each service measures of itself, and not of its calls."""
    found: dict[str, set[Signal]] = {}
    for item in usable:
        if item.meaning.peer is None and not item.meaning.caller_side:
            found.setdefault(item.series.service, set()).add(item.meaning.signal)
    return {name: frozenset(signals) for name, signals in found.items()}


def _silent(
    graph: CallGraph, inside: set[str], signals: Mapping[str, set[Signal]]
) -> frozenset[str]:
    """Services without a sample of their own, and leaves that only others measure."""
    return frozenset(
        name
        for name in graph.callees
        if name not in inside
        and (not signals.get(name) or (graph.callers[name] and not graph.callees[name]))
    )


def _unseen(graph: CallGraph, telling: set[str]) -> frozenset[str]:
    """Called services without spans or logs; in a world of metrics alone, the leaves."""
    return frozenset(
        name
        for name in graph.callees
        if graph.callers[name] and name not in telling and (telling or not graph.callees[name])
    )


def _off_path(graph: CallGraph, traced: set[str]) -> frozenset[str]:
    """Services that no chain of calls connects to a traced one; none without traces."""
    if not traced:
        return frozenset()
    connected = set(traced)
    for name in traced & graph.callees.keys():
        connected |= graph.downstream(name).keys()
        connected |= graph.upstream(name).keys()
    return frozenset(graph.callees.keys() - connected)


def recency_of(changes: Iterable[Change], window: TimeWindow) -> dict[str, float]:
    """exp(-minutes/10) of each service's nearest change before (or within) the window."""
    found: dict[str, float] = {}
    for change in changes:
        if change.time >= window.end:
            continue
        minutes = max(0.0, (window.start - change.time).total_seconds() / 60.0)
        recency = exp(-minutes / CHANGE_DECAY_MIN)
        found[change.service] = max(found.get(change.service, 0.0), recency)
    return found
