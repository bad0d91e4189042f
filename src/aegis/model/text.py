"""A sentence in both languages Aegis speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same statement in Chinese and English, with the same numbers."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def told_why(said: Text, why: Text) -> Text:
    """What happened and why, as one sentence; a reason that ends with a question keeps its mark."""
    zh, en = (
        "" if text.endswith(("?", "？")) else stop for text, stop in ((why.zh, "。"), (why.en, "."))
    )
    return Text(f"{said.zh}：{why.zh}{zh}", f"{said.en}: {why.en}{en}")
