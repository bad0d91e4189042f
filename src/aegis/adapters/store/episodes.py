"""Rows of the table of episodes, as the model has them, and what tells of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_

from aegis.adapters.store.tables import episode, outbox_item
from aegis.model.episode import Episode


def episode_of(row: Any) -> Episode:
    """Of a row that has the columns of the table, whatever else it has."""
    return Episode(
        fingerprint=row.fingerprint,
        number=row.number,
        labels=row.labels,
        annotations=row.annotations,
        group_key=row.group_key,
        starts_at=row.starts_at,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        resolved_at=row.resolved_at,
    )


def tells_of_episode() -> ColumnElement[bool]:
    """An item of the outbox and the episode it is about."""
    return and_(
        outbox_item.c.fingerprint == episode.c.fingerprint,
        outbox_item.c.episode == episode.c.number,
    )
