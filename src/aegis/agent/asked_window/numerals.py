"""Numbers in digits, Chinese numerals and English words."""

from __future__ import annotations

import re

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}

_ENGLISH = {
    word: value
    for value, word in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        start=1,
    )
} | {
    "a": 1,
    "an": 1,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "forty-five": 45,
    "forty five": 45,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
}

CHINESE = "[零〇一二两三四五六七八九十]"
ENGLISH_HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
ENGLISH = "forty[ -]five|" + "|".join(
    sorted((word for word in _ENGLISH if "forty" not in word or word == "forty"), key=len)[::-1]
)


def whole_number(text: str) -> int | None:
    """The value of digits, a Chinese numeral below 100 or an English word; None if none."""
    if text.isascii() and text.isdigit():
        return int(text)
    if text in _ENGLISH:
        return _ENGLISH[text]
    return _chinese(text)


def amount(text: str) -> float | None:
    """Like `whole_number`, and 2.5, 半, 几, 十几, 两三, "a few", "half an", "couple of"."""
    text = re.sub(r"\s+", " ", text.strip())
    if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII):
        return float(text)
    spoken = _rough(text)
    return spoken if spoken is not None else whole_number(text)


def _rough(text: str) -> float | None:
    if text == "半" or text.startswith("half"):
        return 0.5
    if text.startswith("quarter"):
        return 0.25
    if "couple" in text:
        return 2.0
    if "few" in text or text in ("几", "several", "数"):
        return 3.0
    if text == "十几" or text == "十来":
        return 15.0
    if text == "几十":
        return 30.0
    if len(text) == 2 and all(char in _DIGITS for char in text):
        one, two = _DIGITS[text[0]], _DIGITS[text[1]]
        return (one + two) / 2 if two == one + 1 and one > 0 else None
    return None


def _chinese(text: str) -> int | None:
    """零 to 九十九; a leading 零 is kept for minutes (零五 is 5)."""
    if not text or any(char not in _DIGITS and char != "十" for char in text):
        return None
    if "十" not in text:
        return _DIGITS[text[-1]] if len(text) == 1 or text[0] in "零〇" else _pair(text)
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return None
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _pair(text: str) -> int | None:
    return _DIGITS[text[0]] * 10 + _DIGITS[text[1]] if len(text) == 2 else None
