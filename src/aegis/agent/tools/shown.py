"""Telemetry as text in a result: whoever wrote it, it stays data."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from aegis.model.evidence import EvidenceGap
from aegis.model.redaction import redacted

LONGEST_TEXT = 500
SIGNIFICANT = 6


def shown(text: str, longest: int = LONGEST_TEXT) -> str:
    """Without secrets, endings of lines or characters nobody sees; cut where it is long."""
    clean = redacted(text[: 4 * longest])
    seen = "".join(
        " " if unicodedata.category(one).startswith(("C", "Z")) else one for one in clean
    )
    return seen if len(seen) <= longest else f"{seen[:longest]}…"


def visible(result: object) -> object:
    """A result in which every character can be seen: what a caller sent comes back in it too."""
    if isinstance(result, str):
        if result.isprintable():
            return result
        return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in result)
    if isinstance(result, Mapping):
        return {visible(key): visible(value) for key, value in result.items()}
    if isinstance(result, list | tuple):
        return [visible(one) for one in result]
    return result


def shown_labels(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A label is a name with a value: `password` says what `hunter2` is."""
    found = {}
    for name, value in labels:
        pair = f"{name}={value}"
        hidden = redacted(pair)
        found[shown(name)] = shown(value if hidden == pair else hidden.removeprefix(f"{name}="))
    return found


def number(value: float) -> float:
    """Six digits tell enough, and a whole number needs no more than itself."""
    return float(f"{value:.{SIGNIFICANT}g}")


def remarks(gaps: Sequence[EvidenceGap], *cut: str) -> Mapping[str, object]:
    """What a result lacks; nothing where it lacks nothing."""
    told = [one for one in cut if one]
    told += [shown(gap.statement.en) for gap in gaps]
    return {"incomplete": told} if told else {}
