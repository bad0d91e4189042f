"""How values of the model become columns, the same in SQLite and in PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_json
from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from aegis.model.alert import Labels

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Since 1970, exact for every year from 1 to 9999."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The reverse. OverflowError outside of the years 1 to 9999."""
    return _EPOCH + number * _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as microseconds since 1970: it sorts, and no driver moves its zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment_of(value)


def label_text(labels: Labels) -> str:
    """A JSON object; not by the standard library, for a storm writes twenty thousand of them."""
    return to_json(dict(labels)).decode()


class LabelText(TypeDecorator[Labels]):
    """Labels as a JSON object. They must be storable text: no NUL, no half of a surrogate."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Labels | None, dialect: Dialect) -> str | None:
        return None if value is None else label_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Labels | None:
        return None if value is None else tuple(sorted(json.loads(value).items()))
