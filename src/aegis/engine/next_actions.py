"""What an engineer does next: few steps, each of which changes what is known.

Each candidate step has a worth; the most worthwhile come first. Steps that would change the
cluster are only ever offered for consideration, after a check.
"""

from __future__ import annotations

from collections.abc import Sequence

from aegis.engine import queries
from aegis.engine.comparisons import comparison
from aegis.engine.quantities import clock_time, some_names, tidy
from aegis.engine.queries import fenced
from aegis.engine.verdict import (
    CLEAR_FROM,
    named,
    nothing_found,
    objections,
    runner_up,
    span_of_time,
    tell_apart,
)
from aegis.engine.widening import Step, check_silent, fill_gaps, widen
from aegis.model.diagnosis import Diagnosis, RootCause
from aegis.model.evidence import Evidence
from aegis.model.text import Text

MOST_ACTIONS = 5
SURE_FROM = 0.5
"""Below this nobody else is told that their symptoms come from the first cause."""


def next_actions(diagnosis: Diagnosis) -> tuple[Text, ...]:
    """At most five steps, most worthwhile first; one where nothing could be read."""
    steps = _for_suspect(diagnosis) if nothing_found(diagnosis) else _for_causes(diagnosis)
    ordered = sorted(steps, key=lambda step: -step[0])
    distinct = dict.fromkeys(text for _, text in ordered)
    return tuple(distinct)[:MOST_ACTIONS]


def _for_suspect(diagnosis: Diagnosis) -> list[Step]:
    """Nothing stood out: look wider, and test the suspect where there is one."""
    steps = widen(diagnosis)
    for cause in diagnosis.causes[:1]:
        if cause.probability >= CLEAR_FROM:
            proofs = named(diagnosis, cause.evidence_ids)
            steps.append((72, comparison(diagnosis, cause, proofs)))
    return steps


def _for_causes(diagnosis: Diagnosis) -> list[Step]:
    first, second = diagnosis.causes[0], runner_up(diagnosis)
    proofs = named(diagnosis, first.evidence_ids)
    compared = comparison(diagnosis, first, proofs)
    steps: list[Step] = [(70, compared)]
    if second is None or objections(diagnosis, first):
        steps.append((50, _disprove(diagnosis, first)))
    change = _change_of(diagnosis, first)
    if change is not None:
        steps.append((90, _compare_versions(diagnosis, first, change)))
    if second is not None:
        decide = 100  # mutate: equivalent: nothing is worth more
        steps.append((decide, _decide(diagnosis, first, second)))
    measured = [item for item in proofs if item.source != "changes"]
    steps += _confirmations([e for e in measured if queries.per_pod(e) not in compared.en])
    affected = _also_affected(diagnosis, first) if first.probability >= SURE_FROM else None
    if affected is not None:
        steps.append((48, affected))
    if first.probability < CLEAR_FROM:
        steps += fill_gaps(diagnosis.gaps)
    return steps + check_silent(diagnosis.gaps)


def _confirmations(measured: Sequence[Evidence]) -> list[Step]:
    """The strongest measurement pod by pod, and the strongest from another source."""
    steps: list[Step] = []
    other = next((item for item in measured[1:] if item.source != measured[0].source), None)
    for worth, item in ((80, measured[0] if measured else None), (45, other)):
        text = _confirm(item) if item else None
        if text:
            steps.append((worth, text))
    return steps


def _confirm(item: Evidence) -> Text | None:
    """By the service that measured it: of a cause in the dark that is its caller."""
    query = queries.per_pod(item)
    if not query:
        return None
    name, when, run = tidy(item.service), span_of_time(item.window), fenced(query)
    if item.source == "traces":
        return Text(
            f"在 Jaeger 打开 {name} 在 {when} 的这些调用链：{run}",
            f"Open these traces of {name} from {when} in Jaeger: {run}",
        )
    if item.signal == "log_sequence":
        return Text(
            f"在 Loki 打开 {name} 的这行日志（{when}），看它之后实际打印了什么："
            f"{fenced(item.query)}",
            f"Open this line of {name} in Loki ({when}) and read what now follows it: "
            f"{fenced(item.query)}",
        )
    if item.source == "logs":
        return Text(
            f"在 Loki 按 Pod 统计 {name} 的这行日志（{when}），看是否集中在个别 Pod：{run}",
            f"Count this line of {name} by pod in Loki ({when}) and see whether one pod writes "
            f"most of them: {run}",
        )
    return Text(
        f"在 Prometheus 按 Pod 查看 {name} 的这项指标（{when}），看是全部异常还是个别 Pod：{run}",
        f"Plot this metric of {name} by pod in Prometheus ({when}) and see whether all pods or one "
        f"left the normal range: {run}",
    )


def _change_of(diagnosis: Diagnosis, cause: RootCause) -> Evidence | None:
    """The change of the cause's own service, unless it came after the onset."""
    own = named(diagnosis, cause.evidence_ids) + list(diagnosis.evidence)
    changes = (e for e in own if e.signal == "change" and e.service == cause.service)
    return next((e for e in changes if e.observed is None or e.observed >= 0.0), None)


def _compare_versions(diagnosis: Diagnosis, cause: RootCause, change: Evidence) -> Text:
    name, version = tidy(cause.service), tidy(change.subject)
    moments = [entry.time_ns for entry in diagnosis.timeline if entry.evidence_id == change.id]
    time_ns = moments[0] if moments else change.onset_ns
    at = None if time_ns is None else clock_time(time_ns, diagnosis.window)
    what = Text(
        f"变更 {version}" if version else "变更", f"change to {version}" if version else "change"
    )
    when = Text(f"（UTC {at}）", f" at {at} UTC") if at else Text("", "")
    command = queries.rollout_history(cause.service)
    zh_end, en_end = (f"：{fenced(command)}", f": {fenced(command)}") if command else ("", "")
    return Text(
        f"查看 {name} 的{what.zh}{when.zh}，比较新旧版本的 Pod；确认症状只出现在新版本之后，"
        f"再考虑回滚{zh_end}",
        f"Look at {name}'s {what.en}{when.en} and compare pods of the old and the new version; "
        f"consider rolling back only after checking that the symptom came with it{en_end}",
    )


def _decide(diagnosis: Diagnosis, first: RootCause, second: RootCause) -> Text:
    a, b, test = tidy(first.service), tidy(second.service), tell_apart(diagnosis, second)
    proofs = [e for e in named(diagnosis, second.evidence_ids) if e.source != "changes"]
    query = queries.per_pod(proofs[0]) if proofs else ""
    zh_end, en_end = (f"（{fenced(query)}）", f" ({fenced(query)})") if query else ("", "")
    return Text(
        f"先在 {a} 与 {b} 之间做出判断：{test.zh}{zh_end}",
        f"Decide between {a} and {b} first: {test.en}{en_end}",
    )


def _disprove(diagnosis: Diagnosis, cause: RootCause) -> Text:
    name = tidy(cause.service)
    for item, objection in objections(diagnosis, cause)[:1]:
        query = queries.per_pod(item)
        zh_end, en_end = (f"：{fenced(query)}", f": {fenced(query)}") if query else ("", "")
        return Text(
            f"检验反对 {name} 的最强证据是否成立：{objection.zh}{zh_end}",
            f"Test the strongest evidence against {name}, {objection.en}{en_end}",
        )
    others = some_names(c.service for c in diagnosis.causes[1:])
    if cause.onset_ns is not None and others:
        since = clock_time(cause.onset_ns, diagnosis.window)
        any_zh, any_en = (" 中任何一个", "any of ") if len(others) > 1 else (" ", "")
        return Text(
            f"若 {'、'.join(others)}{any_zh}在 UTC {since} 之前已异常，{name} 就不是原因",
            f"{name} is not the cause if {any_en}{', '.join(others)} was abnormal before "
            f"{since} UTC",
        )
    return Text(
        f"若 {name} 中未受影响的 Pod 服务的请求同样异常，{name} 就不是原因",
        f"{name} is not the cause if requests served by its unaffected pods are just as bad",
    )


def _also_affected(diagnosis: Diagnosis, cause: RootCause) -> Text | None:
    followers = [r.service for r in diagnosis.ruled_out if r.explained_by == cause.service]
    callers = [e.service for e in diagnosis.evidence if e.peer == cause.service]
    felt = [diagnosis.impact.service] if diagnosis.impact.service else []
    names = some_names(s for s in (*followers, *felt, *callers) if s != cause.service)
    if not names:
        return None
    name = tidy(cause.service)
    return Text(
        f"通知 {'、'.join(names)} 的负责人：它们的症状随 {name} 而来，重启它们无济于事",
        f"Tell the owners of {', '.join(names)}: their symptoms follow {name}, so restarting "
        f"them will not help",
    )
