"""What a webhook call would tell, before any chat hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from io import StringIO

import pytest
from rich.console import Console

from aegis.entrypoints.cli.card_text import print_card
from aegis.model.message import NOBODY
from aegis.model.routing import MentionRule, QuietHours, Route, Routing
from aegis.model.webhook import ReceivedAlert, Webhook
from aegis.workflows.deliver_messages.preview import preview
from tests.messages.card_rules import check_card
from tests.messages.states import NOW, captured, style

ANYBODY = Route("default", "oc_all")


def webhook(name: str) -> Webhook:
    state = captured(name)
    (row,) = state.rows
    alerts = tuple(
        ReceivedAlert(
            one.episode.fingerprint,
            "firing" if one.episode.is_open else "resolved",
            one.episode.labels,
            one.episode.annotations,
            one.episode.starts_at,
            one.episode.resolved_at,
        )
        for one in state.episodes.values()
    )
    return Webhook("r", row.group_key, row.group_labels, alerts, (), row.truncated)


@pytest.mark.parametrize("name", ["am0.33.1_partial_2", "am0.33.1_truncated_max_alerts_10"])
def test_a_preview_is_the_card_that_would_be_sent(name: str) -> None:
    (found,) = preview(webhook(name), style("en", routing=Routing(default=ANYBODY)), NOW)
    assert (found.chat_id, found.not_before) == ("oc_all", None)
    assert found.draft.operation == "create"
    card = check_card(found.draft.content)
    assert card["body"]["elements"][0]["content"] == "<at id=all></at>"
    assert ("Data loss" in found.draft.content) is ("truncated" in name)


def test_each_chat_that_would_hear_of_it_has_its_own() -> None:
    quiet = QuietHours(tuple(range(7)), time(0), time(0), style().timezone)
    silent = Route("s", "oc_s", (), True, (MentionRule(NOBODY),), (quiet,))
    routing = Routing((silent, Route("b", "oc_b")))
    held, told = preview(webhook("am0.33.1_partial_2"), style("en", routing=routing), NOW)
    assert (held.chat_id, told.chat_id) == ("oc_s", "oc_b")
    assert held.not_before is not None
    assert held.not_before > NOW
    assert "Quiet hours digest" in held.draft.content
    assert "<at" not in held.draft.content


def test_nobody_to_tell_is_no_preview() -> None:
    assert preview(webhook("am0.33.1_single"), style(), NOW) == ()
    empty = replace(webhook("am0.33.1_single"), alerts=())
    assert preview(empty, style(routing=Routing(default=ANYBODY)), NOW) == ()


def test_a_resolution_without_its_time_ended_now() -> None:
    given = webhook("am0.33.1_resolve_2_resolved")
    open_ended = replace(given, alerts=(replace(given.alerts[0], ends_at=None),))
    asked = style("en", routing=Routing(default=ANYBODY))
    (found,) = preview(open_ended, asked, NOW + timedelta(minutes=1))
    assert "resolved 16:01" in found.draft.content
    assert found.draft.closes
    assert found.draft.covers == ("preview",)


def test_a_card_is_shown_in_a_terminal_as_people_would_read_it() -> None:
    asked = style("en", routing=Routing(default=ANYBODY), link_hosts=("runbooks.example.invalid",))
    (found,) = preview(webhook("am0.33.1_unicode"), asked, NOW)
    console = Console(width=200, record=True, color_system=None, file=StringIO())
    print_card(console, found.draft.content)
    shown = console.export_text()
    assert "@all\n" in shown
    assert "▸ Details" in shown
    assert '  <script>alert(1)</script> <at user_id="all">所有人</at> **bold** @all' in shown
    assert "&#" not in shown
    (found,) = preview(webhook("am0.33.1_single"), asked, NOW)
    print_card(console, found.draft.content)
    assert "Runbook <https://runbooks.example.invalid/SingleAlert>" in console.export_text()
