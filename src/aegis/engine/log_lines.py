"""Log lines made comparable: dated, levelled, and reduced to templates.

Volatile tokens are masked, then Drain (He et al., ICWS 2017) groups what is left, separately
for every (service, level, call site). A call site such as `Class#366` or `file.py:88` is
never masked: two lines of one text from two places in the code are two different events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from drain3.drain import Drain
from numpy.typing import NDArray

from aegis.engine.trace_tree import NO_ROW, TraceTree
from aegis.model.label_text import quoted
from aegis.model.telemetry import UNDATED, Int64s, LogTable

HEADER_CHARACTERS = 240
MESSAGE_CHARACTERS = 160
DRAIN_DEPTH = 5
DRAIN_SIMILARITY = 0.7
WILDCARD = "<*>"

_LEVEL = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|FATAL|CRIT(?:ICAL)?|SEVERE|PANIC)\b"
    r"|(?:level|lvl|severity)\W{1,4}([A-Za-z]+)"
    r"|[\[<](trace|debug|info|notice|warn(?:ing)?|err(?:or)?|fatal|crit(?:ical)?|panic)[\]>]",
    re.ASCII,
)
_CALL_SITE_END = re.compile(r"(?:#|\.[a-z]{1,5}:)\d{1,5}\b")
_VOLATILE = re.compile(r"[0-9a-fA-F-]{8,}|\d[\w.:-]*")
_BROKEN = re.compile(rf"{re.escape(WILDCARD)}|[\r\n]+")
_ID_LABEL = re.compile(r"\b(?:trace|span|request|correlation)[ _-]?id\W*$", re.IGNORECASE)
_WORD = re.compile(r"[^\s=,]+")
"""What Drain takes for a word."""
SEVERE = frozenset(
    {"ERROR", "ERR", "FATAL", "CRIT", "CRITICAL", "SEVERE", "PANIC", "EMERGENCY", "ALERT"}
)
_THROWN = re.compile(r"\b\w*(?:Exception|Traceback|panic:|StackOverflow|OutOfMemory)\w*")


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of line of one service; `literal` stands in each of its lines as it is."""

    service_code: int
    severe: bool
    site: str
    text: str
    literal: str

    @property
    def label(self) -> str:
        return f"{self.site} {self.text}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class ReadLines:
    """Columns beside a LogTable, row by row.

    `time_ns` is UNDATED only where neither the line nor its trace has a time. `span` is the
    row of the emitting span, `trace` its trace code; -1 where unknown.
    """

    table: LogTable
    time_ns: Int64s
    template: NDArray[np.int64]
    templates: tuple[Template, ...]
    span: Int64s
    trace: Int64s

    def service_of(self, template: Template) -> str:
        return self.table.services[template.service_code]

    def query_of(self, template: Template) -> str:
        return log_query(self.table, self.service_of(template), template.literal)


def read_lines(table: LogTable, tree: TraceTree) -> ReadLines:
    """Link lines to spans, date those without a time, and find their templates."""
    span, trace = _links(table, tree)
    time_ns = table.time_ns.copy()
    undated = time_ns == UNDATED
    from_span = undated & (span != NO_ROW)
    time_ns[from_span] = tree.spans.start_ns[span[from_span]]
    from_trace = undated & (span == NO_ROW) & (trace != NO_ROW)
    if np.any(from_trace):
        begin = np.full(tree.trace_count, np.iinfo(np.int64).max)
        np.minimum.at(begin, tree.trace, tree.spans.start_ns)
        time_ns[from_trace] = begin[trace[from_trace]]
    template, templates = _templates(table)
    return ReadLines(table, time_ns, template, templates, span, trace)


def _links(table: LogTable, tree: TraceTree) -> tuple[Int64s, Int64s]:
    """Rows of the emitting spans and trace codes of the lines."""
    lines, rows = len(table), len(tree.spans)
    nothing = np.full(lines, NO_ROW, dtype=np.int64)
    if lines == 0 or rows == 0:
        return nothing, nothing
    first_row = np.flatnonzero(np.append(True, tree.trace[1:] != tree.trace[:-1]))
    known_traces = tree.spans.trace_id[first_row]
    width = max(known_traces.dtype.itemsize, table.trace_id.dtype.itemsize)
    known, wanted = known_traces.astype(f"S{width}"), table.trace_id.astype(f"S{width}")
    position = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    trace = np.where((known[position] == wanted) & (wanted != b""), position, NO_ROW)
    names, code = np.unique(
        np.concatenate([tree.spans.span_id, table.span_id]), return_inverse=True
    )
    key = tree.trace * len(names) + code[:rows]
    line_key = trace * len(names) + code[rows:]
    order = np.argsort(key, kind="stable")
    row = order[np.minimum(np.searchsorted(key[order], line_key), rows - 1)]
    linked = (trace != NO_ROW) & (key[row] == line_key)
    return np.where(linked, row, NO_ROW), trace


def _templates(table: LogTable) -> tuple[NDArray[np.int64], tuple[Template, ...]]:
    """Template code of every line and the templates, order-free within each service."""
    kinds: dict[tuple[int, bool, str], dict[str, list[int]]] = {}
    for row, body in enumerate(table.body):
        level_code = int(table.level_code[row])
        level = table.levels[level_code] if level_code >= 0 else None
        severe, site, message = _cut(body, level)
        kind = (int(table.service_code[row]), severe, site)
        kinds.setdefault(kind, {}).setdefault(message, []).append(row)
    codes = np.zeros(len(table), dtype=np.int64)
    templates: list[Template] = []
    for (service_code, severe, site), messages in kinds.items():
        for text, members in _drained(messages):
            for message in members:
                codes[messages[message]] = len(templates)
            literal = max(site, _literal(text, members), key=len)
            templates.append(Template(service_code, severe, site, text, literal))
    return codes, tuple(templates)


def _drained(messages: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Group masked messages by Drain; fed in sorted order so that row order is no input."""
    drain = Drain(
        depth=DRAIN_DEPTH, sim_th=DRAIN_SIMILARITY, extra_delimiters=("=", ","), param_str=WILDCARD
    )
    groups: dict[int, tuple[object, list[str]]] = {}
    for message in sorted(messages):
        cluster, _ = drain.add_log_message(message)
        groups.setdefault(cluster.cluster_id, (cluster, []))[1].append(message)
    return [(cluster.get_template(), members) for cluster, members in groups.values()]  # type: ignore[attr-defined]


def _cut(body: str, level: str | None) -> tuple[bool, str, str]:
    """Is the line severe, where in the code it was written, and its masked message."""
    start = 0
    found = _LEVEL.search(body, 0, HEADER_CHARACTERS)
    if found is not None:
        start = found.end()
        if level is None:
            level = found.group(found.lastindex or 0)  # mutate: equivalent one group always matches
    site, begin = "", 0
    site_end = _CALL_SITE_END.search(body, 0, HEADER_CHARACTERS)
    after = start
    if site_end is not None:
        begin = body.rfind(" ", 0, site_end.start()) + 1
        site = body[begin : site_end.end()]
        after = max(start, site_end.end())
    said = body[after : after + MESSAGE_CHARACTERS]
    if site and not any(map(str.isalpha, said)):
        # A line that ends with its call site, as exceptions do, says all before it.
        said = body[start:begin][:MESSAGE_CHARACTERS]
    if level is None:
        severe = _THROWN.search(body, 0, HEADER_CHARACTERS) is not None
    else:
        severe = level.upper() in SEVERE
    return severe, site, _VOLATILE.sub(WILDCARD, said)


def _literal(text: str, members: Sequence[str]) -> str:
    """The longest piece of the template that all its messages hold, and that is no id's label.

    Drain writes a space for each of its delimiters, so the piece is cut from a message.
    """
    first, shown, at = members[0], "", 0
    for word, same in zip(_WORD.finditer(first), text.split(" "), strict=False):
        shown += first[at : word.start()] + (same if word[0] == same else WILDCARD)
        at = word.end()
    parts = _BROKEN.split(shown + first[at:])
    pieces = [_ID_LABEL.sub("", piece).strip() for piece in parts]
    return max((one for one in pieces if all(one in each for each in members)), key=len, default="")


def log_query(table: LogTable, service: str, literal: str) -> str:
    """The source's own selector of the service where it has one, else one that looks like it."""
    escaped = literal.replace("\\", "\\\\").replace('"', '\\"')
    selector = table.selectors.get(service) or log_stream(service)
    return f'{selector} |= "{escaped}"'


def log_stream(service: str) -> str:
    """The selector of a service's lines where nothing is known of how they are labelled."""
    return f"{{service={quoted(service)}}}"
