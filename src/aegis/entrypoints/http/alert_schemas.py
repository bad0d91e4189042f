"""What the routes about alerts take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from aegis.entrypoints.http.schemas import Strict

Word = Annotated[str, StringConstraints(min_length=1, max_length=512)]
MOST_ROWS = 1000


class WebhookAnswer(BaseModel):
    """`ignored`: stored, but no chat hears of it."""

    status: Literal["ok", "ignored"]
    sent_to: str | None = Field(description="chats that hear of these alerts, with commas")
    alert_count: int
    quarantined: int = Field(description="items that are no alerts")
    truncated: int = Field(description="alerts that Alertmanager left out")


class LedgerRequest(Strict):
    """Which alerts; without any, all of them."""

    state: Literal["open", "resolved"] | None = None
    alertname: Word | None = None
    severity: Word | None = None
    group: Annotated[list[Word], Field(max_length=20)] = Field(
        [], description="Alertmanager's keys"
    )
    chat: Word | None = Field(None, description="alerts that this chat hears of")
    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100
    cursor: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        None, description="`next` of the page before"
    )


class ToldAlert(BaseModel):
    chat_id: str
    transition: Literal["opened", "closed"]
    state: Literal["waiting", "ready", "sent", "refused"]
    since: str
    sent_at: str | None
    attempts: int
    code: int | None = Field(description="of the newest attempt that failed; null once sent")
    error: str | None
    doubtful: bool = Field(description="it may be in the chat twice")


class LedgerAlert(BaseModel):
    """One episode of an alert: from firing to its end."""

    fingerprint: str
    episode: int
    state: Literal["open", "resolved"]
    alertname: str
    severity: str
    labels: dict[str, str]
    annotations: dict[str, str]
    group_key: str
    starts_at: str
    first_seen: str
    last_seen: str
    resolved_at: str | None
    deliveries: list[ToldAlert]


class LedgerAnswer(BaseModel):
    """Newest first."""

    alerts: list[LedgerAlert]
    next: str | None
