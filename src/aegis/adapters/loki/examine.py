"""Can this Loki be asked, and which of its labels names the service?"""

from __future__ import annotations

from aegis.adapters.http_client.answers import one_line
from aegis.adapters.http_client.examination import Examination
from aegis.adapters.http_client.routes import Route
from aegis.adapters.loki.identity import NAMELESS, service_label
from aegis.adapters.loki.logql import LogQuery
from aegis.adapters.loki.questions import LokiQuestions
from aegis.adapters.loki.selector import LABEL_KEY, TEMPLATE, ServiceSelector
from aegis.adapters.loki.service_streams import ServiceStreams, service_names, streams_of
from aegis.model.errors import SourceRejected
from aegis.model.telemetry import TimeWindow

BUILDINFO = Route("GET", "/loki/api/v1/status/buildinfo")
NOT_THERE = frozenset({404, 405, 501})
MOST_NAMED = 8


async def examine(examination: Examination, selector: ServiceSelector) -> None:
    """Notes its findings. SourceError, noted already, where it cannot be asked."""
    window = examination.last_minutes()
    questions = LokiQuestions(examination.client)
    labels = await examination.reached(questions.labels(window))
    await _version(examination)
    if not labels:
        examination.note(
            "service_label",
            "warn",
            "最近 15 分钟没有日志流；LOKI_BASE_URL 和 LOKI_TENANT_ID 正确吗？",
            "no stream in the last 15 minutes; are LOKI_BASE_URL and LOKI_TENANT_ID right?",
        )
        return
    try:
        label = service_label(labels, selector)
    except SourceRejected as error:
        examination.note("service_label", "fail", f"没有找到：{error}", f"none: {error}")
        return
    streams = ServiceStreams(selector, labels, label, ())
    with examination.trying("services"):
        streams = await streams_of(questions, selector, window) or streams
        names = await service_names(questions, streams, window)
    chosen = "" if selector.label is None else f" ({LABEL_KEY}, {TEMPLATE})"
    examination.note("service_label", "ok", f"{streams.label}{chosen}", f"{streams.label}{chosen}")
    if streams.values:
        _note_services(examination, streams, names)
    await _sample(examination, questions, LogQuery(streams.every()), window)


async def _version(examination: Examination) -> None:
    with examination.trying("version"):
        answer = await examination.client.ask(BUILDINFO, expected=NOT_THERE)
        told = answer.json() if answer.status == 200 else {}
        version = one_line(str(told.get("version", ""))) if isinstance(told, dict) else ""
        examination.note(
            "version",
            "ok",
            f"loki {version}" if version else "没有告知",
            f"loki {version}" if version else "not told",
        )


def _note_services(
    examination: Examination, streams: ServiceStreams, names: tuple[str, ...]
) -> None:
    values, selector = streams.values, streams.selector
    if not any(selector.fits(one) for one in values):
        examination.note(
            "services",
            "fail",
            f"没有一个标签值符合 {TEMPLATE}，例如 {one_line(values[0])}",
            f"no value of the label fits {TEMPLATE}; one is {one_line(values[0])}",
        )
        return
    if set(names) == {NAMELESS}:
        listed = ", ".join(one_line(one) for one in streams.labels)
        examination.note(
            "services",
            "warn",
            f"没有标签能区分服务；请把 {LABEL_KEY} 设为其中一个：{listed}",
            f"no label tells services apart; set {LABEL_KEY} to one of: {listed}",
        )
        return
    told = ", ".join(one_line(one) for one in names[:MOST_NAMED])
    rest = ", …" if len(names) > MOST_NAMED else ""
    said = f"{len(names)}: {told}{rest}"
    examination.note("services", "ok", said, said)


async def _sample(
    examination: Examination, questions: LokiQuestions, query: LogQuery, window: TimeWindow
) -> None:
    """The newest line of all services, through the selector that every question uses."""
    with examination.sample_query():
        found = await questions.lines(query, window.start_ns, window.end_ns, 1, "backward")
        if not found:
            told = one_line(query.text())
            examination.note(
                "lines",
                "warn",
                f"最近 15 分钟没有日志行符合 {told}；请检查 {TEMPLATE}",
                f"no line in the last 15 minutes fits {told}; check {TEMPLATE}",
            )
