"""A card of the chat platform, as a terminal can show it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text as Line

_AT = re.compile(r"<at id=([\w-]+)></at>")
_LINK = re.compile(r"\[([^\[\]]*)\]\((https?://[^)\s]*)\)")
_STYLES = re.compile(r"</?font[^>]*>|\*\*")
_STRUCK = re.compile(r"~~(.*?)~~")


def print_card(console: Console, content: str) -> None:
    """Folded parts are shown unfolded, below their title."""
    card: dict[str, Any] = json.loads(content)
    console.print(Line(card["header"]["title"]["content"], style="bold"))
    for depth, text in _texts(card["body"]["elements"], 0):
        for line in text.split("\n"):
            console.print(Line("  " * depth) + _line(line), soft_wrap=True)


def _texts(elements: list[dict[str, Any]], depth: int) -> Iterator[tuple[int, str]]:
    for one in elements:
        if one["tag"] == "collapsible_panel":
            yield depth, f"▸ {one['header']['title']['content']}"
            yield from _texts(one["elements"], depth + 1)
        else:
            yield depth, one["content"]


def _line(text: str) -> Line:
    """Entities last: what they stand for is text, not syntax."""
    plain = _AT.sub(lambda found: f"@{found[1]}", text)
    plain = _STYLES.sub("", _LINK.sub(r"\1 <\2>", plain))
    found, place = Line(), 0
    for struck in _STRUCK.finditer(plain):
        found.append(html.unescape(plain[place : struck.start()]))
        found.append(html.unescape(struck[1]), style="strike")
        place = struck.end()
    return found.append(html.unescape(plain[place:]))
