"""What was measured, as the subject of a sentence: "checkout's own time in …"."""

from __future__ import annotations

import re

from aegis.engine.quantities import tidy
from aegis.model.evidence import Signal
from aegis.model.text import Text

ARROW = " → "
"""Stands between the two parts of a subject: a line and the next, a caller and its callee."""

LONGEST_OF_TWO = 60
_TRACE_FIELDS = re.compile(r"\b(trace|span)[ _-]?id\s*[:=]\s*<\*>[,;]?", re.IGNORECASE)
"""Ids that differ in every line: room is better spent on what the line says."""
METRIC_NAMES: dict[Signal, Text] = {
    "errors": Text("错误", "errors"),
    "latency": Text("延迟", "latency"),
    "cpu": Text("CPU", "CPU"),
    "memory": Text("内存", "memory"),
    "disk": Text("磁盘", "disk"),
    "network": Text("网络", "network"),
    "saturation": Text("饱和度", "saturation"),
    "restarts": Text("重启次数", "restarts"),
    "traffic": Text("流量", "traffic"),
}


def metric_subject(kind: Text, service: str, peer: str | None, subject: str) -> Text:
    zh, en = f"{service} 的{padded(kind.zh)}", f"{service} {kind.en}"
    if peer == service:
        zh, en = f"调用方看到的 {zh}", f"{en} as its callers see it"
    elif peer is not None:
        zh, en = f"{service} 调用 {peer} 时的{padded(kind.zh)}", f"{en} in its calls to {peer}"
    if subject and subject.lower() != kind.en.lower():
        zh, en = f"{zh.rstrip()}（{subject}）", f"{en} ({subject})"
    return Text(zh, en)


def padded(word: str) -> str:
    """A Latin word inside Chinese stands between spaces."""
    return f" {word} " if word.isascii() else word


def span_subject(signal: Signal, service: str, peer: str | None, subject: str) -> Text:
    operation = _quoted(tidy(subject))
    if signal == "self_time":
        if not subject:
            return Text(
                f"{service} 自身耗时（不含下游）", f"{service}'s own time, callees excluded,"
            )
        return Text(
            f"{service} 处理{operation.zh}的自身耗时（不含下游）",
            f"{service}'s own time in {operation.en}, callees excluded,",
        )
    if signal == "call_time":
        callee = Text(peer, peer) if peer else Text("下游", "its callees")
        where = Text(f"（在{operation.zh}中）", f" in {operation.en}") if subject else Text("", "")
        return Text(
            f"{service} 等待 {callee.zh} 的时间{where.zh}",
            f"The time {service} waits for {callee.en}{where.en}",
        )
    if signal == "error_spans":
        where = Text(f"（{operation.zh}）", f" ({operation.en})") if subject else Text("", "")
        return Text(
            f"{service} 自身产生的错误 span{where.zh}",
            f"Error spans that begin in {service}{where.en}",
        )
    return _call_share(service, peer, subject)


def _call_share(service: str, peer: str | None, subject: str) -> Text:
    caller, arrow, callee = subject.partition(ARROW)
    if not arrow:
        caller, callee = subject, ""
    parent, child = _quoted(_half(caller)), _quoted(_half(callee))
    if peer is None or peer == service:
        target = Text("内部" if peer else "下游", "inside itself" if peer else "a callee")
    else:
        target = Text(f" {peer} ", peer)
    if callee and peer != service:
        target = Text(f"{target.zh}的{child.zh}", f"{child.en} of {target.en}")
    elif callee:
        target = Text(f"{target.zh}{child.zh}", f"{child.en} {target.en}")
    of = Text(parent.zh, parent.en) if caller else Text("请求", "requests")
    return Text(
        f"{service} 的{of.zh}中调用{target.zh}的比例",
        f"The share of {service}'s {of.en} that call {target.en}",
    )


def log_subject(signal: Signal, service: str, subject: str, unit: str) -> Text:
    if signal == "log_sequence":
        first, arrow, then = subject.partition(ARROW)
        if arrow and ARROW not in then:
            a, b = _short_line(first), _short_line(then)
            return Text(
                f"{service} 打印{a.zh}之后紧接着打印{b.zh}的概率",
                f"In {service}, the chance that {b.en} directly follows {a.en}",
            )
        line = _line(subject)
        return Text(
            f"{service} 日志顺序{line.zh}完整出现的概率",
            f"In {service}, the chance of the log sequence {line.en}",
        )
    line = _line(subject)
    zh, en = ("严重日志", "severe log line") if signal == "error_logs" else ("日志", "log line")
    if unit in ("per_line", "share"):
        return Text(
            f"{service} 的{zh}{line.zh}占其日志行的比例",
            f"The share of {en} {line.en} among {service}'s lines",
        )
    return Text(f"{service} 的{zh}{line.zh}", f"{service} {en} {line.en}")


def _quoted(name: str) -> Text:
    if not name:
        return Text("（空）", "(empty)")
    return Text(f"“{name}”", f'"{name}"')


def _half(name: str) -> str:
    """One of two names in a sentence; each gets a little less room than one alone."""
    return tidy(name, LONGEST_OF_TWO)


def _line(template: str) -> Text:
    return _quoted(tidy(_TRACE_FIELDS.sub(" ", template)))


def _short_line(template: str) -> Text:
    return _quoted(_half(_TRACE_FIELDS.sub(" ", template)))
