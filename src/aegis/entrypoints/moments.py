"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def read_moment(text: str, timezone: ZoneInfo) -> datetime:
    """An ISO 8601 time in UTC; one without an offset is in `timezone`.

    ValueError with a sentence about the text where it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text[:60]!r} is not an ISO 8601 time such as 2026-11-02T10:15+08:00"
        raise ValueError(message) from None
    aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=timezone)
    if not 1970 < aware.year < 2200:
        raise ValueError(f"{text[:60]!r} is not between 1971 and 2199")
    return aware.astimezone(UTC)
