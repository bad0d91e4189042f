"""The bodies of the HTTP contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


def _without_nul(text: str) -> str:
    """No backend, no database and no chat takes it."""
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Description = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4000, pattern=r"\S"),
    AfterValidator(_without_nul),
]
Moment = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Minutes = Annotated[int, Field(strict=True, ge=1, le=1440)]
Short = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_nul)
]

# Written out, because FastAPI would give the errors of a stream the media type of the stream.
_ERROR_BODY = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": told, "content": _ERROR_BODY}
    for status, told in {
        400: "Invalid request",
        401: "No token, or one we do not know",
        403: "Not allowed",
        413: "Larger than 1 MiB",
        500: "Our mistake",
        503: "Busy, or nothing can be asked yet",
    }.items()
}

EXAMPLE_QUESTION = "结账为什么这么慢？"


class Strict(BaseModel):
    """A misspelt field would silently ask something else, so unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class TimeRange(Strict):
    """`start` and `end`, or `last_minutes`; only one of start and end counts as not given."""

    start: Moment | None = Field(None, description="ISO 8601; without offset in AEGIS_TIMEZONE")
    end: Moment | None = Field(None, description="exclusive")
    last_minutes: Minutes | None = None


class AnalyzeRequest(Strict):
    """Why is this broken?"""

    description: Description = Field(examples=[EXAMPLE_QUESTION])
    time_range: TimeRange | None = None
    session_id: Short | None = None
    model: Short | None = Field(None, description="qwen, glm, deepseek or doubao")
    notify_chat_id: Short | None = Field(
        None, description="a chat that is told the answer too: oc_…, or default"
    )


class CitedWindow(BaseModel):
    start: Moment
    end: Moment


class CitedEvidence(BaseModel):
    """An item of an answer's `evidence`, as it came; what more it holds is ignored."""

    id: str
    source: str
    query: str
    start: Moment
    end: Moment
    sha256: str
    statement: str
    signal: str | None = None
    subject: str | None = None
    window: CitedWindow | None = None
    left_out: Annotated[list[CitedWindow], Field(max_length=100)] | None = None


class VerifyRequest(BaseModel):
    """The evidence of an answer, or the whole answer: its trace tells what was sampled."""

    evidence: Annotated[list[CitedEvidence], Field(max_length=1000)]
    trace: dict[str, Any] | None = None


class Checked(BaseModel):
    id: str
    verdict: Literal["match", "changed", "gone", "unverifiable"]
    statement: str
    sha256: str | None


class VerifyAnswer(BaseModel):
    results: list[Checked]


class RootCause(Strict):
    rank: int
    service: str | None
    probability: float | None
    family: str
    onset: str | None
    description: str
    key_indicators: list[str]
    key_logs: list[str]
    evidence_ids: list[str]
    against: list[str]


class TraceStep(Strict):
    index: int
    tool: str
    tool_input: str
    observation: str
    log: str | None


class Trace(Strict):
    steps: list[TraceStep]


class Evidence(CitedEvidence):
    model_config = ConfigDict(extra="forbid")

    service: str
    peer: str | None
    link: str | None = Field(description="where a browser shows it; null where nothing is set")


class Onset(Strict):
    """When what was asked about began; no `start` where that is before what was read."""

    outcome: Literal["ongoing", "ended", "before_history", "nothing"]
    start: str | None
    end: str | None
    asked: CitedWindow
    window: CitedWindow
    left_out: list[CitedWindow]
    statement: str


class Impact(Strict):
    since: str | None
    statement: str


class TimelineEvent(Strict):
    time: str
    event: str
    evidence_id: str | None


class RuledOut(Strict):
    service: str
    why: str


class Notification(BaseModel):
    """`queued`: kept, and sent once, in the chat's order. `failed`: it could not be kept."""

    chat_id: str
    status: Literal["queued", "failed"]
    error: str | None


class AnalyzeAnswer(BaseModel):
    """At most three causes; none where nothing abnormal was found.

    `notification` is there where a chat was to be told too.
    """

    summary: str
    ranked_root_causes: Annotated[list[RootCause], Field(max_length=3)]
    none_probability: float
    next_actions: list[str]
    trace: Trace
    evidence: list[Evidence]
    onset: Onset | None = None
    impact: Impact
    timeline: list[TimelineEvent]
    ruled_out: list[RuledOut]
    blind_spots: list[str]
    narrator: str
    start: str
    end: str
    session_id: str | None
    notification: Notification | None = None


class Health(BaseModel):
    status: Literal["ok"]
    service: str


class Readiness(BaseModel):
    """`cases` that can be asked, or else the `backends` that are.

    `alerts` that come in are delivered, or stored only: then `alerts_missing` says what is not
    set. Neither where this service receives none.
    """

    status: Literal["ready"]
    service: str
    cases: int | None = None
    backends: list[str] | None = None
    alerts: Literal["delivered", "stored_only"] | None = None
    alerts_missing: str | None = None


class ProblemDetail(BaseModel):
    field: str
    message: str


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    error: str
    message: str
    details: list[ProblemDetail]


class PlainChange(Strict):
    """A change as people and scripts tell of it."""

    service: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
    time: Moment = Field(description="ISO 8601; without offset in AEGIS_TIMEZONE")
    kind: Annotated[str, StringConstraints(max_length=60)] | None = None
    title: Annotated[str, StringConstraints(max_length=500)] | None = None
    url: Annotated[str, StringConstraints(max_length=2000)] | None = None
    version: Annotated[str, StringConstraints(max_length=200)] | None = None


class ChangesAnswer(BaseModel):
    """`known` were kept before; `ignored` are the reasons why an event is no change."""

    status: Literal["ok", "ignored"]
    stored: int
    known: int
    ignored: list[str]
