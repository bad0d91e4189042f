"""The engine finds the same in logs from Loki as in the recording they were made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from aegis.adapters.loki.logs import Caps
from aegis.engine.findings import Finding
from aegis.engine.log_lines import read_lines
from aegis.engine.logs import log_findings
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import LogTable
from tests.adapters.loki_server import HeldLoki, LokiAt, held, live, stored
from tests.recordings import SmallShop, between, lines_of

pytestmark = pytest.mark.loopback

SHOP = SmallShop()
RECORDING = SHOP.recording()


@pytest.fixture(params=["stand-in", "live"])
def loki(request: pytest.FixtureRequest) -> Iterator[LokiAt]:
    lines = stored(lines_of(RECORDING.logs))
    with held(HeldLoki(lines)) if request.param == "stand-in" else live(lines) as source:
        yield source


def found_in(table: LogTable) -> list[Finding]:
    tree = TraceTree.of(RECORDING.spans)
    return log_findings(read_lines(table, tree), tree, SHOP.fault)


def read(loki: LokiAt) -> LogTable:
    return asyncio.run(loki.read_logs(between(-5, 45)))[0]


def test_all_lines_give_the_very_same_findings(loki: LokiAt) -> None:
    table = read(loki)
    assert lines_of(table) == lines_of(RECORDING.logs)
    of_case, of_loki = found_in(RECORDING.logs), found_in(table)
    assert [(one.subject, one.surprise, one.share) for one in of_loki] == [
        (one.subject, one.surprise, one.share) for one in of_case
    ]
    assert "error_logs" in {one.signal for one in of_loki}


def test_a_sample_finds_the_same_error_and_invents_none(loki: LokiAt) -> None:
    table = read(replace(loki, caps=Caps(lines=250)))
    assert len(table) < 250
    of_case, of_loki = found_in(RECORDING.logs), found_in(table)
    kinds = [sorted({(one.service, one.signal) for one in found}) for found in (of_case, of_loki)]
    assert kinds[0] == kinds[1]
