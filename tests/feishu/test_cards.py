"""Cards in JSON 2.0: what Feishu takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.feishu.bot import Bot, button, card, markdown

pytestmark = pytest.mark.loopback

TITLE = {"tag": "plain_text", "content": "disk full"}
CHART = {
    "type": "line",
    "data": {"values": [{"time": "10:15", "value": 1}]},
    "xField": "time",
    "yField": "value",
    "seriesField": "service",
}
TABLE = {
    "tag": "table",
    "columns": [{"name": "pod", "display_name": "Pod", "data_type": "text"}],
    "rows": [{"pod": "cart-1"}],
}
PANEL = {
    "tag": "collapsible_panel",
    "expanded": False,
    "header": {"title": {"tag": "plain_text", "content": "evidence"}},
    "elements": [markdown()],
}
COLUMNS = {
    "tag": "column_set",
    "columns": [{"tag": "column", "width": "weighted", "weight": 1, "elements": [markdown()]}],
}
CONFIRMED = button({"a": 1}) | {"confirm": {"title": TITLE, "text": TITLE}}
WHOLE = card(
    markdown("**since** 10:15"),
    {"tag": "chart", "chart_spec": CHART},
    TABLE,
    PANEL,
    COLUMNS,
    CONFIRMED,
    {"tag": "hr"},
    config={"update_multi": True, "width_mode": "fill", "summary": {"content": "disk full"}},
    header={"template": "red", "title": TITLE},
)

TAKEN = {
    "the one in the documentation": WHOLE,
    "one with a link": card(
        button({})
        | {"behaviors": [{"type": "open_url", "default_url": "https://runbooks.example/1"}]}
    ),
    "three tables": card(TABLE, TABLE, TABLE),
    "two hundred components": card(*[markdown()] * 200),
}
REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "no schema": ({"body": {"elements": []}}, 200621),
    "the schema of old": (card() | {"schema": "1.0"}, 200621),
    "no body": ({"schema": "2.0"}, 200621),
    "elements at the top": (card() | {"elements": []}, 200621),
    "an action": (card({"tag": "action", "actions": [button({})]}), 200621),
    "a note": (card({"tag": "note", "elements": [TITLE]}), 200621),
    "an unknown property of the card": (card() | {"colour": "red"}, 200621),
    "an unknown property of config": (card(config={"wide_screen_mode": True}), 200621),
    "an unknown property of an element": (card(markdown() | {"href": {}}), 200621),
    "an unknown property in a panel": (card(PANEL | {"elements": [{"tag": "x"}]}), 200621),
    "an unknown property in a column": (
        card({"tag": "column_set", "columns": [{"tag": "column", "elements": [], "x": 1}]}),
        200621,
    ),
    "a column outside a column set": (card({"tag": "column", "elements": []}), 200621),
    "an unknown colour": (card(header={"template": "pink", "title": TITLE}), 200621),
    "a title as text": (card(header={"title": "disk full"}), 200621),
    "a chart without a spec": (card({"tag": "chart"}), 200621),
    "a chart whose spec is text": (card({"tag": "chart", "chart_spec": "{}"}), 200621),
    "a cell without a column": (card(TABLE | {"rows": [{"node": "1"}]}), 200621),
    "a button of old": (card(button({}) | {"value": {}}), 200621),
    "four tables": (card(TABLE, TABLE, TABLE, TABLE), 11310),
    "four tables in markdown": (card(markdown("|a|b|\n|--|--|\n|1|2|\n\n" * 4)), 11310),
    "two hundred and one components": (card(*[markdown()] * 201), 300305),
    "too many components, nested": (card(PANEL | {"elements": [markdown()] * 200}), 300305),
    "two elements of one name": (
        card(markdown() | {"element_id": "a"}, markdown() | {"element_id": "a"}),
        300301,
    ),
    "a name that is none": (card(markdown() | {"element_id": "1-a"}), 300301),
}


@pytest.mark.parametrize("name", TAKEN)
def test_feishu_takes(bot: Bot, name: str) -> None:
    bot.create(TAKEN[name])
    assert bot.last.content == TAKEN[name]


@pytest.mark.parametrize("name", REFUSED)
def test_feishu_refuses(bot: Bot, name: str) -> None:
    content, inner = REFUSED[name]
    error = bot.refused(bot.message("create", "interactive", content))
    assert error.code == 230099
    assert f"ErrCode: {inner}" in str(error)
    assert bot.platform.messages == []


def test_an_update_is_held_to_the_same_rules(bot: Bot) -> None:
    first = bot.create(card())
    note = card({"tag": "note", "elements": []})
    assert bot.refused(bot.message("update", "interactive", note, first)).code == 230099
    assert bot.last.content == card()
