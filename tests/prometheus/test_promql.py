"""PromQL text: nothing that telemetry or a person wrote can change what is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.adapters.prometheus.promql import (
    check_instant,
    check_range,
    one_of,
    re2_quoted,
    selector,
)
from aegis.model.errors import InvalidRequest
from aegis.model.label_text import label_name, quoted

HOUR = 3600.0
HOSTILE = ['a"b', "a\\", 'x"} or up{a="', "a\nb", "`", "..", "\u202eabc", "a\u200bb", "\x9b", "{}"]


def parsed_value(promql: str) -> str:
    import promql_parser

    parsed: Any = promql_parser.parse(promql)
    matchers = parsed.matchers.matchers
    assert [one.name for one in matchers] == ["service"]
    return str(matchers[0].value)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_a_value(value: str) -> None:
    assert parsed_value(selector("up", {"service": value})) == value


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_comes_back_from_the_parser_as_it_was(value: str) -> None:
    assert parsed_value(selector("up", {"service": value})) == value


@given(st.text())
def test_a_quoted_value_shows_everything_it_holds(value: str) -> None:
    text = quoted(value)
    assert text.isprintable()
    assert not any("\u202a" <= char <= "\u202e" or "\u200b" <= char <= "\u200f" for char in text)


def test_characters_beyond_the_first_plane_are_written_with_eight_digits() -> None:
    assert quoted("\U000e0001") == '"\\U000e0001"'


def test_half_a_surrogate_becomes_the_replacement_character() -> None:
    assert json.loads(quoted("\ud800")) == "\ufffd"


def test_in_a_pattern_every_special_character_is_itself() -> None:
    assert re2_quoted("a.b|c(d)*") == '"a\\\\.b\\\\|c\\\\(d\\\\)\\\\*"'
    assert one_of(["a.b", "c"]) == '"a\\\\.b|c"'


def test_a_pattern_may_not_be_longer_than_256_characters() -> None:
    re2_quoted("a" * 256)
    with pytest.raises(InvalidRequest, match="256"):
        re2_quoted("a" * 257)


def test_dotted_names_are_quoted_and_on_old_servers_underscored() -> None:
    assert selector("a.b", {"c.d": "x"}) == '{"a.b","c.d"="x"}'
    assert selector("a.b", {"c.d": "x"}, utf8=False) == 'a_b{c_d="x"}'
    assert selector("a_b", {}) == "a_b"
    assert label_name("c.d") == '"c.d"'
    assert label_name("c_d") == "c_d"


@pytest.mark.parametrize(
    ("promql", "said"),
    [
        ("(" * 10_000 + "a" + ")" * 10_000, "1024"),
        ("(" * 33 + "a" + ")" * 33, "nested"),
        ("-" * 200 + "a", "nested"),
        ("sum(", "unclosed"),
        ('{a=~".+"}', "name its metric"),
        ('{a!="b"}', "non-empty matcher"),
        ('{a="b" or c="d"}', "or"),
        ("rate(a[7h])", "6 h"),
        ("a offset 60d", "31 days"),
        ('a{b=~"' + "x" * 257 + '"}', "256"),
        ("max_over_time(vector(1)[3y:10s])", "subquery"),
        ("", "no expression"),
    ],
)
def test_an_expression_that_could_hurt_is_refused_before_it_is_sent(promql: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        check_range(promql, HOUR, 60)


@pytest.mark.parametrize(
    "promql",
    ["up", 'sum by (a) (rate(b{c=~"d|e"}[5m]))', '{"a.b"}', "vector(1)", 'a{b="((((("}', "a # ((("],
)
def test_an_ordinary_expression_is_allowed(promql: str) -> None:
    assert check_range(promql, HOUR, 60).points == 61


@pytest.mark.parametrize(
    ("hours", "step_s", "allowed"),
    [
        (6, 22, True),
        (6, 21, False),  # 1,029 points
        (7, 59, False),
        (16, 60, True),
        (24, 60, False),  # 1,441 points
        (24, 90, True),
        (48, 299, False),
        (80, 300, True),
        (169, 3600, False),
        (1, 0, False),
    ],
)
def test_range_and_step_go_together(hours: int, step_s: int, allowed: bool) -> None:
    if allowed:
        assert check_range("up", hours * HOUR, step_s).points <= 1000
        return
    with pytest.raises(InvalidRequest):
        check_range("up", hours * HOUR, step_s)


def test_points_of_subqueries_count_within_each_other() -> None:
    assert check_range("max_over_time(up[5m:1m])", HOUR, 600).points == 7 * 6
    assert check_instant("max_over_time(max_over_time(up[5m:1m])[10m:1m])").points == 66
    with pytest.raises(InvalidRequest, match="coarser"):
        check_range("max_over_time(up[1h:10s])", HOUR, 60)
    with pytest.raises(InvalidRequest, match="1000"):
        check_instant("max_over_time(up[6h:10s])")


def test_a_subquery_without_a_step_is_counted_by_the_minute() -> None:
    assert check_instant("max_over_time(up[10m:])").points == 11
