"""When an alert's episode begins and ends, from notices that come twice, late and out of order.

What was measured with real Alertmanagers: a notice is repeated by the other half of a pair;
`startsAt` moves by seconds when Prometheus restarts, while the alert goes on; a half that was
restarted tells of an alert as firing seconds after the other told its end, with the old
`startsAt`. So `startsAt` is no key, but it orders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from aegis.model.episode import Transition
from aegis.model.webhook import AlertStatus


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What is remembered of one alert. `starts_at` is the latest that its episode was said to have.

    `closed_starts_at` and `closed_ends_at` are the latest of the last episode whose end
    Alertmanager told; None where it told none. An episode may be closed without: Alertmanager
    had it no longer. It may have forgotten for a while only, so that nothing is held against a
    later notice.
    """

    episode: int
    is_open: bool
    starts_at: datetime
    closed_starts_at: datetime | None = None
    closed_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook says of an alert. `ends_at` is None while it fires."""

    status: AlertStatus
    starts_at: datetime
    ends_at: datetime | None = None


def advance(known: Lifecycle | None, notice: Notice) -> tuple[Lifecycle, Transition | None]:
    """What is remembered then, and what people are to be told: None for a repeat or a late word."""
    if known is None:
        return _begun(1, notice, None)
    if known.closed_starts_at is not None and notice.starts_at <= known.closed_starts_at:
        return known, None  # about an episode that has ended
    if known.is_open:
        return _gone_on(known, notice)
    if notice.status == "resolved" and _is_its_end(known, notice):
        return _closed(
            replace(known, starts_at=max(known.starts_at, notice.starts_at)), notice
        ), None
    return _begun(known.episode + 1, notice, known)


def _begun(number: int, notice: Notice, before: Lifecycle | None) -> tuple[Lifecycle, Transition]:
    """An end without a beginning is an episode too: people are told of it."""
    opened = Lifecycle(
        number,
        True,
        notice.starts_at,
        before.closed_starts_at if before else None,
        before.closed_ends_at if before else None,
    )
    return (opened, "opened") if notice.status == "firing" else (_closed(opened, notice), "closed")


def _gone_on(known: Lifecycle, notice: Notice) -> tuple[Lifecycle, Transition | None]:
    latest = replace(known, starts_at=max(known.starts_at, notice.starts_at))
    if notice.status == "firing":
        return latest, None
    if notice.ends_at is not None and notice.ends_at < known.starts_at:
        return known, None  # the end of one before that we never heard of
    return _closed(latest, notice), "closed"


def _closed(known: Lifecycle, notice: Notice) -> Lifecycle:
    return replace(
        known,
        is_open=False,
        closed_starts_at=known.starts_at,
        closed_ends_at=notice.ends_at or notice.starts_at,
    )


def _is_its_end(known: Lifecycle, notice: Notice) -> bool:
    """The end of the episode that is closed here, told again or told late.

    Late, where Alertmanager seemed to have it no longer: then no end was told before.
    """
    ended_at = known.closed_ends_at
    began_before_it_ended = ended_at is not None and notice.starts_at < ended_at
    return notice.starts_at <= known.starts_at or began_before_it_ended
