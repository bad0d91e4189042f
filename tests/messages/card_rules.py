"""What the platform accepts as a card, JSON 2.0, and what else our own cards must keep to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.feishu_platform.contents import read_content

PROPERTIES: dict[str, set[str]] = {
    "markdown": {"tag", "content"},
    "collapsible_panel": {"tag", "expanded", "header", "elements"},
    "plain_text": {"tag", "content"},
}
TEMPLATES = {"red", "orange", "yellow", "purple", "blue", "grey", "green"}
OURS = re.compile(
    r"<at id=(?:all|ou_[\w-]+)></at>|<font color='grey'>|</font>|~~|\*\*|\[[^\[\]<>]+\]\(https?://[^\s()<>]+\)"
)
FOREIGN_SYNTAX = re.compile(r"[<>*~`\[\]]|^\s*(?:#|[-+=]|\d+[.)])", re.MULTILINE)
PING = re.compile(r"<\s*at\b|＠|@_all", re.IGNORECASE)


def sent_bytes(content: str) -> int:
    """Of the whole request, with the longest names there are."""
    around = {"receive_id": "oc_" + "x" * 100, "msg_type": "interactive", "uuid": "u" * 50}
    return len(json.dumps({**around, "content": content}, ensure_ascii=False).encode("utf-8"))


def elements(card: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in card["body"]["elements"]:
        yield one
        yield from one.get("elements", [])


def texts(card: dict[str, Any]) -> list[str]:
    return [one["content"] for one in elements(card) if one["tag"] == "markdown"]


def check_card(content: str, most_bytes: int = 28_000) -> dict[str, Any]:
    """The card; fails where the platform could refuse it or foreign text could have an effect."""
    assert sent_bytes(content) <= most_bytes
    accepted = read_content("interactive", content, 0, set())
    card: dict[str, Any] = json.loads(content)
    assert accepted.dead == 0, "a mention in the wrong syntax"
    assert set(card) == {"schema", "config", "header", "body"}
    assert card["schema"] == "2.0"
    assert set(card["config"]) == {"update_multi", "width_mode", "summary"}
    assert set(card["header"]) == {"template", "title"}
    assert card["header"]["template"] in TEMPLATES
    _check_element(card["header"]["title"])
    assert set(card["body"]) == {"elements"}
    found = list(elements(card))
    assert 1 <= len(found) <= 190
    for one in found:
        _check_element(one)
    for text in texts(card):
        left = FOREIGN_SYNTAX.search(OURS.sub("·", text))
        assert left is None, f"{left} in {text!r}"
        assert text.count("**") % 2 == 0
        assert text.count("~~") % 2 == 0
        assert text.count("<font") == text.count("</font>")
    pings = [text for text in texts(card) if "<at" in text]
    assert bool(accepted.pings) == bool(pings)
    assert len(pings) <= 1
    if pings:
        assert card["body"]["elements"][0]["content"] == pings[0], "a mention stands at the head"
    return card


def _check_element(element: dict[str, Any]) -> None:
    assert set(element) == PROPERTIES[element["tag"]], element
    if element["tag"] == "collapsible_panel":
        assert set(element["header"]) == {"title"}
        _check_element(element["header"]["title"])
        assert element["elements"]
    else:
        assert element["content"].strip()
        assert element["content"].isprintable() or "\n" in element["content"]


def check_text(content: str, most_bytes: int = 28_000) -> str:
    assert sent_bytes(content) <= most_bytes
    body: dict[str, Any] = json.loads(content)
    accepted = read_content("text", content, 0, set())
    assert accepted.dead == 0
    text: str = body["text"]
    head, _, rest = text.partition("\n")
    assert bool(accepted.pings) == ("<at" in head)
    assert "<" not in re.sub(r'<at user_id="(?:all|ou_[\w-]+)"></at>', "", head)
    assert "<" not in rest
    return text
