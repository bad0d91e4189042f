"""Where to look next when nothing stood out, or when too little could be seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aegis.engine import queries
from aegis.engine.quantities import some_names, tidy
from aegis.engine.queries import fenced
from aegis.engine.verdict import (
    CALM_BELOW,
    SOURCE_WORDS,
    blind,
    cited,
    lacks_baseline,
    span_of_time,
)
from aegis.model.diagnosis import Diagnosis
from aegis.model.evidence import EvidenceGap, GapReason, Source
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text

Step = tuple[int, Text]
"""How worthwhile a step is (higher first), and its wording."""

_ALERTS = Text("告警", "alerts")
_BY_REASON: dict[GapReason, tuple[int, str, str]] = {
    "unavailable": (
        95,
        "先让{what}读得出来，再问一次；`aegis doctor` 说明要改什么",
        "Ask again once {what} can be read; `aegis doctor` says what to change",
    ),
    "no_data": (85, "补上{what}：这段时间没有数据", "Find out why there are no {what}"),
    "not_configured": (60, "配置{what}来源后再问一次", "Configure a source of {what}"),
    "not_recorded": (60, "接入{what}：没有它看不到相关的故障", "Start recording {what}"),
    "no_baseline": (
        80,
        "换一个包含正常时段的窗口再问：{what}没有基线",
        "Ask with a window that holds normal time: no baseline for {what}",
    ),
    "short": (
        50,
        "换更长的窗口再问：{what}样本太少",
        "Ask with a longer window: too few samples of {what}",
    ),
    "sampled": (
        45,
        "换更窄的窗口再问：{what}只读了抽样",
        "Ask with a narrower window: only a sample was read of {what}",
    ),
}


def widen(diagnosis: Diagnosis) -> list[Step]:
    """Where nothing could be read, only what would let it be read."""
    if blind(diagnosis) and any(gap.reason == "unavailable" for gap in diagnosis.gaps):
        return fill_gaps(diagnosis.gaps)
    window = diagnosis.window
    earlier = TimeWindow(window.start - timedelta(seconds=window.duration_s), window.end)
    alarm = tidy(diagnosis.alarm.service) if diagnosis.alarm and diagnosis.alarm.service else None
    firing = fenced(queries.firing_alerts(window))
    asked = Text(f" {alarm} ", alarm) if alarm else Text("所问服务", "the one asked about")
    steps: list[Step] = [
        (
            70,
            Text(
                f"看这段时间触发过哪些告警，是否有{asked.zh}之外的服务：{firing}",
                f"See which alerts fired in the window, also for services other than "
                f"{asked.en}: {firing}",
            ),
        ),
        *fill_gaps(diagnosis.gaps),
        *check_silent(diagnosis.gaps),
    ]
    if not (blind(diagnosis) and lacks_baseline(diagnosis)):
        steps.append(
            (
                90,
                Text(
                    f"把窗口向前放宽到 {span_of_time(earlier)} 再问一次：故障可能早于所问的时段",
                    f"Ask again for {span_of_time(earlier)}: the fault may be older than the "
                    "window",
                ),
            )
        )
    departures = [item for item in diagnosis.evidence if item.strength >= CALM_BELOW]
    strongest = max(departures, key=lambda item: item.strength, default=None)
    if strongest is not None and (query := queries.per_pod(strongest)):
        said = cited(strongest)
        steps.append(
            (
                75,
                Text(
                    f"核对最大的一处偏离：{said.zh}：{fenced(query)}",
                    f"Check the largest departure: {said.en}: {fenced(query)}",
                ),
            )
        )
    return steps


def check_silent(gaps: Sequence[EvidenceGap]) -> list[Step]:
    """Does a service that fell silent still run? Whether it is the cause or not, that is news."""
    silent = [gap.service for gap in gaps if gap.reason == "stopped" and gap.service is not None]
    names, up = some_names(silent), fenced(queries.scrape_failures())
    if not names:
        return []
    verb = "s" if len(names) == 1 else ""
    ends = fenced(queries.last_terminations(silent[0])) if len(names) == 1 else ""
    zh_end, en_end = (
        (f"；Pod 上次为何退出：{ends}", f"; why its pods ended: {ends}") if ends else ("", "")
    )
    return [
        (
            92,
            Text(
                f"先看 {'、'.join(names)} 是否还在运行，还是只有采集中断：{up}{zh_end}",
                f"See whether {', '.join(names)} still run{verb}, or only scraping failed: "
                f"{up}{en_end}",
            ),
        )
    ]


def fill_gaps(gaps: Sequence[EvidenceGap]) -> list[Step]:
    """One step a reason for whole sources; then one a source and reason for single services."""
    steps: list[Step] = []
    told: set[tuple[str, str]] = set()
    for gap in sorted(gaps, key=lambda gap: gap.service is not None):
        if gap.reason not in _BY_REASON or (gap.source, gap.reason) in told:
            continue
        worth, zh, en = _BY_REASON[gap.reason]
        alike = [g for g in gaps if g.reason == gap.reason]
        if gap.service is None:
            sources = dict.fromkeys(g.source for g in alike if g.service is None)
            what = _joined([_word(source) for source in sources])
        else:
            mine = (g.service for g in alike if g.source == gap.source and g.service)
            sources, names, word = {gap.source: None}, some_names(mine), _word(gap.source)
            what = Text(f" {'、'.join(names)} 的{word.zh}", f"{word.en} of {', '.join(names)}")
        told.update((source, gap.reason) for source in sources)
        end = Text("", "")
        if "metrics" in sources and gap.reason == "no_data":
            up = fenced(queries.scrape_failures())
            end = Text(f"；先看采集是否失败：{up}", f"; first see whether scraping fails: {up}")
        text = Text(zh.format(what=what.zh) + end.zh, en.format(what=what.en) + end.en)
        steps.append((worth if gap.service is None else worth // 2, text))
    return steps


def _word(source: Source) -> Text:
    return _ALERTS if source == "alerts" else SOURCE_WORDS[source]


def _joined(words: Sequence[Text]) -> Text:
    return Text("、".join(w.zh for w in words), ", ".join(w.en for w in words))
