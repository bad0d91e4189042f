"""Turns calls and conditions into log lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from aegis.model.telemetry import Bools, Floats, Ids, Int64s, LogTable
from lab.simulator.conditions import BIN_S
from lab.simulator.emit_spans import SpanIds
from lab.simulator.incident import Incident
from lab.simulator.instruments import Instruments
from lab.simulator.log_text import (
    DEFECTS,
    DONE,
    EXCEPTIONS,
    HARMLESS,
    MIDDLE,
    MISCONFIGURED,
    START,
    Lines,
    Writer,
    place_in,
    stack_trace,
)
from lab.simulator.requests import FAILED, OK, REFUSED, REJECTED, TIMEOUT, Calls
from lab.simulator.topology import CallSite, Operation, Topology

LEVELS = ("INFO", "WARN", "ERROR")
NOTABLE_WAIT_S = 0.3
THROWING = {
    "code_exception": DEFECTS,
    "canary_exception": DEFECTS,
    "bad_config": MISCONFIGURED,
}
"""What the faults that throw say."""
REASONS = {
    FAILED: "500 Internal Server Error",
    TIMEOUT: "timed out after {ms} ms",
    REFUSED: "connection refused",
    REJECTED: "503 Service Unavailable, too many requests",
}


@dataclass(frozen=True, slots=True)
class Reporter:
    """Everything log lines are made from."""

    topology: Topology
    instruments: Instruments
    incident: Incident
    calls: Calls
    ids: SpanIds
    epoch_ns: int
    rng: np.random.Generator

    def write(self) -> LogTable:
        """All lines of the world, sorted by service and time."""
        if not self.instruments.has_logs:
            return LogTable.empty()
        lines: list[Lines] = []
        talkative = self._talkative_operations()
        heard = self.calls.reached & self._kept()
        reached = _last_stage(self.calls, self.topology)
        for op in self.topology.operations:
            if self.topology.services[op.service].has_logs:
                mine = np.flatnonzero((self.calls.operation == op.index) & heard)
                if op.index in talkative:
                    lines += self._progress(op, mine, reached[mine])
                lines += self._exceptions(op, mine) + self._waits(op, mine)
        for site in self.topology.sites:
            if self.topology.service_of(site.caller).has_logs:
                lines += self._failures(site)
        for index, service in enumerate(self.topology.services):
            if service.has_logs:
                lines += self._noise(index) + self._runtime(index)
        return self._table([part for part in lines if len(part.times_s)])

    def _talkative_operations(self) -> set[int]:
        """Operations that log their progress: as many as the budget of lines allows."""
        counts = np.bincount(
            self.calls.operation[self._kept()], minlength=len(self.topology.operations)
        )
        chosen: set[int] = set()
        total = 0
        for index in self.rng.permutation(len(counts)).tolist():
            stages = len(self.topology.operations[index].stages)
            total += int(counts[index]) * min(3, 1 + stages)
            if total > self.instruments.logged_lines and chosen:
                break
            chosen.add(index)
        return chosen

    def _kept(self) -> Bools:
        """Calls of the requests whose lines are kept, evenly over time."""
        kept: Bools = self.calls.trace % 1000 < self.instruments.logged_share * 1000
        return kept

    def _unit(self, op: Operation) -> str:
        return "".join(word.capitalize() for word in _words(op.name)[-2:])

    def _place(self, op: Operation) -> str:
        line = int(self.rng.integers(20, 600))
        return place_in(self.instruments.log_style, self._unit(op), line)

    def _pick(self, patterns: tuple[str, ...], op: Operation) -> str:
        text = patterns[int(self.rng.integers(len(patterns)))]
        noun = _words(op.name)[-1].lower()
        return text.replace("{op}", re.sub(r"\{(\w+)\}", r":\1", op.name)).replace("{noun}", noun)

    def _progress(self, op: Operation, rows: Int64s, stage: Int64s) -> list[Lines]:
        """A line at the start, after each of the first stages, and at the end.

        A request that returned early or failed says nothing of what it did not do.
        """
        calls = self.calls
        took = calls.finished[rows] - calls.began[rows]
        failed, early = calls.callee_failed[rows], calls.early[rows]
        stages = len(op.stages)
        plan = [(0, START), *((k + 1, MIDDLE) for k in range(min(stages, 2))), (stages + 1, DONE)]
        if stages == 0:
            plan = [(stages + 1, DONE)]
        out: list[Lines] = []
        for position, patterns in plan:
            there = np.ones(len(rows), dtype=np.bool_)
            if 0 < position <= stages:
                there = ~early & ((stage >= position) | ~failed)
            elif position > stages:
                there = ~failed
            at = calls.began[rows] + took * (position + 0.2) / (stages + 1.5)
            text, place = self._pick(patterns, op), self._place(op)
            ms = took[there] * 1000
            out.append(Lines(op.service, "INFO", place, text, at[there], rows[there], ms))
        return out

    def _exceptions(self, op: Operation, rows: Int64s) -> list[Lines]:
        rows = rows[self.calls.threw[rows]]
        sent = self.calls.sent[rows]
        defect = np.zeros(len(rows), dtype=np.bool_)
        says: tuple[tuple[str, str], ...] = DEFECTS
        for fault in self.incident.faults:
            if fault.kind in THROWING and fault.service == op.service:
                if fault.operation != op.index and fault.kind != "bad_config":
                    continue
                says = THROWING[fault.kind]
                defect |= (sent >= fault.start_s) & (sent < fault.end_s)
        out: list[Lines] = []
        for those, known in ((rows[~defect], EXCEPTIONS), (rows[defect], says)):
            name, text = known[int(self.rng.integers(len(known)))]
            line = int(self.rng.integers(20, 600))
            message = stack_trace(name, text, self._unit(op), line)
            place = place_in(self.instruments.log_style, self._unit(op), line)
            ended = self.calls.finished[those]
            out.append(
                Lines(op.service, "ERROR", place, message, ended, those, np.zeros(len(those)))
            )
        return out

    def _waits(self, op: Operation, rows: Int64s) -> list[Lines]:
        waited = self.calls.began[rows] - self.calls.arrived[rows]
        long = waited > NOTABLE_WAIT_S
        text, place = "request waited {ms} ms for a free worker", self._place(op)
        begun = self.calls.began[rows][long]
        return [Lines(op.service, "WARN", place, text, begun, rows[long], waited[long] * 1000)]

    def _failures(self, site: CallSite) -> list[Lines]:
        """What the caller says about attempts that failed."""
        calls, op = self.calls, self.topology.operations[site.caller]
        peer = self.topology.service_of(site.callee).name
        mine = (calls.site == site.index) & self._kept()
        out: list[Lines] = []
        for outcome, reason, those in self._reasons(site):
            bad = mine & those & (calls.outcome == outcome)
            if not bad.any():
                continue
            for last in (True, False):
                rows = np.flatnonzero(bad & ((calls.attempt == site.attempts) == last))
                if last:
                    level = "ERROR" if site.required else "WARN"
                    ending = "" if site.required else ", using fallback"
                else:
                    level, ending = "WARN", ", retrying"
                text = f"call to {peer} failed: {reason}{ending}"
                took = (calls.received - calls.sent)[rows] * 1000
                place = self._place(op)
                at = calls.received[rows]
                out.append(Lines(op.service, level, place, text, at, rows, took, of_caller=True))
        return out

    def _reasons(self, site: CallSite) -> list[tuple[int, str, Bools]]:
        """(outcome, what the callee said, calls that were told so)."""
        op, sent = self.topology.operations[site.callee], self.calls.sent
        told = np.zeros(len(sent), dtype=np.bool_)
        out: list[tuple[int, str, Bools]] = []
        for fault in self.incident.faults:
            if fault.complaint is not None and fault.service == op.service:
                during = (sent >= fault.start_s) & (sent < fault.end_s)
                out.append((FAILED, fault.complaint, during))
                told |= during
        return [
            *out,
            *((outcome, text, _usual(outcome, told)) for outcome, text in REASONS.items()),
        ]

    def _noise(self, index: int) -> list[Lines]:
        """Lines that mean nothing: periodic chores and old warnings."""
        out: list[Lines] = []
        length = self.incident.conditions.bins * BIN_S
        for level, text in HARMLESS:
            if self.rng.random() < 0.5:
                every = float(self.rng.uniform(*self.instruments.chatter_s))
                count = int(length / every)
                at = (np.arange(count) + self.rng.uniform(0, 1, count)) * every
                out.append(self._unrelated(index, level, text, at))
        return out

    def _runtime(self, index: int) -> list[Lines]:
        """Collector pauses and restarts."""
        now = self.incident.conditions
        time = np.arange(now.bins) * BIN_S
        paused = time[now.pause_share[index] > 0.1]
        killed = time[now.restarts[index] > 0]
        started = killed + 14.0
        if now.gone[index].any():
            started = time[1:][np.diff(now.gone[index]) < 0]
        pause = f"GC pause (Allocation Failure) {now.pause_s[index] * 1000:.0f} ms"
        return [
            self._unrelated(index, "WARN", pause, paused + 1.0),
            self._unrelated(index, "ERROR", "java.lang.OutOfMemoryError: Java heap space", killed),
            self._unrelated(index, "INFO", "Started application in {ms} ms", started),
        ]

    def _unrelated(self, index: int, level: str, text: str, at: Floats) -> Lines:
        place = place_in(self.instruments.log_style, "Runtime", int(self.rng.integers(10, 90)))
        rows = np.full(len(at), -1)
        return Lines(index, level, place, text, at, rows, self.rng.uniform(1, 90, len(at)))

    def _table(self, lines: list[Lines]) -> LogTable:
        show = self.instruments
        writer = Writer(show.log_style, show.level_column, self.rng)
        time_ns = np.concatenate([self._times(part) for part in lines])
        bodies: list[str] = []
        for part in lines:
            bodies += writer.bodies(part, (self._times(part) // 10**6 % 86_400_000).tolist())
        services = np.repeat([part.service for part in lines], [len(p.rows) for p in lines])
        levels = np.repeat([LEVELS.index(p.level) for p in lines], [len(p.rows) for p in lines])
        rows = np.concatenate([part.rows for part in lines])
        of_caller = np.repeat([part.of_caller for part in lines], [len(p.rows) for p in lines])
        trace, span = self._context(rows, of_caller)
        order = np.lexsort((time_ns, services))
        return LogTable(
            time_ns=time_ns[order],
            service_code=services[order].astype(np.int32),
            services=tuple(service.name for service in self.topology.services),
            body=tuple(bodies[row] for row in order.tolist()),
            level_code=np.where(show.level_column, levels, -1)[order].astype(np.int32),
            levels=LEVELS if show.level_column else (),
            trace_id=trace[order],
            span_id=span[order],
        )

    def _times(self, lines: Lines) -> Int64s:
        skew = self.instruments.clock_s[lines.service]
        out: Int64s = self.epoch_ns + np.rint((lines.times_s + skew) * 1e6).astype(np.int64) * 1000
        return out

    def _context(self, rows: Int64s, of_caller: Bools) -> tuple[Ids, Ids]:
        """Trace and span a line names: those of the span that was open when it was written."""
        at = np.where(of_caller, self.calls.parent[rows], rows)
        owner = np.array([op.service for op in self.topology.operations])
        traced = np.array([service.has_spans for service in self.topology.services])
        named = (rows >= 0) & traced[owner[self.calls.operation[at]]]
        named &= self.instruments.log_trace_ids
        return np.where(named, self.ids.trace[at], b""), np.where(named, self.ids.server[at], b"")


def _usual(outcome: int, told: Bools) -> Bools:
    """Calls that got the usual text for this outcome: all but those told something else."""
    return ~told if outcome == FAILED else np.ones_like(told)


def _words(name: str) -> list[str]:
    """The words of an operation's name, whatever its style."""
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)


def _last_stage(calls: Calls, topology: Topology) -> Int64s:
    """How many stages every call got through: those whose calls all succeeded."""
    stage_of = np.zeros(len(topology.sites) + 1, dtype=np.int64)
    for op in topology.operations:
        for number, stage in enumerate(op.stages, start=1):
            for site in stage:
                stage_of[site.index] = number
    out = np.zeros(len(calls), dtype=np.int64)
    good = (calls.parent >= 0) & (calls.outcome == OK)
    np.maximum.at(out, calls.parent[good], stage_of[calls.site[good]])
    return out
