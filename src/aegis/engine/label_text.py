"""A label's value as text of a query."""

from __future__ import annotations


def quoted(value: str) -> str:
    """A string of PromQL and LogQL that means the value and shows everything it holds.

    Quotes and backslashes are escaped; control, bidi and zero-width characters become \\uXXXX.
    """
    return '"' + "".join(_escaped(char) for char in value) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
