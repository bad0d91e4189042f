"""`aegis doctor`: can what is configured be asked, and what would mend it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from aegis.bootstrap.doctor import examine_settings
from aegis.entrypoints.cli.options import UNREADABLE, USAGE
from aegis.model.health import Finding, Health, State
from aegis.model.text import Text

if TYPE_CHECKING:
    from aegis.model.text import Language

__all__ = ["examine_settings", "exit_code", "health_json", "print_health"]

_MARKS: dict[State, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "red"),
}
_NAMES = {
    "address": Text("地址", "address"),
    "alerts": Text("告警", "alerts"),
    "answers": Text("应答", "answers"),
    "api": Text("接口", "API"),
    "backlog": Text("待发送", "backlog"),
    "bot": Text("机器人", "bot"),
    "chat": Text("群", "chat"),
    "clock": Text("时钟", "clock"),
    "conventions": Text("约定", "conventions"),
    "credentials": Text("凭证", "credentials"),
    "deadline": Text("时限", "deadline"),
    "errors": Text("错误", "errors"),
    "latency": Text("延迟", "latency"),
    "lines": Text("日志行", "lines"),
    "metrics": Text("指标", "metrics"),
    "reachable": Text("访问", "reachable"),
    "refused": Text("被拒绝", "refused"),
    "retention": Text("保留时间", "retention"),
    "sample_query": Text("查询耗时", "sample query"),
    "schema": Text("表结构", "schema"),
    "service_label": Text("服务标签", "service label"),
    "services": Text("服务", "services"),
    "settings": Text("设置", "settings"),
    "size": Text("大小", "size"),
    "traces": Text("调用链", "traces"),
    "traffic": Text("流量", "traffic"),
    "unseen": Text("看不到", "unseen"),
    "version": Text("版本", "version"),
    "writable": Text("写入", "writable"),
}
_SETTINGS = Text("设置", "Settings")
_WELL = Text("一切正常。", "All is well.")
_MEND = Text("标 ✗ 的需要修改。", "What is marked ✗ needs a change.")
_NOTHING = Text(
    "没有可以查询的后端：请设置 PROMETHEUS_BASE_URL、LOKI_BASE_URL 或 JAEGER_BASE_URL；"
    "只投递告警时请设置 FEISHU_APP_ID。",
    "There is no backend to ask: set PROMETHEUS_BASE_URL, LOKI_BASE_URL or JAEGER_BASE_URL, "
    "or FEISHU_APP_ID to deliver alerts alone.",
)
_ALERTS_ALONE = Text(
    "只投递告警：没有遥测后端，不能回答问题。",
    "Alerts alone are delivered: without a telemetry backend no question can be answered.",
)


def exit_code(health: Health) -> int:
    """A wrong setting comes first: it may be why a backend gives no answer."""
    if health.has_wrong_setting:
        return USAGE
    return UNREADABLE if health.lacks_an_answer else 0


def health_json(health: Health, language: Language) -> dict[str, object]:
    return {
        "ok": exit_code(health) == 0,
        "settings": [_finding_json(one, language) for one in health.settings],
        "backends": [
            {
                "backend": one.backend,
                "address": one.address,
                "condition": one.condition,
                "findings": [_finding_json(found, language) for found in one.findings],
            }
            for one in health.backends
        ],
    }


def print_health(console: Console, health: Health, language: Language) -> None:
    _print_part(console, _SETTINGS.in_language(language), health.settings, language)
    for one in health.backends:
        title = one.backend if one.address is None else f"{one.backend}  {one.address}"
        _print_part(console, title, one.findings, language)
    findings = (*health.settings, *(found for one in health.backends for found in one.findings))
    if any(one.state == "fail" for one in findings):
        console.print(_MEND.in_language(language))
    if not health.has_telemetry:
        said = _ALERTS_ALONE if health.tells_chats else _NOTHING
        console.print(said.in_language(language))
    if exit_code(health) == 0:
        console.print(_WELL.in_language(language))


def _print_part(
    console: Console, title: str, findings: Iterable[Finding], language: Language
) -> None:
    """Rows as plain Text: what a backend says is no markup."""
    console.print(Line(title, style="bold"))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in findings:
        mark, style = _MARKS[one.state]
        name = _NAMES[one.name].in_language(language) if one.name in _NAMES else one.name
        said = Line(one.said.in_language(language), style="" if one.state == "ok" else style)
        table.add_row(Line(mark, style=style), Line(name), said)
    console.print(table)
    console.print()


def _finding_json(finding: Finding, language: Language) -> dict[str, str]:
    return {
        "name": finding.name,
        "state": finding.state,
        "message": finding.said.in_language(language),
    }
