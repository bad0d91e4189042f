"""Foreign text made harmless: it pings nobody, formats nothing and leads nowhere.

Labels and annotations are written by anybody who can write a metric. They are cleaned of what
cannot be seen, cut to a length, and escaped for the place where they stand.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

_DROPPED = {"Cc", "Cf", "Cn", "Co"}
_SPACES = re.compile(r"\s+")
_LONGEST_READ = 20_000
"""Of a text before it is cleaned: an annotation may have hundreds of kilobytes."""

_MARKUP = re.compile(r"[&<>*_~`\[\]#|\\$@]|:(?=[A-Za-z_+])|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
_ADDRESS = re.compile(r"(?<=[A-Za-z0-9+.-]):(?=//)")
_IN_TEXT = str.maketrans({"<": "＜", ">": "＞", "@": "＠", "[": "［", "]": "］", "*": "＊"})
_LINK_ENDS = re.compile(r"[^A-Za-z0-9/?&=%.,;:@#+_-]")
_LONGEST_LINK = 2_000


def cleaned(text: str, most: int) -> str:
    """One line of at most `most` characters that all can be seen.

    Controls, bidirectional overrides, zero-width and private characters are dropped, any
    white space is one space, half of a surrogate pair is the replacement character.
    """
    kept = []
    for letter in text[:_LONGEST_READ]:
        if letter.isspace():
            kept.append(" ")
            continue
        category = unicodedata.category(letter)
        if category == "Cs":
            kept.append("\ufffd")
        elif category not in _DROPPED:
            kept.append(letter)
    one_line = _SPACES.sub(" ", "".join(kept)).strip()
    return one_line if len(one_line) <= most else one_line[: most - 1].rstrip() + "…"


def in_markdown(text: str, most: int) -> str:
    """For a card's markdown: what could be syntax, here or at the start of a line, is an entity.

    An address is broken by a bracket, so that no client makes a link of it.
    """
    broken = _ADDRESS.sub("[:]", cleaned(text, most))
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", broken)


def in_plain_text(text: str, most: int) -> str:
    """For a message of kind text, and for titles, which know no entities."""
    return _ADDRESS.sub("[:]", cleaned(text, most).translate(_IN_TEXT))


def safe_link(text: str, hosts: tuple[str, ...]) -> str | None:
    """The address, escaped for markdown, if it leads to one of the hosts; else None.

    A host `.example.com` is any below it; one without a port allows any port.
    """
    if len(text) > _LONGEST_LINK or any(letter.isspace() for letter in text):
        return None
    if "\\" in text or not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    if not host.isascii() or not any(_allows(one, host, port) for one in hosts):
        return None
    return escaped_link(text)


def escaped_link(address: str) -> str:
    """Without a character that could end a link in markdown."""
    return _LINK_ENDS.sub(lambda found: _percent(found[0]), address)


def _percent(letter: str) -> str:
    """`quote` leaves a tilde, which may strike out what stands around it."""
    return "%7E" if letter == "~" else quote(letter, safe="", errors="replace")


def _allows(allowed: str, host: str, port: int | None) -> bool:
    named = f"[{host}]" if ":" in host else host
    if allowed.startswith("."):
        return named.endswith(allowed)
    return allowed == named or (port is not None and allowed == f"{named}:{port}")
