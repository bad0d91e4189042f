"""LogQL is built from parts, and no value can leave its quotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.adapters.loki.logql import (
    LONGEST_PATTERN,
    LONGEST_VALUE,
    AllOf,
    AnyOf,
    Below,
    CountQuery,
    LineFilter,
    LogQuery,
    Matcher,
    any_value,
    quoted,
    re2_literal,
)
from aegis.model.errors import InvalidRequest
from tests.adapters.loki_language import ParseError, parse, unquoted

APP = Matcher("app", "=", "checkout")
HOSTILE = [
    '"',
    "\\",
    '"} |= "',
    'x"} or {app=~".+',
    "`",
    "{{.app}}",
    "a\nb\r\t",
    "..",
    "../../x",
    "\x00\x1b[31m",
    "\u202egnp.exe",
    "\u200bzero",
    "\x85next",
    "中文 “引号”",
    "🔥",
    "\U000e0041",
]


def test_a_log_query_has_its_stages_in_order() -> None:
    query = LogQuery(
        (APP, Matcher("namespace", "!=", "x")),
        (LineFilter("|~", "(?i)(error)"), LineFilter("!=", "health")),
        (AnyOf((Matcher("level", "=~", "err.*"), AllOf((Matcher("a", "=", ""), Below("b", 7))))),),
    )
    assert query.text() == (
        '{app="checkout", namespace!="x"} |~ "(?i)(error)" != "health"'
        ' | (level=~"err.*" or (a="" and b<7))'
    )


def test_a_sample_is_taken_on_labels_that_are_dropped_again() -> None:
    text = LogQuery((APP,), sampling=Below("aegis_pick", 4)).text()
    assert text == (
        '{app="checkout"} | label_format aegis_trace=`{{.trace_id}}{{.traceID}}{{.traceid}}`,'
        " aegis_pick=`{{mod (unixEpochNanos __timestamp__) 4093}}`"
        " | aegis_pick<4 | drop aegis_trace, aegis_pick"
    )


def test_lines_are_counted_by_labels_or_all_together() -> None:
    assert CountQuery(LogQuery((APP,)), 30, ("app", "level")).text() == (
        'sum by (app, level) (count_over_time({app="checkout"} [30s]))'
    )
    assert CountQuery(LogQuery((APP,)), 5).text() == 'sum(count_over_time({app="checkout"} [5s]))'


def test_one_value_needs_no_brackets() -> None:
    assert any_value("app", "=", ["a"]).text() == 'app="a"'
    assert any_value("app", "=", ["a", "b"]).text() == '(app="a" or app="b")'
    assert any_value("app", "!=", ["a", "b"]).text() == '(app!="a" and app!="b")'


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_a_value(value: str) -> None:
    text = LogQuery((Matcher("app", "=", value),), (LineFilter("|=", value),)).text()
    query = parse(text)
    assert query.selects({"app": value}, "")
    assert not query.selects({"app": "checkout"}, "")
    assert query.keeps({}, f"before {value} after")
    assert not query.keeps({}, "another line")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_is_quoted_so_that_it_reads_back(value: str) -> None:
    text = quoted(value)
    assert unquoted(text) == value
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]", text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_quoted_pattern_matches_its_text_only(value: str) -> None:
    pattern = re.compile(re2_literal(value))
    assert pattern.fullmatch(value)
    assert not pattern.fullmatch(f"{value}x")


def test_half_a_character_is_no_value() -> None:
    with pytest.raises(InvalidRequest, match="half a character"):
        quoted("\ud800")


def test_values_and_patterns_have_a_length() -> None:
    assert len(quoted("x" * LONGEST_VALUE)) == LONGEST_VALUE + 2
    with pytest.raises(InvalidRequest, match="longer than 1024"):
        quoted("x" * (LONGEST_VALUE + 1))
    LineFilter("|~", "x" * LONGEST_PATTERN).text()
    for too_long in (
        LineFilter("!~", "x" * (LONGEST_PATTERN + 1)),
        Matcher("app", "=~", "x" * (LONGEST_PATTERN + 1)),
    ):
        with pytest.raises(InvalidRequest, match="longer than 256"):
            too_long.text()
    Matcher("app", "!=", "x" * (LONGEST_PATTERN + 1)).text()


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a=~", "1a", "ä", "a-b", "a\n", "x" * 129])
def test_only_names_name_labels(name: str) -> None:
    with pytest.raises(InvalidRequest, match="no label name"):
        Matcher(name, "=", "x").text()
    with pytest.raises(InvalidRequest, match="no label name"):
        CountQuery(LogQuery((APP,)), 1, (name,)).text()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{}",
        '{app=~".*"}',
        '{app="a"',
        '{app="a"} | json',
        '{app="a"} | line_format "x"',
        'rate({app="a"}[1m])',
        '{app="a"} | (a="b" and c="d" or e="f")',
        '{app="a"} | label_format x=`{{.y}}`',
    ],
)
def test_the_stand_in_refuses_what_the_adapter_never_sends(query: str) -> None:
    with pytest.raises(ParseError):
        parse(query)
