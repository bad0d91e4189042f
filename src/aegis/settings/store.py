"""Where alerts are kept, for how long, and which of an Alertmanager's are ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from aegis.model.errors import ConfigurationError

URL, FOLDER = "AEGIS_DB_URL", "AEGIS_DATA_DIR"
_PASSWORDS = (
    re.compile(r"://[^:@/]*:([^@]*)@"),
    re.compile(r"://[^:@/]*:(.*)@"),  # with an @ in it that should have been %40
    re.compile(r"[?&](?:ssl)?password=([^&#]*)"),
)
WITHOUT_A_HOME = Path("/var/lib/aegis")


def read_db_url(given: Mapping[str, str]) -> str:
    """The address as it is given, or a SQLite file in the data folder."""
    url, folder = given.get(URL), given.get(FOLDER)
    if url:
        return url
    return f"sqlite:///{(Path(folder) if folder else _usual_folder()) / 'aegis.db'}"


def passwords_in(url: str) -> tuple[str, ...]:
    """What no log line may hold: all that may be a password, whatever is wrong with the address."""
    found = [one for each in _PASSWORDS for one in each.findall(url)]
    return tuple(dict.fromkeys(one for each in found for one in (each, unquote(each)) if one))


def _usual_folder() -> Path:
    try:
        return Path.home() / ".local" / "state" / "aegis"
    except RuntimeError:  # a user without an entry, as clusters have them
        return WITHOUT_A_HOME


def read_names(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Words separated by commas, each once."""
    words = [one.strip() for one in (given.get(name) or "").split(",")]
    found = tuple(dict.fromkeys(one for one in words if one))
    if any(len(one) > 256 for one in found):
        raise ConfigurationError(f"{name}: a name has at most 256 characters")
    return found
