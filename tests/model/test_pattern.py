"""Patterns of label matchers: like Python's where both know the syntax, and never slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.model.pattern import Pattern

ATOMS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\.", "ab", "^a", "b$", "é"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda one, two: one + two, inner, inner),
        st.builds(lambda one, two: f"(?:{one}|{two})", inner, inner),
        st.builds(
            lambda one, sign: f"(?:{one}){sign}",
            inner,
            st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"]),
        ),
    ),
    max_leaves=8,
)


@given(PATTERNS, st.text("abc1.\né", max_size=8))
def test_a_pattern_matches_what_pythons_matches(pattern: str, value: str) -> None:
    wanted = re.fullmatch(pattern.replace("$", r"\Z").replace(r"\d", "[0-9]"), value, re.ASCII)
    assert Pattern.of(pattern).matches(value) == (wanted is not None)


@pytest.mark.parametrize(
    ("pattern", "taken", "left"),
    [
        ("api|web", ["api", "web"], ["apiweb", "ap", ""]),
        ("prod-.*", ["prod-", "prod-eu"], ["a prod-eu", "prod"]),
        ("", [""], ["a"]),
        ("(?i)critical|page", ["CRITICAL", "Page"], ["pages"]),
        ("(?i)[^a]", ["b"], []),
        (r"10\.0\.\d{1,3}\.\d+", ["10.0.12.9"], ["10x0.12.9", "10.0.1234.9"]),
        ("[]x]", ["]", "x"], ["[]"]),
        ("[a-]", ["a", "-"], ["b"]),
        (r"[\d.]+", ["1.2"], ["a"]),
        ("支付.*", ["支付-网关"], ["网关"]),
        ("(a|b)(c|d)", ["ac", "bd"], ["ab"]),
        ("a|b|c|d", list("abcd"), ["ad"]),
    ],
)
def test_the_whole_value_must_match(pattern: str, taken: list[str], left: list[str]) -> None:
    compiled = Pattern.of(pattern)
    assert [one for one in taken if not compiled.matches(one)] == []
    assert [one for one in left if compiled.matches(one)] == []


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("a" * 501, "more than 500"),
        ("(a", r"\( without"),
        ("a)", r"\) without"),
        ("[a", r"\[ without"),
        ("[[:alpha:]]", r"\[:class:\]"),
        ("*a", "nothing before"),
        ("a**", "repeats a repetition"),
        ("a{2,1}", "at most"),
        ("a{1000}", "at most"),
        ("a{x}", "no {m,n}"),
        ("((((a{99}){99}){99}){99})", "repeats too much"),
        ("|".join(["a{60}"] * 60), "repeats too much"),
        (r"(a)\1", "unknown escape"),
        ("a(?=b)", "lookarounds"),
        ("[z-a]", "reversed"),
        (r"[\D]", "negated escape"),
        ("(" * 30 + ")" * 30, "nested too deeply"),
        ("a\\", "unknown escape"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said(pattern: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Pattern.of(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", ".*.*.*.*.*.*x", "(a?){50}a{50}b"])
def test_no_pattern_is_slow(pattern: str) -> None:
    started = time.process_time()
    assert not Pattern.of(pattern).matches("a" * 5_000)
    assert time.process_time() - started < 2.0


def test_a_pattern_forgets_before_it_grows_without_end() -> None:
    compiled = Pattern.of(".*x")
    for code in range(0x4E00, 0x4E00 + 5_000):
        assert not compiled.matches(chr(code))
    assert len(compiled._steps) <= 2_000  # noqa: SLF001 (the bound is the point)
