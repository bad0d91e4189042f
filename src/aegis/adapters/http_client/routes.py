"""What may be asked of each backend. There is no other way to send a request.

Nothing here writes: no push, no delete, no silence, no reload, no configuration.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from aegis.model.backend import BackendName
from aegis.model.errors import InvalidRequest

LONGEST_PARAMETER = 256

_HOLE = re.compile(r"\{(\w+)\}")
_UNSPOKEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below the base URL; `{name}` stands for one path segment."""

    method: Literal["GET", "POST"]
    template: str

    def path(self, parameters: Mapping[str, str]) -> str:
        """The path with its holes filled; InvalidRequest where a value could lead elsewhere."""

        def fill(hole: re.Match[str]) -> str:
            value = parameters[hole[1]]
            if not is_safe_segment(value):
                raise InvalidRequest(hole[1], "cannot be asked for: not a name but a path")
            return quote(value, safe="")

        return _HOLE.sub(fill, self.template)


def is_safe_segment(value: str) -> bool:
    """Whether a name can be one segment of a path.

    Quoting alone is not enough: `..` stays `..`, and proxies decode `%2F` before they
    normalise. Control, bidirectional and zero-width characters hide what is asked.
    """
    if not value or len(value) > LONGEST_PARAMETER or not value.strip():
        return False
    if any(unicodedata.category(letter) in _UNSPOKEN for letter in value):
        return False
    return not {".", "..", ""} & set(re.split(r"[/\\]", value))


def _gets(prefix: str, names: str) -> list[Route]:
    return [Route("GET", f"{prefix}{name}") for name in names.split()]


_PROMETHEUS = [
    *(Route("POST", f"/api/v1/{name}") for name in ("query", "query_range", "series", "labels")),
    *_gets("/api/v1/", "query query_range series labels label/{name}/values metadata"),
    *_gets("/api/v1/", "targets/metadata rules alerts status/buildinfo status/runtimeinfo"),
    Route("GET", "/-/ready"),
]
_LOKI = [
    *_gets("/loki/api/v1/", "query query_range labels label/{name}/values series index/stats"),
    *_gets("/loki/api/v1/", "index/volume patterns detected_fields status/buildinfo"),
    Route("GET", "/ready"),
]
_JAEGER = [
    *_gets("/api/v3/", "services operations traces traces/{trace_id} trace-summaries"),
    *_gets("/api/", "services services/{service}/operations operations"),
    *_gets("/api/", "traces traces/{trace_id} dependencies"),
]
_ALERTMANAGER = [
    *_gets("/api/v2/", "alerts alerts/groups silences status"),
    Route("GET", "/-/ready"),
]

ALLOWED: Mapping[BackendName, frozenset[Route]] = {
    "prometheus": frozenset(_PROMETHEUS),
    "loki": frozenset(_LOKI),
    "jaeger": frozenset(_JAEGER),
    "alertmanager": frozenset(_ALERTMANAGER),
}
