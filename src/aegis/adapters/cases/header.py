"""case.json: checked field by field, so that a mistake is named where it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aegis.adapters.cases.columns import FIRST_NS, LAST_NS
from aegis.adapters.cases.problems import Problem, Report, one_line
from aegis.model.incident import Asked, CaseHeader
from aegis.model.telemetry import Alarm, Change, TimeWindow, from_ns, to_ns, utc_text

FILE = "case.json"
FORMAT = "aegis-case/1"


def read_header(folder: Path, report: Report) -> CaseHeader | None:
    """The header with services, calls and changes in canonical order; None if unusable."""
    fields = read_object(folder / FILE, report)
    return None if fields is None else _header(_Fields(str(folder / FILE), "", fields, report))


def read_object(path: Path, report: Report) -> dict[str, object] | None:
    """The JSON object of a file; None after reporting why there is none."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        report(Problem(str(path), None, None, "missing"))
    except OSError as error:
        report(Problem(str(path), None, None, f"cannot be read: {one_line(error)}"))
    except (ValueError, RecursionError) as error:
        report(Problem(str(path), None, None, f"not JSON: {one_line(error)}"))
    else:
        if isinstance(content, dict):
            return content
        report(Problem(str(path), None, None, f"must be an object, is {_kind(content)}"))
    return None


def header_json(header: CaseHeader) -> dict[str, object]:
    """What `read_header` reads back as the same header."""
    fields: dict[str, object] = {
        "format": FORMAT,
        "id": header.id,
        "source": header.source,
        "fault_window": _window_json(header.fault_window),
        "alarm": None
        if header.alarm is None
        else {"service": header.alarm.service, "kind": header.alarm.kind},
        "services": list(header.services),
        "calls": [list(call) for call in header.calls],
        "changes": [_change_json(change) for change in header.changes],
    }
    if header.asked is not None:
        window = TimeWindow(header.asked.start, header.asked.end)
        fields["asked"] = {"question": header.asked.question, **_window_json(window)}
    return fields


def _window_json(window: TimeWindow) -> dict[str, str]:
    return {"start": _time_json(window.start), "end": _time_json(window.end)}


def _time_json(moment: datetime) -> str:
    return utc_text(from_ns(to_ns(moment)))


def _change_json(change: Change) -> dict[str, str]:
    fields = {"service": change.service, "time": _time_json(change.time)}
    optional = {"kind": change.kind, "version": change.version}
    return fields | {name: text for name, text in optional.items() if text is not None}


@dataclass(frozen=True, slots=True)
class _Fields:
    """One JSON object of the file; `path` leads to it, such as `changes[2].`."""

    file: str
    path: str
    values: dict[str, object]
    report: Report

    def wrong(self, name: str, message: str) -> None:
        self.report(Problem(self.file, None, self.path + name, message))

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if isinstance(value, str) and value:
            return value
        self.wrong(name, "missing" if name not in self.values else _must("text", value))
        return None

    def optional_text(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None else self.text(name)

    def time(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.wrong(name, f"{text!r} is not an ISO 8601 time")
            return None
        if moment.utcoffset() is None:
            self.wrong(name, f"{text!r} has no offset from UTC; write it with Z or +08:00")
            return None
        if not FIRST_NS <= to_ns(moment) < LAST_NS:
            self.wrong(name, f"{text!r} is not between 1970 and 2200")
            return None
        return from_ns(to_ns(moment))

    def window(self) -> TimeWindow | None:
        start, end = self.time("start"), self.time("end")
        if start is None or end is None:
            return None
        if end <= start:
            self.wrong("end", f"{self.values['end']} is not after start {self.values['start']}")
            return None
        return TimeWindow(start, end)

    def inner(self, name: str) -> _Fields | None:
        value = self.values.get(name)
        if isinstance(value, dict):
            return _Fields(self.file, f"{self.path}{name}.", value, self.report)
        self.wrong(name, "missing" if name not in self.values else _must("an object", value))
        return None

    def items(self, name: str) -> list[object]:
        value = self.values.get(name)
        if isinstance(value, list):
            return value
        self.wrong(name, "missing" if name not in self.values else _must("a list", value))
        return []


def _header(fields: _Fields) -> CaseHeader | None:
    if fields.values.get("format") != FORMAT:
        fields.wrong("format", f"must be {FORMAT!r}, is {fields.values.get('format')!r}")
    identity, source = fields.text("id"), fields.text("source")
    window_fields = fields.inner("fault_window")
    window = window_fields.window() if window_fields else None
    services = _services(fields)
    alarm, calls, changes = _alarm(fields), _calls(fields), _changes(fields)
    asked = _asked(fields)
    if identity is None or source is None or window is None:
        return None
    return CaseHeader(identity, source, window, alarm, services, calls, changes, asked)


def _services(fields: _Fields) -> tuple[str, ...]:
    names = []
    for index, item in enumerate(fields.items("services")):
        if isinstance(item, str) and item:
            names.append(item)
        else:
            fields.wrong(f"services[{index}]", _must("text", item))
    return tuple(sorted(set(names)))


def _alarm(fields: _Fields) -> Alarm | None:
    if fields.values.get("alarm") is None:
        return None
    inner = fields.inner("alarm")
    if inner is None:
        return None
    service = inner.optional_text("service")
    kind = inner.values.get("kind")
    if kind == "latency" or kind == "errors":
        return Alarm(service, "latency" if kind == "latency" else "errors")
    if kind is not None:
        inner.wrong("kind", f"must be latency, errors or null, is {kind!r}")
    return Alarm(service, None)


def _calls(fields: _Fields) -> tuple[tuple[str, str], ...]:
    calls = set()
    for index, item in enumerate(fields.items("calls")):
        match item:
            case [str(caller), str(callee)] if caller and callee:
                calls.add((caller, callee))
            case _:
                fields.wrong(f"calls[{index}]", "must be a pair of texts [caller, callee]")
    return tuple(sorted(calls))


def _changes(fields: _Fields) -> tuple[Change, ...]:
    changes = []
    for inner in _objects(fields, "changes"):
        service, time = inner.text("service"), inner.time("time")
        kind, version = inner.optional_text("kind"), inner.optional_text("version")
        if service is not None and time is not None:
            changes.append(Change(service, time, kind, version))
    return tuple(sorted(changes, key=_change_order))


def _change_order(change: Change) -> tuple[datetime, str, str, str]:
    return change.time, change.service, change.kind or "", change.version or ""


def _objects(fields: _Fields, name: str) -> Iterable[_Fields]:
    for index, item in enumerate(fields.items(name)):
        if isinstance(item, dict):
            yield _Fields(fields.file, f"{fields.path}{name}[{index}].", item, fields.report)
        else:
            fields.wrong(f"{name}[{index}]", _must("an object", item))


def _asked(fields: _Fields) -> Asked | None:
    if fields.values.get("asked") is None:
        return None
    inner = fields.inner("asked")
    if inner is None:
        return None
    question, window = inner.text("question"), inner.window()
    if question is None or window is None:
        return None
    return Asked(question, window.start, window.end)


def _must(wanted: str, value: object) -> str:
    return f"must be {wanted}, is {_kind(value)}"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if value == "":
        return "empty"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "an object")
