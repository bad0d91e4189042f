"""How bad a label of severity says it is. Sites name severities as they like."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Worst first, so that sorting puts what matters on top.

    A name nobody knows stands below warning and above information: it is never hidden.
    """

    CRITICAL = 0
    MAJOR = 1
    WARNING = 2
    UNKNOWN = 3
    INFO = 4
    NONE = 5


_NAMES: dict[Severity, str] = {
    Severity.CRITICAL: "critical crit fatal page emergency emerg disaster p0 sev0 blocker"
    " 严重 紧急 致命 灾难",
    Severity.MAJOR: "error err high major alert p1 sev1 错误 重要 高",
    Severity.WARNING: "warning warn average medium minor moderate p2 sev2 警告 一般 次要 中",
    Severity.INFO: "info information informational notice low ticket debug p3 p4 sev3 sev4"
    " 提示 通知 信息 低",
    Severity.NONE: "none ok 无",
}
_KNOWN = {name: severity for severity, names in _NAMES.items() for name in names.split()}


def severity_of(label: str) -> Severity:
    """The meaning of a severity label, in any case; UNKNOWN where it has none we know."""
    return _KNOWN.get(label.strip().lower(), Severity.UNKNOWN)
