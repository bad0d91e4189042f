"""Symptoms and worlds for tests, given by the few numbers that matter.

Calls are written "shop>cart cart>db"; names are separated by spaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from aegis.engine.findings import Finding
from aegis.engine.graph import CallGraph
from aegis.engine.ranking import Scored, rank
from aegis.engine.spans import SpanFindings
from aegis.engine.surge import Surge
from aegis.engine.symptoms import Symptoms
from aegis.engine.world import World
from aegis.model.evidence import Signal


def sick(
    by_signal: Mapping[Signal, float] | None = None,
    *,
    findings: Sequence[Finding] = (),
    touched: Mapping[Signal, float] | None = None,
    outbound: float = 0.0,
    failed_outbound: bool = False,
    delays: Mapping[str, float] | None = None,
) -> Symptoms:
    """Symptoms of these strengths; own time is spent inside unless `outbound` says more."""
    strengths = dict(by_signal or {})
    return Symptoms(
        by_signal=strengths,
        findings=list(findings),
        touched=dict(touched or {}),
        inner=0.0 if outbound else strengths.get("self_time", 0.0),
        outbound=outbound,
        failed_outbound=failed_outbound,
        delays=dict(delays or {}),
    )


def calls_of(text: str) -> list[tuple[str, str]]:
    pairs = (call.split(">") for call in text.split())
    return [(caller, callee) for caller, callee in pairs]


def judged_calls(calls: str) -> SpanFindings:
    """No findings of spans, but these calls had enough of them to be judged."""
    return SpanFindings((), frozenset(calls_of(calls)))


def world(
    calls: str = "",
    services: str = "",
    *,
    silent: str = "",
    unseen: str = "",
    off_path: str = "",
    traced: str = "",
    views: Mapping[str, str] | None = None,
    leaf_users: Mapping[str, str] | None = None,
    recency: Mapping[str, float] | None = None,
    load: Mapping[str, float] | None = None,
    inherited: Mapping[str, float] | None = None,
    surge: Surge | None = None,
    centrality: Mapping[str, float] | None = None,
    turned_away: Mapping[str, float] | None = None,
    measured: Mapping[str, Signal] | None = None,
    heard: Sequence[tuple[str, str, Signal]] = (),
) -> World:
    """A world where everybody is seen and nobody is central, changed.

    `measured` gives one signal that a service measures itself. All load is inherited unless said
    otherwise.
    """
    graph = CallGraph.of(services.split(), calls_of(calls))
    return World(
        graph=graph,
        silent=frozenset(silent.split()),
        unseen=frozenset(unseen.split()),
        off_path=frozenset(off_path.split()),
        traced=frozenset(traced.split()),
        views=dict(views or {}),
        leaf_users={name: frozenset(who.split()) for name, who in (leaf_users or {}).items()},
        recency=dict(recency or {}),
        load=dict(load or {}),
        inherited=dict((load or {}) if inherited is None else inherited),
        surge=surge,
        centrality=dict.fromkeys(graph.callees, 0.0) | dict(centrality or {}),
        turned_away=dict(turned_away or {}),
        measured={name: frozenset({signal}) for name, signal in (measured or {}).items()},
        heard=frozenset(heard),
    )


def ranked(
    symptoms: Mapping[str, Symptoms], here: World, *, use_graph: bool = True
) -> dict[str, Scored]:
    return {item.service: item for item in rank(symptoms, here, use_graph=use_graph)}


def scores(
    symptoms: Mapping[str, Symptoms], here: World, *, use_graph: bool = True
) -> dict[str, float]:
    found = ranked(symptoms, here, use_graph=use_graph)
    return {name: item.score for name, item in found.items()}


def near(value: float) -> object:
    return pytest.approx(value, abs=1e-6)
