"""How sure a diagnosis is, and how to say it: shared by the narrative and the next actions."""

from __future__ import annotations

from collections.abc import Iterable

from aegis.engine.quantities import clock_time, tidy
from aegis.model.diagnosis import Diagnosis, Family, RootCause
from aegis.model.evidence import Evidence, Source
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text

NOTHING_FROM = 0.5
"""At this probability of "none of these" the answer is that nothing stood out."""
CLEAR_FROM = 0.2
CALM_BELOW = 0.3
"""Evidence that surprises by fewer decades than this shows that something stayed in its noise."""
CLOSE_BELOW = 1.5
"""Two causes are close when the first is less than this many times as probable."""

FAMILY_WORDS: dict[Family, Text] = {
    "cpu": Text("CPU 不足", "CPU starvation"),
    "memory": Text("内存压力", "memory pressure"),
    "disk": Text("磁盘慢或已满", "a slow or full disk"),
    "network": Text("网络故障", "a network fault"),
    "code": Text("代码缺陷", "a fault in its code"),
    "config": Text("配置错误", "a wrong configuration"),
    "dependency": Text("依赖故障", "a failing dependency"),
}
SOURCE_WORDS: dict[Source, Text] = {
    "metrics": Text("指标", "metrics"),
    "traces": Text("调用链", "traces"),
    "logs": Text("日志", "logs"),
    "changes": Text("变更记录", "change records"),
}
_BLIND_REASONS = frozenset(
    {"no_data", "not_recorded", "no_baseline", "unavailable", "not_configured"}
)
_LIKELY = (
    (0.8, Text("极有可能", "very likely")),
    (0.5, Text("很可能", "probably")),
    (CLEAR_FROM, Text("可能", "possibly")),
)


def nothing_found(diagnosis: Diagnosis) -> bool:
    """True where no candidate is left or "none of these" dominates."""
    return not diagnosis.causes or diagnosis.none_probability >= NOTHING_FROM


def how_likely(probability: float) -> Text | None:
    """The words for a probability; None where no cause is clear."""
    return next((words for least, words in _LIKELY if probability >= least), None)


def percent(probability: float) -> str:
    """A probability in whole percent that never rounds to certainty: "78 %", ">99 %"."""
    if probability > 0.995:
        return ">99 %"
    if probability < 0.005:
        return "<1 %"
    return f"{round(100 * probability)} %"


def sources_seen(diagnosis: Diagnosis) -> tuple[Source, ...]:
    """The sources that could have shown a fault: those with evidence, or without a gap.

    Relies on every source that is missing as a whole having a gap without a service.
    """
    spoken = {item.source for item in diagnosis.evidence}
    blind = {g.source for g in diagnosis.gaps if g.service is None and g.reason in _BLIND_REASONS}
    silent: tuple[Source, ...] = ("metrics", "traces", "logs")
    return tuple(s for s in SOURCE_WORDS if s in spoken or (s in silent and s not in blind))


def blind(diagnosis: Diagnosis) -> bool:
    """Whether no source could have shown a fault."""
    return set(sources_seen(diagnosis)) <= {"changes"}


def lacks_baseline(diagnosis: Diagnosis) -> bool:
    """Whether a whole source told of the window only."""
    return any(gap.reason == "no_baseline" and gap.service is None for gap in diagnosis.gaps)


def named(diagnosis: Diagnosis, ids: Iterable[str]) -> list[Evidence]:
    """The evidence with these ids, in their order."""
    known = diagnosis.evidence_by_id()
    return [known[item] for item in ids if item in known]


def objections(diagnosis: Diagnosis, cause: RootCause) -> list[tuple[Evidence, Text]]:
    """The evidence against a cause, strongest first, each with how it speaks against it.

    What also counts for the cause is left out: it cannot be both.
    """
    items = named(diagnosis, (i for i in cause.against_ids if i not in cause.evidence_ids))
    return [(item, _objection(item, cause)) for item in items]


def _objection(item: Evidence, cause: RootCause) -> Text:
    said, other = cited(item), tidy(item.service)
    if cause.service not in (item.service, item.peer):
        return Text(f"指向 {other} 的证据：{said.zh}", f"what points to {other} instead: {said.en}")
    if item.strength < CALM_BELOW:
        return Text(f"仍在正常波动之内：{said.zh}", f"within its usual noise: {said.en}")
    return said


def cited(item: Evidence) -> Text:
    """The statement of an evidence with its id, as part of a sentence."""
    said = clause(item.statement)
    return Text(f"{said.zh}[{item.id}]", f"{said.en} [{item.id}]")


def runner_up(diagnosis: Diagnosis) -> RootCause | None:
    """The second cause where it is nearly as probable as the first, else None."""
    if len(diagnosis.causes) < 2:
        return None
    first, second = diagnosis.causes[:2]
    close = first.probability < CLOSE_BELOW * second.probability
    return second if close else None


def clause(statement: Text) -> Text:
    """A sentence without its full stop, to stand inside another one."""
    return Text(statement.zh.rstrip().rstrip("。"), statement.en.rstrip().rstrip("."))


def span_of_time(window: TimeWindow) -> str:
    """ "10:00:00–10:15:00 UTC", the same in both languages."""
    start, end = (clock_time(ns, window) for ns in (window.start_ns, window.end_ns))
    return f"{start}–{end} UTC"


def tell_apart(diagnosis: Diagnosis, second: RootCause) -> Text:
    """What would decide between the first cause and `second`."""
    first = diagnosis.causes[0]
    a, b = tidy(first.service), tidy(second.service)
    for caller, callee in ((first.service, second.service), (second.service, first.service)):
        if _calls(diagnosis, caller, callee):
            up, down = tidy(caller), tidy(callee)
            return Text(
                f"看 {up} 扣除等待 {down} 之后的自身耗时和自身错误：若正常，原因是 {down}；"
                f"若仍异常，原因是 {up}",
                f"look at {up}'s own time and own errors without its calls to {down}: "
                f"normal means {down} is the cause, abnormal means {up} is",
            )
    if first.onset_ns is not None and second.onset_ns is not None:
        in_order = first.onset_ns < second.onset_ns  # mutate: equivalent: equal ones are not told
        earlier, later = (first, second) if in_order else (second, first)
        if first.onset_ns != second.onset_ns:
            times = [_clock(c.onset_ns, diagnosis) for c in (earlier, later)]
            x, y = tidy(earlier.service), tidy(later.service)
            return Text(
                f"{x} 自 UTC {times[0]} 起异常，{y} 自 UTC {times[1]} 起；"
                f"若 {y} 更早就有异常，{x} 就不是原因",
                f"{x} is abnormal since {times[0]} UTC, {y} since {times[1]} UTC; "
                f"an earlier sign in {y} would clear {x}",
            )
    return Text(
        f"看哪一个先恢复：若 {a} 恢复后 {b} 仍异常，原因是 {b}；反之则是 {a}",
        f"see which recovers first: if {b} stays abnormal once {a} is normal, it is {b}; "
        f"the other way round it is {a}",
    )


def _clock(time_ns: int | None, diagnosis: Diagnosis) -> str:
    return "" if time_ns is None else clock_time(time_ns, diagnosis.window)


def _calls(diagnosis: Diagnosis, caller: str, callee: str) -> bool:
    return any(e.service == caller and e.peer == callee for e in diagnosis.evidence)
