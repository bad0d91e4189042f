"""What a card says, on captured webhook bodies of real Alertmanagers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aegis.model.episode import History
from aegis.model.text import Language
from aegis.workflows.deliver_messages import wording
from aegis.workflows.deliver_messages.compose import compose
from tests.messages.card_rules import check_card, check_text, texts
from tests.messages.golden import LANGUAGES, card_of, names, path_of
from tests.messages.states import NOW, captured, known, row, state, style


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", names())
def test_the_card_of_a_capture_is_the_one_that_was_found_good(
    name: str, language: Language
) -> None:
    wanted = json.loads(path_of(name, language).read_text(encoding="utf-8"))
    assert card_of(name, language) == wanted
    for draft in compose(captured(name), style(language)):
        check_card(draft.content)
        check_text(draft.fallback)


def test_a_card_says_first_what_how_bad_how_many_and_since_when() -> None:
    (draft,) = compose(captured("am0.33.1_partial_2"), style("en"))
    card = check_card(draft.content)
    assert card["header"]["title"]["content"].startswith("🟡 PartialResolve · lab · p-0")
    mention, conclusion, first, struck, *_ = texts(card)
    assert mention == "<at id=all></at>"
    assert conclusion == "**1 firing, 2 resolved** · worst: warning · since 15:43 (16 min)"
    assert first.startswith("🟡 **PartialResolve** · lab · p-0 · 127.0.0.1:19212\npart p-0\n")
    assert struck.startswith("✅ ~~PartialResolve · lab · p-1 · 127.0.0.1:19212~~\n")


def test_alerts_are_in_order_of_severity_whatever_sites_call_it() -> None:
    severities = ["info", "warning", "P1", "严重", "", "none", "quirky"]
    found = [known({"alertname": "A", "severity": one, "n": one}) for one in severities]
    (draft,) = compose(state([row(1, found)], found), style("en"))
    marks = [text[0] for text in texts(check_card(draft.content)) if " **A**" in text]
    assert marks == ["🔴", "🟠", "🟡", "🟣", "🟣", "🔵", "⚪"]


@pytest.mark.parametrize(
    ("history", "zh", "en"),
    [
        (History(3, 12.4), "本周第 3 次，上次 12 分钟", "3rd time this week, last 12 min"),
        (History(2, None), "本周第 2 次", "2nd time this week"),
        (
            History(11, 150),
            "本周第 11 次，上次 2 小时 30 分钟",
            "11th time this week, last 2 h 30 min",
        ),
        (History(111, None), "本周第 111 次", "111th time this week"),
        (History(21, 1440 * 2 + 60), "上次 2 天 1 小时", "21st time this week, last 2 d 1 h"),
    ],
)
def test_the_history_of_an_alert_is_told(history: History, zh: str, en: str) -> None:
    one = known({"alertname": "A"}, history=history)
    given = state([row(1, [one])], [one])
    assert zh in compose(given, style("zh"))[0].content
    assert en in compose(given, style("en"))[0].content


def test_the_first_time_has_no_history() -> None:
    assert wording.repeats(History(1, None)) is None


def test_a_beginning_nobody_can_mean_gives_way_to_when_it_was_first_seen() -> None:
    seen = known({"alertname": "A"}).episode
    for odd in (NOW.replace(year=1), NOW.replace(year=9999)):
        assert wording.since_of(replace(seen, starts_at=odd)) == seen.first_seen


@pytest.mark.parametrize("year", [1, 9999])
def test_times_at_the_ends_of_the_calendar_break_no_card(year: int) -> None:
    strange = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 23, tzinfo=UTC)
    one = known({"alertname": "A"}, lasted=3)
    for changed in (
        replace(one.episode, starts_at=strange),
        replace(one.episode, resolved_at=strange),
        replace(one.episode, starts_at=strange, resolved_at=None),
    ):
        given = replace(one, episode=changed)
        (draft,) = compose(state([row(1, [given])], [given]), style("en"))
        check_card(draft.content)
        assert f"{year:04}" not in draft.content
    assert wording.end_of(replace(one.episode, resolved_at=strange)) == one.episode.last_seen


def test_other_days_and_years_are_named() -> None:
    zone = style().timezone
    assert wording.clock(NOW, NOW, zone) == "16:00"
    assert wording.clock(NOW - timedelta(days=1), NOW, zone) == "11-20 16:00"
    assert wording.clock(NOW - timedelta(days=365), NOW, zone) == "2025-11-21 16:00"


def test_a_storm_lists_its_groups_the_worst_first() -> None:
    found = [
        known(
            {
                "alertname": f"A{number}",
                "severity": "warning" if number < 7 else "critical",
                "app": "checkout",
            },
            group=f"g{number}",
        )
        for number in range(8)
    ]
    twin = known({"alertname": "A7", "severity": "info", "app": "cart"}, group="g7")
    rows = [row(number, [one], group=f"g{number}") for number, one in enumerate(found)]
    rows.append(row(9, [twin], group="g7"))
    (draft,) = compose(state(rows, [*found, twin]), style("en"))
    listed = texts(check_card(draft.content))[2:]
    assert listed[0].startswith("🔴 **A7** · checkout, cart · 2 firing\n")
    assert listed[1].startswith("🟡 **A0**")
    assert len(listed) == 8


def test_the_notification_says_what_happened() -> None:
    (draft,) = compose(captured("am0.33.1_single"), style())
    summary = json.loads(draft.content)["config"]["summary"]["content"]
    assert summary == "🔴 SingleAlert · lab · 127.0.0.1:19212 — value is 1.5 on 127.0.0.1:19212"
