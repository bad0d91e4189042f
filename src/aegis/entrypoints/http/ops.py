"""/api/ops: why is this broken, told at once or while it is found out; and is it still so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from aegis.entrypoints.http.analysts import Analysts, Event
from aegis.entrypoints.http.connection import ClientLeft, EventLines, while_connected
from aegis.entrypoints.http.notifying import Notifying, notifying
from aegis.entrypoints.http.problems import Problem, invalid, nothing_to_ask, plain
from aegis.entrypoints.http.schemas import (
    ERRORS,
    AnalyzeAnswer,
    AnalyzeRequest,
    TimeRange,
    VerifyAnswer,
    VerifyRequest,
)
from aegis.entrypoints.moments import read_moment
from aegis.settings import Settings
from aegis.workflows.analyze_incident import speaks

MODELS = ("qwen", "glm", "deepseek", "doubao")

_LINES = {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}


def ops_routes(settings: Settings, analysts: Analysts) -> APIRouter:
    router = APIRouter(prefix="/api/ops", tags=["ops"])

    @router.post("/analyze", response_model=AnalyzeAnswer, responses=ERRORS)
    async def analyze(asked: AnalyzeRequest, request: Request) -> Response:
        """Name the cause of what is burning, with evidence that can be measured again."""
        job, told = _analysis(asked, settings), notifying(asked.notify_chat_id, settings, request)
        return await _answer(request, _told(analysts.ask(job), told))

    @router.post(
        "/analyze/stream",
        status_code=200,
        response_class=EventLines,
        responses=ERRORS | {200: {"description": "One event a line", **_LINES}},
    )
    async def analyze_stream(asked: AnalyzeRequest, request: Request) -> Response:
        """The same, each step as it happens; `final` holds the answer of /analyze."""
        job, told = _analysis(asked, settings), notifying(asked.notify_chat_id, settings, request)
        analysts.check_room()
        return EventLines(_events(_told(analysts.ask(job), told), asked.session_id))

    @router.post("/verify", response_model=VerifyAnswer, responses=ERRORS)
    async def verify(asked: VerifyRequest, request: Request) -> Response:
        """Measure the evidence of an answer again: match, changed, gone or unverifiable."""
        job = {
            "job": "verify",
            "cases": _cases(settings),
            "timezone": settings.timezone.key,
            "evidence": [item.model_dump() for item in asked.evidence],
            "trace": asked.trace,
        }
        return await _answer(request, analysts.ask(job))

    return router


def _analysis(asked: AnalyzeRequest, settings: Settings) -> dict[str, object]:
    """The job for an analyst; raises the Problem of a request that cannot be one."""
    _check_model(asked.model)
    window, last_minutes = _when(asked.time_range, settings)
    wants_english = settings.language == "en" or speaks(asked.description) == "en"
    return {
        "job": "analyze",
        "cases": _cases(settings),
        "description": asked.description,
        "language": "en" if wants_english else "zh",
        "timezone": settings.timezone.key,
        "window": window and [moment.isoformat() for moment in window],
        "last_minutes": last_minutes,
        "session_id": asked.session_id,
        "notify": asked.notify_chat_id is not None,
    }


def _check_model(name: str | None) -> None:
    if name in MODELS:
        raise invalid("model", f"{name} is not configured; no model is: leave it out")
    if name is not None:
        known = ", ".join(MODELS)
        raise invalid("model", f"{plain(name)} is none of {known}, and none is configured")


def _when(
    given: TimeRange | None, settings: Settings
) -> tuple[tuple[datetime, datetime] | None, int | None]:
    """The window, or the last minutes; neither where the question is to tell."""
    if given is None:
        return None, None
    moments = {}
    for name, text in (("start", given.start), ("end", given.end)):
        if text is not None:
            try:
                moments[name] = read_moment(text, settings.timezone)
            except ValueError as error:
                raise invalid(f"time_range.{name}", str(error)) from None
    if given.last_minutes is not None and moments:
        told = f"give either last_minutes or {' and '.join(moments)}"
        raise invalid("time_range.last_minutes", told)
    if len(moments) < 2:
        return None, given.last_minutes
    if moments["end"] <= moments["start"]:
        raise invalid("time_range.end", f"{given.end} is not after start {given.start}")
    return (moments["start"], moments["end"]), None


def _cases(settings: Settings) -> str | None:
    """The recorded cases to ask; None for the backends of a running system."""
    if settings.case_dir is not None:
        return str(settings.case_dir.resolve())
    if not settings.has_telemetry:
        raise nothing_to_ask()
    return None


def _told(
    events: AsyncGenerator[Event, None], chat: Notifying | None
) -> AsyncGenerator[Event, None]:
    return events if chat is None else chat.events(events)


async def _answer(request: Request, events: AsyncGenerator[Event, None]) -> Response:
    try:
        last = await while_connected(request.receive, _last_event(events))
    except ClientLeft:
        return Response(status_code=499)  # nobody reads it; the log has nginx's number
    fields = {name: value for name, value in last.items() if name != "event"}
    if last["event"] == "error":
        return JSONResponse(fields, fields.pop("status"))
    return JSONResponse(fields)


async def _last_event(events: AsyncGenerator[Event, None]) -> Event:
    last: Event = {}
    async with aclosing(events) as coming:
        async for event in coming:
            last = event
    return last


async def _events(
    events: AsyncGenerator[Event, None], session_id: str | None
) -> AsyncGenerator[Mapping[str, object], None]:
    """From `start`, which needs no analyst, to `end`, whatever happens between."""
    yield {"event": "start", "session_id": session_id}
    try:
        async with aclosing(events) as coming:
            async for event in coming:
                event.pop("status", None)
                yield event
    except Problem as problem:
        yield {"event": "error", **problem.body()}
    yield {"event": "end"}
