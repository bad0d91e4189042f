"""What the environment says. The only reader of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aegis.model.errors import ConfigurationError
from aegis.model.text import Language


@dataclass(frozen=True, slots=True)
class Settings:
    """`language` of output that answers no question; `timezone` of times without an offset."""

    language: Language
    timezone: ZoneInfo


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Raises ConfigurationError, naming the variable."""
    given = os.environ if environment is None else environment
    return Settings(_language(given), _timezone(given))


def _language(given: Mapping[str, str]) -> Language:
    name = given.get("AEGIS_LANGUAGE") or "zh"
    if name == "zh" or name == "en":
        return "zh" if name == "zh" else "en"
    raise ConfigurationError(f"AEGIS_LANGUAGE: must be zh or en, is {name!r}")


def _timezone(given: Mapping[str, str]) -> ZoneInfo:
    name = given.get("AEGIS_TIMEZONE") or "Asia/Shanghai"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"AEGIS_TIMEZONE: must be an IANA time zone, is {name!r}"
        raise ConfigurationError(message) from None
