"""Takes secrets and personal data out of text before it is kept or shown.

It knows secrets by their shape or by the name before them, so it can miss one; it leaves
alone what only looks like one: trace ids, hashes, numbers, versions, places in code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

REDACTED = "[redacted]"

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class _Rule:
    """`needles` are lower case; a text with none of them is not searched. Empty: always."""

    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: Replacement = REDACTED


_NAMED = r"""[\\"']*\s*(?:[:=：]|=>)\s*"""
_VALUE = (
    r"""(?:\\+"(?:(?!\\+").)*(?:\\+")?|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|"""
    r"""(?:(?:bearer|basic|digest|token)\s+)?[^\s,;&"'<>()\[\]{}\\，。；]+)"""
)
_KEY_KINDS = ("api", "access", "account", "private", "secret", "signing", "encryption", "shared")
_KEYS = ("_key", "-key", *(f"{kind}key" for kind in _KEY_KINDS))
_PASSWORDS = (
    r"password|passwd|passphrase|passcode|(?<![a-z])pwd(?!\W{1,3}/)|secret|credentials?|"
    rf"(?:{'|'.join(_KEY_KINDS)})[_-]?key(?:[_-]?id)?|"
    r"密码|口令|密钥"
)
_TOKENS = (
    r"token|authorization|(?:session|refresh)[_-]?id|jsessionid|phpsessid|(?<![a-z])sig(?:nature)?"
)
_NO_SECRET = frozenset(
    {"", "null", "nil", "none", "true", "false", "undefined", "empty", "missing", "invalid"}
)
_LINE_NUMBER = re.compile(r":\d{1,4}")
"""After a name, without a space, it is a place in code: `reset_password:88`."""


def _password(found: re.Match[str]) -> str:
    name, value = found.group(1), found.group(2)
    if _bare(value).lower() in _NO_SECRET or _LINE_NUMBER.fullmatch(name[-1] + value):
        return found.group()
    return name + _in_its_quotes(value)


def _token(found: re.Match[str]) -> str:
    """People say "unexpected token: name"; a token has a digit, or is long."""
    name, value = found.group(1), found.group(2)
    bare = _bare(value)
    looks_drawn = len(bare) >= 16 or (len(bare) >= 6 and any(one.isdigit() for one in bare))
    return name + _in_its_quotes(value) if looks_drawn else found.group()


def _bare(value: str) -> str:
    return value.strip("\\\"'*")


def _in_its_quotes(value: str) -> str:
    """JSON stays JSON."""
    opened = re.match(r"""\\*["']""", value)
    if opened is None:
        return REDACTED
    quote = opened.group()
    return f"{quote}{REDACTED}{quote if value.endswith(quote[-1], len(quote)) else ''}"


_CARD = re.compile(
    r"(?<![\w.-])(?:\d{14,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})"
    r"(?![\w-]|\.\d)"
)
_ISSUED = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|"
    r"35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62(?:\d{14}|\d{17})"
)


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return REDACTED if _ISSUED.fullmatch(digits) and _luhn(digits) else found.group()


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1: every second digit from the right doubled, its digits added."""
    doubled = [int(one) * (1 + place % 2) for place, one in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


_RULES = (
    _Rule(
        ("private key-----",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    _Rule(("eyj",), re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*")),
    _Rule(("://",), re.compile(r"(?<=://)[^\s/?#@\"'<>]{1,500}@"), f"{REDACTED}@"),
    _Rule(
        ("cookie",),
        re.compile(r"((?:set-)?cookie[\"'\\]*\s*[:=]\s*[\"'\\]*)[^\"'\r\n\\]{6,}", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    _Rule(
        ("pass", "pwd", "secret", "credential", *_KEYS, "密码", "口令", "密钥"),
        re.compile(f"((?:{_PASSWORDS}){_NAMED})({_VALUE})", re.IGNORECASE),
        _password,
    ),
    _Rule(
        ("token", "authorization", "session", "refresh", "sessid", "sig"),
        re.compile(f"((?:{_TOKENS}){_NAMED})({_VALUE})", re.IGNORECASE),
        _token,
    ),
    _Rule(
        ("bearer", "basic"),
        re.compile(
            r"\b(bearer|basic)\s+(?:(?=[\w.~+/-]*[\d=_])[\w.~+/-]{8,}=*|[A-Za-z]{24,})",
            re.IGNORECASE,
        ),
        rf"\1 {REDACTED}",
    ),
    _Rule(
        ("akia", "asia", "akid", "ltai", "aiza", "ya29."),
        re.compile(
            r"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|AKID[A-Za-z0-9]{32}|LTAI[A-Za-z0-9]{12,26}|"
            r"AIza[\w-]{35}|ya29\.[\w-]{20,})(?![\w-])"
        ),
    ),
    _Rule(
        ("gh", "glpat-", "xox", "sk-", "k_live_", "k_test_", "npm_"),
        re.compile(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|"
            r"xox[abeprs]-[\w-]{10,}|sk-(?=[\w-]*\d)[\w-]{20,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|"
            r"npm_[A-Za-z0-9]{36})"
        ),
    ),
    _Rule(
        ("@",),
        re.compile(
            r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}"
            r"(?!(?:service|socket|timer|mount|target|slice|scope|js|ts|jsx|tsx|mjs|cjs|py|go|java|"
            r"rb|php)\b)[A-Za-z]{2,24}\b",
            re.ASCII,
        ),
    ),
    _Rule((), _CARD, _card),
)


def redacted(text: str) -> str:
    """The text with each secret replaced by REDACTED; the same object where it has none.

    Doing it twice changes nothing more.
    """
    lower = text.lower()
    for rule in _RULES:
        if not rule.needles or any(needle in lower for needle in rule.needles):
            text = rule.pattern.sub(rule.replacement, text)
    return text
