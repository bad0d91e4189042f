"""Checks on texts that hold for every sentence Aegis writes."""

from __future__ import annotations

import re
from collections import Counter

from aegis.model.text import Text

_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?(?:[MGT]\b)?")
_CODE = re.compile(r"``.*?``|`.*?`")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z']+")
_HAN = re.compile(r"[\u4e00-\u9fff\uff0c\u3002\uff1a\uff1b\uff08\uff09\u3001]")
FIELD_TERMS = frozenset(
    {"CPU", "OOMKilled", "Error", "Pod", "span", "UTC", "TCP", "Jaeger", "Loki", "Prometheus"}
    | {"ms", "µs", "TiB", "GiB", "MiB", "KiB"}
)
"""Latin words and units that a Chinese engineer writes as they are."""


def numbers(text: str) -> Counter[str]:
    """Every number in the text, as written, with how often it occurs."""
    return Counter(_NUMBER.findall(text))


def english_words(zh: str, *names: str) -> set[str]:
    """Latin words of a Chinese text other than pasted queries, names and the field's terms."""
    rest = _CODE.sub("", zh)
    for name in sorted(names, key=len, reverse=True):
        rest = rest.replace(name, "")
    return set(_LATIN_WORD.findall(rest)) - FIELD_TERMS


def chinese_signs(en: str) -> set[str]:
    """Chinese characters and punctuation in an English text."""
    return set(_HAN.findall(en))


def assert_bilingual(text: Text, *names: str) -> None:
    """The same numbers in both languages, and no words of one in the other."""
    assert numbers(text.zh) == numbers(text.en), text
    assert not english_words(text.zh, *names), text.zh
    assert not chinese_signs(text.en), text.en
