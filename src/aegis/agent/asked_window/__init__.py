"""Reads the time that a question names: "昨天晚上 23 点", "last night at 23:00", "最近 2 小时".

A grammar of our own, because the libraries at hand read one language at a time, take "3 pods"
for a date, put 昨晚 between four and eight in the afternoon, and need minutes for hostile text.
`lexer` finds the words, `grammar` joins them to phrases, `meaning` places these in time.
"""

from aegis.agent.asked_window.reader import read_window
from aegis.agent.asked_window.window import AskedWindow

__all__ = ["AskedWindow", "read_window"]
