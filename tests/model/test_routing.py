"""Which chat hears of an alert, who is woken there, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.model.alert import Labels
from aegis.model.matchers import read_matchers
from aegis.model.message import NOBODY, Mention
from aegis.model.route_findings import route_findings
from aegis.model.routing import (
    Matcher,
    MentionRule,
    QuietHours,
    Route,
    Routing,
    mention_for,
    targets_of,
)
from aegis.model.severity import Severity, severity_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
ALL = Mention(everybody=True)
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)  # a Wednesday; 12:00 in Shanghai
EVERY_DAY = tuple(range(7))
WORKING_DAYS = tuple(range(5))


def labels(**values: str) -> Labels:
    return tuple(sorted(values.items()))


def chats(routing: Routing, given_labels: Labels, at: datetime = NOON) -> list[str]:
    return [one.chat_id for one in targets_of(routing, given_labels, at)]


def route(name: str, matchers: str = "", **changed: object) -> Route:
    return Route(name, f"oc_{name}", read_matchers(matchers), **changed)  # type: ignore[arg-type]


def test_the_first_route_that_matches_takes_the_alert() -> None:
    routing = Routing((route("a", 'team="a"'), route("b", 'team=~"a|b"')), route("rest"))
    assert chats(routing, labels(team="a")) == ["oc_a"]
    assert chats(routing, labels(team="b")) == ["oc_b"]
    assert chats(routing, labels(team="c")) == ["oc_rest"]


def test_a_route_that_goes_on_lets_the_next_ones_look_too() -> None:
    routing = Routing((route("a", goes_on=True), route("b", "team=b"), route("c")), route("rest"))
    assert chats(routing, labels(team="b")) == ["oc_a", "oc_b"]
    assert chats(routing, labels(team="x")) == ["oc_a", "oc_c"]
    assert chats(Routing((route("a", goes_on=True),), route("rest")), labels()) == ["oc_a"]


def test_two_routes_to_one_chat_tell_it_once_by_the_first() -> None:
    first = Route("first", "oc_a", (), goes_on=True, mentions=(MentionRule(NOBODY),))
    routing = Routing((first, Route("second", "oc_a")))
    (only,) = targets_of(routing, labels(), NOON)
    assert (only.route, only.mention) == ("first", NOBODY)


def test_a_route_without_a_chat_keeps_an_alert_from_everybody() -> None:
    routing = Routing((Route("quiet", "", read_matchers("alertname=Watchdog")),), route("rest"))
    assert chats(routing, labels(alertname="Watchdog")) == []
    assert chats(routing, labels(alertname="Other")) == ["oc_rest"]
    assert route_findings(routing)[0].said.en == "1 routes to 1 chats"


def test_without_a_chat_nobody_is_told() -> None:
    assert targets_of(Routing(), labels(severity="critical"), NOON) == ()


@pytest.mark.parametrize(
    ("matcher", "taken"),
    [
        ("team=a", True),
        ("team=b", False),
        ("team!=b", True),
        ("team=~a|b", True),
        ("team=~b", False),
        ("team!~b.*", True),
        ("team!~a.*", False),
        ('missing=""', True),
        ("missing!=x", True),
        ("missing=~.+", False),
        ('"team"="a"', True),
        ('{team="a",missing!="y"}', True),
    ],
)
def test_matchers_are_those_of_alertmanager(matcher: str, taken: bool) -> None:
    assert chats(Routing((route("a", matcher),)), labels(team="a")) == ["oc_a"] * taken


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a="b"', [Matcher("a", "=", "b")]),
        (' { a = "b, c" , d!~"e" , } ', [Matcher("a", "=", "b, c"), Matcher("d", "!~", "e")]),
        ('"k8s.pod/name"=x', [Matcher("k8s.pod/name", "=", "x")]),
        (r'a="q\"b\\c\nd\t"', [Matcher("a", "=", 'q"b\\c\nd\\t')]),
        ("服务=订单", [Matcher("服务", "=", "订单")]),
        ("{}", []),
    ],
)
def test_matchers_are_read_as_alertmanager_writes_them(text: str, found: list[Matcher]) -> None:
    assert list(read_matchers(text)) == found


@pytest.mark.parametrize(
    "text",
    ["a", "a==b", 'a="b" c="d"', '{a="b"', 'a="b"}', 'a="b', 'a=~"("', "=b", ",", "a=b,,c=d"],
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"matchers|brace|pattern"):
        read_matchers(text)


def test_who_is_woken_is_decided_by_severity() -> None:
    rules = (MentionRule(ALL, ("critical",)), MentionRule(Mention(people=("ou_a",)), ("warning",)))
    routing = Routing((route("a", mentions=rules),), mentions=(MentionRule(ALL),))
    wanted = {"critical": ALL, "Critical ": ALL, "warning": rules[1].mention, "info": NOBODY}
    for severity, mention in wanted.items():
        assert mention_for(routing, "oc_a", labels(severity=severity)) == mention
        assert targets_of(routing, labels(severity=severity), NOON)[0].mention == mention
    assert mention_for(routing, "oc_a", labels()) == NOBODY
    assert mention_for(routing, "oc_gone", labels()) == ALL


def test_by_default_everybody_is_woken() -> None:
    assert mention_for(Routing(default=route("d")), "oc_d", labels(severity="info")) == ALL


def quiet(start: str, until: str, days: tuple[int, ...] = EVERY_DAY, **changed: object) -> Routing:
    hours = QuietHours(
        days,
        time.fromisoformat(start),
        time.fromisoformat(until),
        SHANGHAI,
        **changed,  # type: ignore[arg-type]
    )
    return Routing((route("a", quiet=(hours,)),))


def waits(routing: Routing, at: str, severity: str = "warning") -> str | None:
    """Local times in and out."""
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI).astimezone(UTC)
    (target,) = targets_of(routing, labels(severity=severity), moment)
    if target.not_before is None:
        return None
    assert target.not_before.tzinfo is UTC
    return target.not_before.astimezone(SHANGHAI).strftime("%a %H:%M")


def test_quiet_hours_hold_until_they_end_over_midnight_too() -> None:
    night = quiet("22:00", "08:00")
    assert waits(night, "2026-11-25 21:59:59") is None
    assert waits(night, "2026-11-25 22:00") == "Thu 08:00"
    assert waits(night, "2026-11-26 07:59:59") == "Thu 08:00"
    assert waits(night, "2026-11-26 08:00") is None
    lunch = quiet("12:00", "13:00")
    assert waits(lunch, "2026-11-25 12:30") == "Wed 13:00"
    assert waits(lunch, "2026-11-25 13:00") is None


def test_quiet_hours_belong_to_the_day_on_which_they_start() -> None:
    night = quiet("22:00", "08:00", WORKING_DAYS)
    assert waits(night, "2026-11-27 23:00") == "Sat 08:00"  # Friday
    assert waits(night, "2026-11-28 07:00") == "Sat 08:00"
    assert waits(night, "2026-11-28 23:00") is None  # Saturday
    assert waits(night, "2026-11-30 07:00") is None  # Monday: Sunday's night is loud


def test_quiet_times_that_follow_each_other_are_one() -> None:
    weekend = quiet("00:00", "00:00", (5, 6))
    assert waits(weekend, "2026-11-28 09:00") == "Mon 00:00"
    whole_week = quiet("00:00", "00:00")
    assert waits(whole_week, "2026-11-25 09:00") is not None


def test_of_quiet_times_that_overlap_the_last_end_counts() -> None:
    hours = [
        QuietHours(EVERY_DAY, time(start), time(end), SHANGHAI)
        for start, end in ((9, 11), (9, 12), (9, 10))
    ]
    routing = Routing((route("a", quiet=tuple(hours)),))
    assert waits(routing, "2026-11-25 09:30") == "Wed 12:00"


@pytest.mark.parametrize("severity", ["critical", "P0", "严重", "page", "FATAL"])
def test_what_is_critical_breaks_through(severity: str) -> None:
    assert waits(quiet("00:00", "00:00"), "2026-11-25 09:00", severity) is None


def test_which_severities_break_through_can_be_said() -> None:
    some = quiet("09:00", "10:00", breaking_through=("warning",))
    assert waits(some, "2026-11-25 09:00", "Warning") is None
    assert waits(some, "2026-11-25 09:00", "critical") == "Wed 10:00"
    assert waits(quiet("09:00", "10:00", breaking_through=()), "2026-11-25 09:00", "critical")


def test_a_clock_that_is_put_forward_or_back_keeps_the_wall_time() -> None:
    hours = QuietHours(EVERY_DAY, time(22), time(8), ZoneInfo("Europe/Berlin"))
    for day in (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        end = hours.end_of(day)
        assert end is not None
        assert end.astimezone(hours.timezone).time() == time(8)


@given(
    st.integers(0, 366 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    st.times(),
    st.times(),
    st.sets(st.integers(0, 6)),
)
def test_the_end_of_quiet_hours_lies_ahead_and_within_a_day(
    at: datetime, start: time, until: time, days: set[int]
) -> None:
    zone = ZoneInfo("America/New_York")
    end = QuietHours(tuple(days), start, until, zone).end_of(at)
    if end is not None:
        assert timedelta(0) < end - at <= timedelta(hours=25)
        assert days


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("Critical", Severity.CRITICAL),
        (" p1 ", Severity.MAJOR),
        ("警告", Severity.WARNING),
        ("whatever", Severity.UNKNOWN),
        ("", Severity.UNKNOWN),
        ("notice", Severity.INFO),
        ("none", Severity.NONE),
    ],
)
def test_severities_are_understood_in_many_spellings(label: str, meaning: Severity) -> None:
    assert severity_of(label) is meaning


def test_what_is_odd_about_valid_routes_is_said() -> None:
    assert route_findings(Routing()) == ()
    (only,) = route_findings(Routing(default=route("d")))
    assert only.state == "ok"
    routing = Routing((route("a"), route("b", "team=b")))
    states = [(one.state, one.said.en) for one in route_findings(routing)]
    assert states == [
        ("ok", "2 routes to 2 chats"),
        ("warn", "route b is never reached: a takes every alert"),
    ]
    lonely = route_findings(Routing((route("a", "team=a"),)))
    assert "told to nobody" in lonely[1].said.en
