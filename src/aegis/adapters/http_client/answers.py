"""What a backend answered, whole and decoded; and how much of it may be shown."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from aegis.model.errors import SourceRejected, SourceUnavailable

LONGEST_EXCERPT = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`where` names setting and address, as every message about this answer begins."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    where: str = ""

    def json(self) -> Any:
        """SourceUnavailable for half a document, SourceRejected for what never was one."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            pass
        if self.body.lstrip()[:1] in (b"{", b"["):
            raise SourceUnavailable(f"{self.where} answered with broken JSON: half an answer?")
        raise SourceRejected(
            f"{self.where} answered with something that is no JSON; is the base URL right?"
        )

    def is_html(self) -> bool:
        start = self.body[:512].lstrip().lower()
        return self.content_type == "text/html" or start.startswith((b"<!doctype", b"<html"))

    def excerpt(self, secrets: tuple[str, ...] = ()) -> str:
        """The first words of the body on one line, without what hides or leaks; may be empty."""
        if self.is_html():
            return "an HTML page"
        text = self.body[: 8 * LONGEST_EXCERPT].decode("utf-8", "replace")
        return one_line(_said_in_json(text) or text, secrets)


def one_line(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Foreign text that may stand in a message: printable, short, no secret."""
    for secret in secrets:
        text = text.replace(secret, "***")
    spaced = re.sub(r"\s+", " ", text)
    seen = "".join(letter for letter in spaced if unicodedata.category(letter)[0] != "C").strip()
    return seen if len(seen) <= LONGEST_EXCERPT else f"{seen[:LONGEST_EXCERPT]}…"


def storable(given: object, longest: int) -> str:
    """Foreign text as data: not endless and without half characters; empty if it is no text."""
    return given[:longest].encode("utf-8", "replace").decode() if isinstance(given, str) else ""


def _said_in_json(text: str) -> str:
    """The message of an error object of Prometheus, Loki, Jaeger or Alertmanager."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if isinstance(found, str):
        return found
    if not isinstance(found, dict):
        return ""
    inner = found.get("error")
    places = [found, *([inner] if isinstance(inner, dict) else [])]
    errors = found.get("errors")
    if isinstance(errors, list):
        places += [one for one in errors if isinstance(one, dict)]
    said = [
        str(place[key])
        for place in places
        for key in ("message", "msg", "error")
        if isinstance(place.get(key), str)
    ]
    return "; ".join(said)
