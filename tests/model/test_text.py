"""Sentences of two languages."""

from __future__ import annotations

from aegis.model.text import Text, told_why

SILENT = Text("日志无法读取", "The logs could not be read")


def test_a_reason_ends_the_sentence() -> None:
    told = told_why(SILENT, Text("没有回答", "no answer"))
    assert told == Text("日志无法读取：没有回答。", "The logs could not be read: no answer.")


def test_a_reason_that_asks_keeps_its_question_mark() -> None:
    told = told_why(SILENT, Text("是 Loki 吗？", "is it Loki?"))
    assert told == Text("日志无法读取：是 Loki 吗？", "The logs could not be read: is it Loki?")
