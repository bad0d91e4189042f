"""Wrong input gives one line that names file and field, the right exit code, no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.cli.commands import Aegis

Break = Callable[[Path], None]


def header(**fields: object) -> Break:
    """Set fields of case.json; None leaves the field out."""

    def apply(folder: Path) -> None:
        path = folder / "case.json"
        content = json.loads(path.read_text()) | fields
        kept = {name: value for name, value in content.items() if value is not ...}
        path.write_text(json.dumps(kept))

    return apply


def written(name: str, content: bytes) -> Break:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return apply


def without(*names: str) -> Break:
    def apply(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return apply


def column(name: str, column_name: str, change: Callable[[Any], Any]) -> Break:
    """Replace a column of a Parquet file."""

    def apply(folder: Path) -> None:
        path = folder / f"{name}.parquet"
        table = pq.read_table(path)
        place = table.column_names.index(column_name)
        changed = change(table[column_name])
        pq.write_table(table.set_column(place, column_name, changed), path)

    return apply


def dropped(name: str, column_name: str) -> Break:
    def apply(folder: Path) -> None:
        path = folder / f"{name}.parquet"
        pq.write_table(pq.read_table(path).drop_columns([column_name]), path)

    return apply


def second_row(value: object) -> Callable[[Any], Any]:
    """The column with `value` in its second row."""

    def change(values: Any) -> Any:
        rows = values.to_pylist()
        rows[1] = value
        return pa.array(rows, values.type)

    return change


def torn(name: str) -> Break:
    def apply(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-200])

    return apply


def scrambled(name: str) -> Break:
    """The footer is whole, the pages are not."""

    def apply(folder: Path) -> None:
        path = folder / name
        content = bytearray(path.read_bytes())
        content[4:400] = b"\xff" * 396
        path.write_bytes(bytes(content))

    return apply


WINDOW = {"start": "2026-03-01T10:30:00Z", "end": "2026-03-01T10:36:00Z"}
BAD_CASES: dict[str, tuple[Break, str]] = {
    "no case.json": (without("case.json"), "case.json: missing"),
    "not JSON": (written("case.json", b"{oops"), "case.json: not JSON: Expecting property name"),
    "not UTF-8": (written("case.json", b"\xff\xfe{"), "case.json: not JSON:"),
    "a list": (written("case.json", b"[]"), "case.json: must be an object, is a list"),
    "endless nesting": (written("case.json", b"[" * 200_000), "case.json: not JSON:"),
    "another format": (header(format="aegis-case/2"), "case.json: format: must be 'aegis-case/1'"),
    "no id": (header(id=...), "case.json: id: missing"),
    "a number as id": (header(id=7), "case.json: id: must be text, is a number"),
    "no window": (header(fault_window=...), "case.json: fault_window: missing"),
    "a window of text": (
        header(fault_window="now"),
        "case.json: fault_window: must be an object, is text",
    ),
    "no end": (
        header(fault_window={"start": WINDOW["start"]}),
        "case.json: fault_window.end: missing",
    ),
    "end before start": (
        header(fault_window={"start": WINDOW["end"], "end": WINDOW["start"]}),
        "case.json: fault_window.end: 2026-03-01T10:30:00Z is not after start",
    ),
    "a time without offset": (
        header(fault_window=WINDOW | {"end": "2026-03-01T10:36:00"}),
        "case.json: fault_window.end: '2026-03-01T10:36:00' has no offset",
    ),
    "no time at all": (
        header(fault_window=WINDOW | {"end": "soon"}),
        "case.json: fault_window.end: 'soon' is not an ISO 8601 time",
    ),
    "a time beyond time": (
        header(fault_window=WINDOW | {"end": "9999-12-31T23:59:59-08:00"}),
        "case.json: fault_window.end: '9999-12-31T23:59:59-08:00' is not between 1970 and 2200",
    ),
    "an empty window": (
        header(fault_window={"start": "2027-01-01T00:00:00Z", "end": "2027-01-01T00:10:00Z"}),
        "case.json: fault_window: no recorded row lies in it",
    ),
    "services of text": (
        header(services="shop"),
        "case.json: services: must be a list, is text",
    ),
    "a null service": (
        header(services=["shop", None]),
        "case.json: services[1]: must be text, is null",
    ),
    "a call of three": (
        header(calls=[["a", "b", "c"]]),
        "case.json: calls[0]: must be a pair of texts",
    ),
    "a change without time": (
        header(changes=[{"service": "cart"}]),
        "case.json: changes[0].time: missing",
    ),
    "another alarm": (
        header(alarm={"service": "shop", "kind": "smell"}),
        "case.json: alarm.kind: must be latency, errors or null, is 'smell'",
    ),
    "no telemetry": (
        without("metrics.parquet", "spans.parquet", "logs.parquet"),
        ": has neither metrics.parquet nor spans.parquet nor logs.parquet",
    ),
    "no Parquet": (
        written("metrics.parquet", b"time,value\n1,2\n"),
        "metrics.parquet: cannot be read as Parquet:",
    ),
    "empty Parquet": (written("logs.parquet", b""), "logs.parquet: cannot be read as Parquet:"),
    "torn metrics": (torn("metrics.parquet"), "metrics.parquet: cannot be read as Parquet:"),
    "torn spans": (torn("spans.parquet"), "spans.parquet: cannot be read as Parquet:"),
    "scrambled spans": (scrambled("spans.parquet"), "spans.parquet: cannot be read as Parquet:"),
    "no value column": (
        dropped("metrics", "value"),
        "metrics.parquet: value: column is missing",
    ),
    "values of text": (
        column("metrics", "value", lambda values: values.cast(pa.string())),
        "metrics.parquet: value: must be a number (float64), is string",
    ),
    "NaN": (
        column("metrics", "value", second_row(float("nan"))),
        "metrics.parquet: value: row 2: NaN is not a measurement",
    ),
    "infinity": (
        column("metrics", "value", second_row(float("-inf"))),
        "metrics.parquet: value: row 2: an infinite value is not a measurement",
    ),
    "a null value": (
        column("metrics", "value", second_row(None)),
        "metrics.parquet: value: row 2: null, but every row needs one",
    ),
    "times of text": (
        column("spans", "start", lambda times: times.cast(pa.int64()).cast(pa.string())),
        "spans.parquet: start: must be a timestamp, is string",
    ),
    "a span before time": (
        column("spans", "start", second_row(datetime(1754, 8, 30, tzinfo=UTC))),
        "spans.parquet: start: row 2: not a time between 1970 and 2200",
    ),
    "a negative duration": (
        column("spans", "duration_ns", second_row(-1)),
        "spans.parquet: duration_ns: row 2: a span cannot take less than 0 ns",
    ),
    "an endless span": (
        column("spans", "duration_ns", second_row(2**62)),
        "spans.parquet: duration_ns: row 2: a span cannot take longer than 30 years",
    ),
    "durations with a fraction": (
        column("spans", "duration_ns", lambda took: took.cast(pa.float64())),
        "spans.parquet: duration_ns: must be a whole number (int64), is double",
    ),
    "errors of numbers": (
        column("spans", "error", lambda flags: flags.cast(pa.int8())),
        "spans.parquet: error: must be a boolean, is int8",
    ),
    "a service that is null": (
        column("logs", "service", second_row(None)),
        "logs.parquet: service: row 2: null, but every row needs one",
    ),
    "a giant id": (
        column("spans", "trace_id", second_row("x" * 500)),
        "spans.parquet: trace_id: row 2: longer than 128 bytes",
    ),
    "bodies of bytes": (
        column("logs", "body", lambda bodies: pc.cast(bodies, pa.binary())),
        "logs.parquet: body: must be text, is binary",
    ),
}


@pytest.mark.parametrize("name", BAD_CASES)
def test_a_broken_case_is_named_in_one_line(aegis: Aegis, shop: Path, name: str) -> None:
    break_it, message = BAD_CASES[name]
    break_it(shop)
    ran = aegis("analyze", "why?", "--case", shop)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.count("\n") == 1
    assert ran.err.startswith(f"error: {shop}")
    assert message in ran.err


@pytest.mark.parametrize("name", BAD_CASES)
def test_the_validator_finds_what_the_reader_refuses(aegis: Aegis, shop: Path, name: str) -> None:
    break_it, message = BAD_CASES[name]
    break_it(shop)
    ran = aegis("case", "validate", shop)
    assert ran.code == 3
    assert any(message in line for line in ran.out.splitlines() if line.startswith("error: "))
    assert ran.err == ""


@pytest.mark.parametrize("command", ["analyze", "show", "validate"])
def test_a_folder_that_is_not_there_is_named(aegis: Aegis, tmp_path: Path, command: str) -> None:
    gone = tmp_path / "gone"
    given = ("analyze", "why?", "--case", gone) if command == "analyze" else ("case", command, gone)
    ran = aegis(*given)
    assert ran.code == 3
    assert str(gone) in ran.err + ran.out
    assert "Traceback" not in ran.err + ran.out


BAD_QUESTIONS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "end before start": (
        ("--start", "2026-03-01T10:36Z", "--end", "2026-03-01T10:30Z"),
        3,
        "error: --end: 2026-03-01T10:30Z is not after --start 2026-03-01T10:36Z",
    ),
    "a window away from the recording": (
        ("--start", "2025-01-01T10:30Z", "--end", "2025-01-01T10:40Z"),
        3,
        "error: window: nothing was recorded from 2025-01-01T10:30:00Z",
    ),
    "a window between two rows": (
        ("--start", "2026-03-01T10:00:00.5Z", "--end", "2026-03-01T10:00:01Z"),
        3,
        "error: window: nothing was recorded from 2026-03-01T10:00:00.500000Z",
    ),
    "a service nobody knows": (
        ("--service", "stor"),
        3,
        "error: service: 'stor' occurs nowhere in the telemetry; did you mean store",
    ),
    "only a start": (
        ("--start", "2026-03-01T10:30Z"),
        2,
        "error: --end: give both --start and --end, or neither; see aegis analyze --help",
    ),
    "no time": (
        ("--start", "yesterday", "--end", "2026-03-01T10:30Z"),
        2,
        "error: --start: 'yesterday' is not an ISO 8601 time",
    ),
    "a time beyond time": (
        ("--start", "2026-03-01T10:30Z", "--end", "9999-12-31T23:59:59-08:00"),
        2,
        "is not between 1971 and 2199",
    ),
    "an unknown ablation": (("--ablate", "luck"), 2, "error: --ablate: 'luck' is none of graph,"),
    "an unknown language": (("--lang", "fr"), 2, "error: --lang: 'fr' is not one of 'zh', 'en'"),
    "an unknown option": (("--fast",), 2, "error: No such option: --fast (Possible"),
}


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_question_that_cannot_be_answered_says_why(aegis: Aegis, shop: Path, name: str) -> None:
    options, code, message = BAD_QUESTIONS[name]
    ran = aegis("analyze", "why?", "--case", shop, *options)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert message in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("analyze",), "Missing argument 'question'; see aegis analyze --help"),
        (("guess",), "No such command 'guess'; see aegis --help"),
        (("case", "show"), "Missing argument 'DIR'; see aegis case show --help"),
        (("bench", ".", "--jobs", "0"), "--jobs: Input should be greater than or equal to 1; see"),
        (("case", "record", "--last", "5x", "--out", "x"), "--last: '5x' is not a time from"),
        (("demo", "--lang"), "Option '--lang' requires an argument"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_option(
    aegis: Aegis, command: tuple[str, ...], message: str
) -> None:
    ran = aegis(*command)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("command", [(), ("case",), ("tools",)])
def test_asked_for_nothing_it_shows_its_help(aegis: Aegis, command: tuple[str, ...]) -> None:
    ran = aegis(*command)
    assert (ran.code, ran.err) == (2, "")
    assert "Usage: aegis" in ran.out


@pytest.mark.parametrize("question", ["", "   ", "x" * 4001])
def test_a_question_needs_words_but_not_too_many(aegis: Aegis, shop: Path, question: str) -> None:
    ran = aegis("analyze", question, "--case", shop)
    assert ran.code == 2
    assert "must have 1 to 4000 characters" in ran.err


@pytest.mark.parametrize(
    ("name", "value"), [("AEGIS_LANGUAGE", "fr"), ("AEGIS_TIMEZONE", "Mars/Olympus")]
)
def test_a_wrong_setting_is_named(
    aegis: Aegis, shop: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    given = ("--start", "2026-03-01 10:30", "--end", "2026-03-01 10:36")
    ran = (
        aegis("demo") if name == "AEGIS_LANGUAGE" else aegis("analyze", "?", "--case", shop, *given)
    )
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {name}: must be")
    assert ran.err.count("\n") == 1


def test_all_problems_of_a_case_are_listed_with_file_row_and_column(
    aegis: Aegis, shop: Path
) -> None:
    for name in ("NaN", "a negative duration", "a null service", "a change without time"):
        BAD_CASES[name][0](shop)
    column("metrics", "value", lambda values: second_row(float("inf"))(values))(shop)
    found = aegis("case", "validate", shop, "--json").json()
    places = {
        (Path(one["file"]).name, one["row"], one["column"])
        for one in found["problems"]
        if one["severity"] == "error"
    }
    assert found["valid"] is False
    assert places == {
        ("case.json", None, "services[1]"),
        ("case.json", None, "changes[0].time"),
        ("metrics.parquet", 2, "value"),
        ("spans.parquet", 2, "duration_ns"),
    }


def test_no_more_than_fifty_problems_are_listed(aegis: Aegis, shop: Path) -> None:
    column("spans", "duration_ns", lambda took: pc.negate(took))(shop)
    assert len(aegis("case", "validate", shop, "--json").json()["problems"]) == 50


def test_services_that_occur_nowhere_are_only_a_warning(aegis: Aegis, shop: Path) -> None:
    header(
        alarm={"service": "ghost", "kind": None},
        calls=[["shop", "fax"]],
        changes=[{"service": "spook", "time": "2026-03-01T10:00:00Z"}],
    )(shop)
    (shop / "truth.json").write_text('{"root_causes": [{"service": "poltergeist"}]}')
    ran = aegis("case", "validate", shop)
    warned = [line.split(": ")[2] for line in ran.out.splitlines() if line.startswith("warning: ")]
    assert ran.code == 0
    assert warned == ["alarm.service", "calls[0]", "changes[0].service", "root_causes[0].service"]
    assert aegis("analyze", "why?", "--case", shop).code == 0


@pytest.mark.parametrize(
    ("truth", "column_name"),
    [
        ('{"root_causes": 3}', "root_causes"),
        ('{"root_causes": [{"service": "store", "family": "magic"}]}', "root_causes[0].family"),
        ('{"root_causes": [{}]}', "root_causes[0].service"),
    ],
)
def test_wrong_labels_are_found_though_only_the_benchmark_reads_them(
    aegis: Aegis, shop: Path, truth: str, column_name: str
) -> None:
    (shop / "truth.json").write_text(truth)
    assert f"truth.json: {column_name}: must be" in aegis("case", "validate", shop).out
    assert aegis("analyze", "why?", "--case", shop).code == 0
    ran = aegis("bench", shop)
    assert f"truth.json: {column_name}: must be" in ran.err
