"""What the metrics could not show, each gap with its reason: nothing there, zero, down, skipped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from aegis.adapters.prometheus.answers import Remarks, Row
from aegis.adapters.prometheus.identity import service_of
from aegis.model.errors import SourceError
from aegis.model.evidence import EvidenceGap, GapReason
from aegis.model.telemetry import Series
from aegis.model.text import Text

MOST_NAMED = 5
GOLDEN = ("traffic", "errors", "latency")
_WORDS = {
    "traffic": Text("流量", "traffic"),
    "errors": Text("错误", "errors"),
    "latency": Text("延迟", "latency"),
}


def nothing_known(names: int) -> EvidenceGap:
    if names == 0:
        return _gap(
            "no_data",
            "指标后端在这段时间没有任何指标。",
            "The metrics backend holds no metric in this time.",
        )
    return _gap(
        "no_data",
        f"后端有 {names} 个指标，但没有一个是信号目录认识的；可用 AEGIS_SIGNALS_FILE 补充。",
        f"The backend holds {names} metrics, but none that the signal catalog knows; "
        "AEGIS_SIGNALS_FILE can extend it.",
    )


def of_remarks(remarks: Remarks) -> list[EvidenceGap]:
    """Servers that answered only for a part of their stores."""
    gaps = []
    if remarks.is_partial:
        gaps.append(
            _gap(
                "sampled",
                "指标后端只返回了部分数据（isPartial）：有存储节点没有应答。",
                "The metrics backend answered in part (isPartial): some of its stores were away.",
            )
        )
    gaps += [
        _gap("sampled", f"指标后端警告：{one}", f"The metrics backend warned: {one}")
        for one in remarks.warnings
    ]
    return gaps


def of_histograms(count: int) -> EvidenceGap:
    return _gap(
        "sampled",
        f"{count} 个序列是原生直方图，没有数值：请用 histogram_quantile(…) 或 histogram_count(…)。",
        f"{count} series are native histograms without a number: ask for histogram_quantile(…) "
        "or histogram_count(…) of them.",
    )


def of_skipped(names: Sequence[str], *, is_slow: bool) -> list[EvidenceGap]:
    """Queries that were planned and not sent."""
    if not names:
        return []
    told, more = _listed(names)
    why = (
        Text("后端响应慢", "the backend is slow")
        if is_slow
        else Text("数据量超出预算", "they are over the budget")
    )
    return [
        _gap(
            "sampled",
            f"没有查询 {len(names)} 类指标（{why.zh}）：{told}{more.zh}。",
            f"{len(names)} kinds of metrics were not asked for ({why.en}): {told}{more.en}.",
        )
    ]


def of_failed(names: Sequence[str], error: SourceError) -> EvidenceGap:
    told, more = _listed(names)
    return _gap(
        "sampled",
        f"{len(names)} 类指标没有读到：{told}{more.zh}：{error}",
        f"{len(names)} kinds of metrics could not be read: {told}{more.en}: {error}",
    )


def of_names_left_out(count: int, most: int) -> list[EvidenceGap]:
    if not count:
        return []
    return [
        _gap(
            "sampled",
            f"目录认识的指标名超过 {most} 个，其余 {count} 个没有查看。",
            f"More than {most} metric names are known to the catalog; {count} were not looked at.",
        )
    ]


def of_silent(names: Sequence[str], moments: Sequence[datetime]) -> list[EvidenceGap]:
    """What exists in the time, but at none of the moments that were looked at."""
    if not names:
        return []
    told, more = _listed(names)
    times = ", ".join(f"{one:%H:%M:%S}" for one in sorted(moments))
    return [
        _gap(
            "no_data",
            f"{len(names)} 类指标在查看的三个时刻（UTC {times}）都没有序列，没有读取："
            f"{told}{more.zh}；只在其间出现过的看不到。",
            f"{len(names)} kinds of metrics had no series at the three moments looked at ({times} "
            f"UTC) and were not read: {told}{more.en}; what came and went between is not seen.",
        )
    ]


def of_services_left_out(count: int, most: int) -> list[EvidenceGap]:
    if not count:
        return []
    return [
        _gap(
            "sampled",
            f"服务超过 {most} 个，流量最小的 {count} 个没有读取。",
            f"More than {most} services: the {count} with the least traffic were left out.",
        )
    ]


def of_targets_down(rows: Iterable[Row], last_ns: int, step_ns: int) -> list[EvidenceGap]:
    """`rows`: how many targets of each job answer no scrape; absent where all do."""
    down = sorted(
        {
            service_of(row.labels, ("job",))
            for row in rows
            if len(row.times_ns) and row.times_ns[-1] >= last_ns - step_ns and row.values[-1] > 0
        }
        - {""}
    )
    return [
        _gap(
            "no_data",
            f"{name} 有采集目标不可达（up = 0）：它的指标不完整。",
            f"{name} has scrape targets that are down (up = 0): its metrics are incomplete.",
            name,
        )
        for name in down[:MOST_NAMED]
    ] + _rest(down)


def of_golden_signals(
    series: Sequence[Series], signals: Mapping[str, str], unread: Collection[str] = ()
) -> list[EvidenceGap]:
    """Services with traffic that is zero throughout, or without errors or latency beside it.

    `signals`: series name → golden signal. Of those `unread` in part nobody knows who lacks them.
    """
    seen: dict[str, set[str]] = {}
    busy: set[str] = set()
    for one in series:
        signal = signals.get(one.name)
        if signal in GOLDEN and one.values.size:
            seen.setdefault(one.service, set()).add(signal)
            if signal == "traffic" and one.values.max() > 0:
                busy.add(one.service)
    idle = sorted(name for name, has in seen.items() if "traffic" in has and name not in busy)
    gaps = [
        _gap("zero", f"{name} 没有收到请求。", f"{name} received no requests.", name)
        for name in idle[:MOST_NAMED]
    ]
    for signal in ("errors", "latency"):
        if signal in unread:
            continue
        lacking = sorted(name for name in busy if signal not in seen[name])
        word = _WORDS[signal]
        gaps += [
            _gap(
                "not_recorded",
                f"{name} 没有{word.zh}指标：看不到，不等于正常。",
                f"{name} has no metric for {word.en}: unseen, which is not the same as fine.",
                name,
            )
            for name in lacking[:MOST_NAMED]
        ]
    return gaps


def of_changes() -> EvidenceGap:
    said = Text(
        "没有 kube-state-metrics 的指标：看不到发布和配置变更。",
        "No metrics of kube-state-metrics: rollouts and changes of configuration are not seen.",
    )
    return EvidenceGap("changes", "not_recorded", None, said)


def of_changes_failed(kind: str, error: SourceError) -> EvidenceGap:
    said = Text(f"没有读到变更（{kind}）：{error}", f"Changes ({kind}) could not be read: {error}")
    return EvidenceGap("changes", "sampled", None, said)


def _rest(names: Sequence[str]) -> list[EvidenceGap]:
    count = len(names) - MOST_NAMED
    if count <= 0:
        return []
    return [
        _gap(
            "sampled",
            f"另有 {count} 个服务的采集目标不可达。",
            f"{count} more services have targets that are down.",
        )
    ]


def _listed(names: Sequence[str]) -> tuple[str, Text]:
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED])
    return told, Text(f" 等 {more} 类" if more > 0 else "", f" and {more} more" if more > 0 else "")


def _gap(reason: GapReason, zh: str, en: str, service: str | None = None) -> EvidenceGap:
    return EvidenceGap("metrics", reason, service, Text(zh, en))
