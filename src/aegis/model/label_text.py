"""A label's name and value as text of a query."""

from __future__ import annotations

import re
import unicodedata

_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def quoted(value: str) -> str:
    """A string of PromQL and LogQL that means the value and shows everything it holds.

    Quotes and backslashes are escaped; control, bidi and zero-width characters become \\uXXXX;
    a lone surrogate, which no label can hold, becomes U+FFFD.
    """
    return '"' + "".join(_escaped(char) for char in value) + '"'


def label_name(name: str) -> str:
    """As it stands in matchers and `by (…)`: quoted where only UTF-8 servers know such names."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char) if unicodedata.category(char) != "Cs" else 0xFFFD
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
