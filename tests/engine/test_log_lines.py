"""Log lines made comparable: levelled and reduced to templates."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from aegis.engine.log_lines import ReadLines, Template, log_query, read_lines
from aegis.engine.trace_tree import TraceTree
from aegis.model.telemetry import LogLine, LogTable
from tests.engine.telemetry import line, logs, spans

NO_SPANS = TraceTree.of(spans([]))


def read(*lines: LogLine) -> ReadLines:
    return read_lines(logs(lines), NO_SPANS)


def template(body: str, level: str | None = None) -> Template:
    (only,) = read(line(0, "shop", body, level)).templates
    return only


def texts(*bodies: str) -> set[str]:
    found = read(*(line(index, "shop", body) for index, body in enumerate(bodies)))
    return {item.text for item in found.templates}


# --- Severity --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["ERROR", "ERR", "FATAL", "CRIT", "CRITICAL", "SEVERE", "PANIC", "EMERGENCY", "ALERT"],
)
def test_levels_that_speak_of_failure_are_severe_in_any_case(word: str) -> None:
    assert template("payment refused", word).severe
    assert template("payment refused", word.lower()).severe


@pytest.mark.parametrize("word", ["INFO", "WARN", "WARNING", "DEBUG", "TRACE", "NOTICE", ""])
def test_other_levels_are_not_severe(word: str) -> None:
    assert not template("payment refused", word).severe


@pytest.mark.parametrize(
    ("body", "severe"),
    [
        ("ERROR payment refused", True),
        ("2026-03-01 10:00:00 ERR payment refused", True),
        ("SEVERE payment refused", True),
        ("level=error payment refused", True),
        ('"severity": "fatal" payment refused', True),
        ("[error] payment refused", True),
        ("<crit> payment refused", True),
        ("INFO no ERROR at all", False),  # the first level counts
        ("WARN payment refused", False),
        ("level=info payment refused", False),
        ("[warning] payment refused", False),
        ("payment refused", False),
        ("an error in lower case is prose", False),
        ("TERRORS are no level", False),
    ],
)
def test_the_level_is_read_from_the_line_where_the_source_gave_none(
    body: str, severe: bool
) -> None:
    assert template(body).severe == severe


def test_the_level_of_the_source_wins_over_the_line() -> None:
    assert not template("ERROR payment refused", "INFO").severe
    assert template("INFO payment refused", "ERROR").severe


@pytest.mark.parametrize(
    "body",
    ["NullPointerException in pay", "Traceback (most recent call last)", "OutOfMemoryError now"],
)
def test_a_line_without_a_level_that_throws_is_severe(body: str) -> None:
    assert template(body).severe
    assert not template(body, "INFO").severe
    assert not template("INFO " + body).severe


@pytest.mark.parametrize(("indent", "severe"), [(235, True), (236, False)])
def test_a_level_is_looked_for_in_the_first_240_characters(indent: int, severe: bool) -> None:
    # "ERROR" has five
    assert template("." * (indent - 1) + " ERROR").severe == severe


@pytest.mark.parametrize(("indent", "severe"), [(231, True), (232, False)])
def test_a_throw_is_looked_for_in_the_first_240_characters(indent: int, severe: bool) -> None:
    # "Exception" has nine
    assert template("." * (indent - 1) + " Exception").severe == severe


# --- Message and call site -------------------------------------------------------------------


def test_what_stands_before_the_level_is_no_part_of_the_message() -> None:
    assert template("10:00 thread main ERROR payment refused").text == "payment refused"


def test_without_a_level_the_whole_line_is_the_message() -> None:
    assert template("payment refused").text == "payment refused"


def test_a_call_site_is_kept_as_it_is_and_the_message_starts_after_it() -> None:
    found = template("INFO com.shop.Pay#366 payment refused")

    assert (found.site, found.text) == ("com.shop.Pay#366", "payment refused")
    assert found.label == "com.shop.Pay#366 payment refused"


@pytest.mark.parametrize("site", ["pay.py:88", "Pay.java:1", "main.go:12345"])
def test_a_file_and_line_is_a_call_site(site: str) -> None:
    assert template(f"{site} payment refused").site == site


def test_a_call_site_before_the_level_leaves_the_message_after_the_level() -> None:
    found = template("pay.py:88 ERROR payment refused")

    assert (found.site, found.text) == ("pay.py:88", "payment refused")


def test_a_call_site_begins_after_the_space_before_it() -> None:
    assert template(" Pay#366 refused").site == "Pay#366"
    assert template("at Pay#366 refused").site == "Pay#366"
    assert template("Pay#366 refused").site == "Pay#366"
    assert template("#366 refused").site == "#366"


def test_without_a_call_site_the_label_is_the_text() -> None:
    found = template("payment refused")

    assert (found.site, found.label) == ("", "payment refused")


@pytest.mark.parametrize(("indent", "site"), [(237, "a#4"), (238, "")])
def test_a_call_site_is_looked_for_in_the_first_240_characters(indent: int, site: str) -> None:
    assert template("." * (indent - 1) + " a#4").site == site


def test_the_message_ends_after_160_characters() -> None:
    words = "word " * 31 + "abcde" + "fghij"  # 155 + 5 + 5

    assert template("ERROR" + words).severe is False  # no level: the word runs on
    assert template("ERROR " + "x" * 158 + "yz").text == "x" * 158 + "y"  # the space is one


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("order 4711 paid", "order <*> paid"),
        ("took 12.5ms at 10:20:30", "took <*> at <*>"),
        ("trace 0af7651916cd43dd found", "trace <*> found"),
        ("deadbeef came back", "<*> came back"),
        ("deadbee came back", "deadbee came back"),  # seven hex digits may be a word
        ("v2 of x86", "v<*> of x<*>"),
    ],
)
def test_what_changes_from_line_to_line_is_masked(body: str, text: str) -> None:
    assert template(body).text == text


# --- Templates -------------------------------------------------------------------------------


def test_lines_that_differ_in_three_tenths_of_their_words_are_one_template() -> None:
    three = texts("a b c d e f g h i j", "a b c d e f g X Y Z")
    four = texts("a b c d e f g h i j", "a b c d e f W X Y Z")

    assert three == {"a b c d e f g <*> <*> <*>"}
    assert len(four) == 2


def test_lines_that_differ_in_their_first_two_words_are_different_templates() -> None:
    assert len(texts("a b c d e f g h i j", "a X c d e f g h i j")) == 2
    assert texts("a b c d e f g h i j", "a b X d e f g h i j") == {"a b <*> d e f g h i j"}


def test_lines_of_different_length_are_different_templates() -> None:
    assert len(texts("a b c d e f g h i j", "a b c d e f g h i j k")) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (line(0, "shop", "all is well"), line(1, "cart", "all is well")),
        (line(0, "shop", "all is well", "ERROR"), line(1, "shop", "all is well", "INFO")),
        (line(0, "shop", "A#1 all is well"), line(1, "shop", "A#2 all is well")),
    ],
)
def test_service_severity_and_call_site_keep_templates_apart(one: LogLine, other: LogLine) -> None:
    found = read(one, other)

    assert len(found.templates) == 2
    assert len(set(found.template)) == 2


def test_each_line_knows_its_template() -> None:
    found = read(
        line(0, "cart", "order 1 paid"),
        line(1, "cart", "stock is low"),
        line(2, "cart", "order 2 paid"),
        line(3, "shop", "order 3 paid"),
    )

    named = [
        (found.table.services[found.templates[code].service_code], found.templates[code].text)
        for code in found.template
    ]
    assert named == [
        ("cart", "order <*> paid"),
        ("cart", "stock is low"),
        ("cart", "order <*> paid"),
        ("shop", "order <*> paid"),
    ]


def test_the_order_of_the_lines_does_not_change_the_templates() -> None:
    bodies = ["a b c d e f g h i j", "a b c d e f g h Y Z", "a b c d e f W X i j"]

    found = [
        {
            (body, item.text)
            for body, code in zip(read_back.table.body, read_back.template, strict=True)
            for item in [read_back.templates[code]]
        }
        for order in permutations(bodies)
        for read_back in [read(*(line(i, "shop", body) for i, body in enumerate(order)))]
    ]

    assert all(each == found[0] for each in found)


def test_no_lines_have_no_templates() -> None:
    found = read_lines(LogTable.empty(), NO_SPANS)

    assert found.templates == ()
    assert len(found.template) == len(found.span) == len(found.trace) == 0


# --- Queries ---------------------------------------------------------------------------------


def literal(*bodies: str) -> str:
    """Of the one template that these lines have."""
    (only,) = read(*(line(i, "shop", body) for i, body in enumerate(bodies))).templates
    return only.literal


@pytest.mark.parametrize(
    ("body", "piece"),
    [
        ("payment refused", "payment refused"),
        ("order 17 was refused by 4711", "was refused by"),
        ("longest part 17 short", "longest part"),
        ("trace id: 0af7651916cd43dd paid", "paid"),  # an id's label is on every line
        ("some request_id=4711 paid", "some"),
        # Drain takes these for spaces; the line does not have any there.
        ('level=warn msg="pool is full" size=17', 'msg="pool is full" size='),
        ("refused,retried,lost 17", "refused,retried,lost"),
        ("Pay.java:88 refused", "Pay.java:88"),
        ("Could not charge\njava.sql.SQLException: none", "java.sql.SQLException: none"),
        ("two  spaces between", "two  spaces between"),
        ("4711", ""),
    ],
)
def test_a_query_asks_for_the_longest_piece_that_does_not_change(body: str, piece: str) -> None:
    assert literal(body) == piece
    assert piece in body


def test_a_piece_stands_in_every_line_of_its_template() -> None:
    bodies = [
        "a b c d e f g h i j k=1 the end of it",
        "a b c d e f g h i j k 2 the end of it",
        "a b c d e f g h X j k=3 the end of it",
    ]
    assert literal(*bodies) == "a b c d e f g h"


def test_an_exception_on_one_line_keeps_what_it_says() -> None:
    found = template('NullPointerException: "cart" is null at com.shop.Pay.check(Pay.java:214)')

    assert found.site == "com.shop.Pay.check(Pay.java:214"
    assert found.text == 'NullPointerException: "cart" is null at'
    assert found.literal == 'NullPointerException: "cart" is null at'


def test_a_call_site_alone_has_no_message() -> None:
    assert (template("Pay.java:214").site, template("Pay.java:214").text) == ("Pay.java:214", "")


@pytest.mark.parametrize(
    ("piece", "written"), [('say "no"', 'say \\"no\\"'), ("a\\b", "a\\\\b"), ("", "")]
)
def test_a_query_escapes_what_ends_a_string(piece: str, written: str) -> None:
    assert log_query(LogTable.empty(), "shop", piece) == f'{{service="shop"}} |= "{written}"'


def test_a_hostile_service_stays_a_value_of_its_matcher() -> None:
    hostile = log_query(LogTable.empty(), 'x"} or {a="', "boom")
    assert hostile == '{service="x\\"} or {a=\\""} |= "boom"'


def test_a_query_names_streams_as_the_source_does_where_it_tells_how() -> None:
    table = replace(LogTable.empty(), selectors={"shop": '{app="Shop"}'})
    assert log_query(table, "shop", "lost") == '{app="Shop"} |= "lost"'
    assert log_query(table, "cart", "lost") == '{service="cart"} |= "lost"'
