"""What was measured and concluded, each in one sentence with its numbers and units."""

from __future__ import annotations

from aegis.engine.quantities import amount, clock_time, finite, movement, tidy
from aegis.engine.subjects import METRIC_NAMES, log_subject, metric_subject, padded, span_subject
from aegis.model.evidence import GapReason, Signal, Source
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text

_CHANGE_KINDS = {
    "deploy": "部署",
    "deployment": "部署",
    "release": "发布",
    "rollback": "回滚",
    "config": "配置变更",
    "configuration": "配置变更",
    "scale": "扩缩容",
    "scaling": "扩缩容",
    "restart": "重启",
    "change": "变更",
}
_SOURCE_NAMES: dict[Source, Text] = {
    "metrics": Text("指标", "metrics"),
    "logs": Text("日志", "logs"),
    "traces": Text("调用链", "traces"),
    "changes": Text("变更记录", "change records"),
    "alerts": Text("告警", "alerts"),
}
_GAPS: dict[GapReason, tuple[str, str]] = {
    "no_data": ("这段时间没有数据", "no data in the window"),
    "stopped": ("中断，此前一直有", "stopped; until then they came all along"),
    "zero": ("有应答，但全部为零", "answered, but everything is zero"),
    "not_recorded": ("没有采集，因此看不到", "not recorded, so nothing could be seen"),
    "no_baseline": ("故障前没有数据，无法比较", "no data from before, so nothing to compare with"),
    "sampled": ("数据太多，只读取了均匀抽样", "too much to read, only an even sample was used"),
    "undated": ("时间不可信，未计入前后对比", "times not believable, left out of the comparison"),
    "unavailable": ("没有应答，无法查询", "did not answer, could not be asked"),
    "not_configured": ("没有配置来源", "no source is configured"),
    "short": ("样本太少，无法判断", "too few samples to judge"),
}


def describe(
    *,
    signal: Signal,
    service: str,
    peer: str | None,
    subject: str,
    baseline: float | None,
    observed: float | None,
    unit: str,
) -> Text:
    """One sentence for one measurement.

    `subject` is the metric, the span operation or the log template; "A → B" for a call
    structure (operation and child operation) and a log sequence (line and next line). For a
    change it is the version, and `observed` counts the minutes from the change to the onset,
    negative where the change came after it. A metric whose peer is its own service was
    measured by a caller. Not a number and infinity count as missing.
    """
    name, other = tidy(service), tidy(peer) if peer else None
    if signal == "change":
        return _deploy(name, tidy(subject), observed)
    if signal in METRIC_NAMES:
        what = metric_subject(METRIC_NAMES[signal], name, other, tidy(subject))
    elif signal in ("error_logs", "log_rate", "log_sequence"):
        what = log_subject(signal, name, subject, unit)
    else:
        what = span_subject(signal, name, other, subject)
    moved = movement(baseline, observed, unit)
    return Text(f"{what.zh}{moved.zh}。", f"{what.en} {moved.en}.")


def _deploy(service: str, version: str, minutes: float | None) -> Text:
    what = Text(f"{service} 有变更", f"{service} was changed")
    if version:
        what = Text(f"{service} 变更为 {version}", f"{service} was changed to {version}")
    gap = finite(minutes)
    if gap is None:
        return Text(
            f"{what.zh}，与异常开始的先后未知。",
            f"{what.en}; how long before the onset is unknown.",
        )
    if gap == 0.0:
        return Text(f"{what.zh}，与异常同时开始。", f"{what.en}, at the moment of the onset.")
    apart = amount(abs(gap), "min")
    space = " " if apart.zh[-1].isascii() else ""
    if gap < 0.0:
        return Text(
            f"{what.zh}，在异常开始之后 {apart.zh}。", f"{what.en}, {apart.en} after the onset."
        )
    return Text(
        f"{what.zh}，{apart.zh}{space}后异常开始。", f"{what.en}, {apart.en} before the onset."
    )


def impact_statement(
    service: str | None,
    signal: Signal | None,
    baseline: float | None,
    observed: float | None,
    unit: str,
    since_ns: int | None,
    window: TimeWindow,
) -> Text:
    """Who feels what since when; says so where no effect or no beginning was found."""
    start, end = clock_time(window.start_ns, window), clock_time(window.end_ns, window)
    if service is None:
        return Text(
            f"UTC {start} 至 {end} 之间没有测到对用户的影响。",
            f"No effect on users was measured between {start} and {end} UTC.",
        )
    name = tidy(service)
    if signal is None:
        felt = Text(
            f"{name} 受影响，但没有可比的数值", f"{name} is affected, without a number to compare"
        )
    else:
        felt = _felt(name, signal, movement(baseline, observed, unit))
    if since_ns is None:
        return Text(
            f"{felt.zh}；开始时间无法确定（查看的是 UTC {start} 至 {end}）。",
            f"{felt.en}; when it began could not be told (looked at {start} to {end} UTC).",
        )
    since = clock_time(since_ns, window)
    return Text(f"自 UTC {since} 起，{felt.zh}。", f"Since {since} UTC, {felt.en}.")


def impact_unknown_statement(window: TimeWindow) -> Text:
    """Where nothing could be measured, no effect is not "no effect"."""
    start, end = clock_time(window.start_ns, window), clock_time(window.end_ns, window)
    return Text(
        f"UTC {start} 至 {end} 之间对用户有无影响不得而知：没有可以比较的数据。",
        f"Whether users were affected between {start} and {end} UTC is not known: "
        "there was nothing to compare.",
    )


def _felt(service: str, signal: Signal, moved: Text) -> Text:
    if signal in ("latency", "self_time", "call_time"):
        return Text(f"{service} 变慢：延迟{moved.zh}", f"{service} is slow: latency {moved.en}")
    if signal in ("errors", "error_spans", "error_logs"):
        return Text(f"{service} 报错：错误{moved.zh}", f"{service} is failing: errors {moved.en}")
    if signal == "traffic":
        return Text(f"{service} 的流量{moved.zh}", f"traffic of {service} {moved.en}")
    noun = METRIC_NAMES.get(signal, Text("行为", "behaviour"))
    return Text(
        f"{service} 异常：{padded(noun.zh).lstrip()}{moved.zh}",
        f"{service} is abnormal: {noun.en} {moved.en}",
    )


def explained_by_statement(service: str, cause: str | None, via: tuple[str, ...]) -> Text:
    """Why a service with symptoms is not the cause; `via` lists the services between them."""
    name = tidy(service)
    between = [tidy(hop) for hop in via if hop not in (service, cause)]
    if cause is None:
        if not between:
            return Text(
                f"{name} 的症状太弱，不足以说明它是原因。",
                f"{name}'s symptoms are too weak to make it a cause.",
            )
        return Text(
            f"{name} 的症状可由它调用的 {'、'.join(between)} 解释。",
            f"{name}'s symptoms are explained by what it calls: {', '.join(between)}.",
        )
    zh = f"（经由 {' → '.join(between)}）" if between else ""
    en = f" (through {' → '.join(between)})" if between else ""
    return Text(
        f"{name} 的症状可由 {tidy(cause)} 解释{zh}。",
        f"{name}'s symptoms are explained by {tidy(cause)}{en}.",
    )


def calm_change_statement(service: str, version: str, time_ns: int, window: TimeWindow) -> Text:
    """A service that was changed shortly before and shows nothing."""
    name, at = tidy(service), clock_time(time_ns, window)
    what = f" {tidy(version)}" if version else ""
    return Text(
        f"{name} 的变更{what}（UTC {at}）：{name} 自身没有异常。",
        f"{name}'s change{f' to{what}' if what else ''} at {at} UTC: {name} itself shows nothing "
        "abnormal.",
    )


def onset_event(service: str, evidence_statement: Text) -> Text:
    """The moment a service first left its normal range, with the measurement that shows it."""
    name = tidy(service)
    if evidence_statement.zh.startswith(name) and evidence_statement.en.startswith(name):
        return evidence_statement  # that says whose it is
    return Text(
        f"{name} 开始异常：{evidence_statement.zh}",
        f"{name} becomes abnormal: {evidence_statement.en}",
    )


def change_event(
    service: str, kind: str | None, version: str | None, title: str | None = None
) -> Text:
    """A deploy or another change of a service; all but the service may be unknown."""
    name, what = tidy(service), tidy(kind) if kind else None
    to = tidy(version) if version else None
    zh_kind = _CHANGE_KINDS.get(what.lower(), what) if what else "变更"
    zh = f"{name} {zh_kind}" if not zh_kind.isascii() else f"{name} 变更（{zh_kind}）"
    said = tidy(title) if title else None
    zh = f"{zh}至 {to}" if to else zh
    en = f"{name}: {what or 'change'}" + (f" to {to}" if to else "")
    return Text(f"{zh}（{said}）。" if said else f"{zh}。", f"{en} ({said})." if said else f"{en}.")


def gap_statement(
    source: Source, reason: GapReason, service: str | None, count: int | None = None
) -> Text:
    """What could not be seen. `count` is rows: those read (sampled, short) or undated."""
    zh, en = _GAPS[reason]
    rows = amount(float(count), "count") if count is not None else None
    zh_rows, en_rows = (f"（{rows.zh} 条）", f" ({rows.en} rows)") if rows else ("", "")
    what = _SOURCE_NAMES[source]
    if service is not None:
        name = tidy(service)
        what = Text(f"{name} 的{what.zh}", f"{what.en} of {name}")
    return Text(f"{what.zh}：{zh}{zh_rows}。", f"{what.en[0].upper()}{what.en[1:]}: {en}{en_rows}.")
