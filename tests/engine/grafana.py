"""What Grafana's Explore makes of an address, as its source tells for versions 10 to 13.

Read in grafana/grafana, `public/app/features/explore/hooks/useStateSync`: how `panes` is
parsed (`migrators/v1.ts`), which data source a pane gets and which queries are dropped
(`internal.utils.ts`, `synchronizer/init.ts`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz123456789")
DEFAULT_RANGE = ("now-1h", "now")


@dataclass(frozen=True)
class DataSource:
    """One that is configured there."""

    uid: str
    name: str
    kind: str


@dataclass(frozen=True)
class Opened:
    """A pane as the user finds it; `made_up_id` where the one in the address was not taken."""

    data_source: DataSource
    queries: tuple[dict[str, Any], ...]
    start: str
    end: str
    made_up_id: bool


def opened(link: str, configured: Sequence[DataSource]) -> Opened:
    """The first configured data source is the default one, as where none can be found."""
    asked = parse_qs(urlsplit(link).query, keep_blank_values=True)
    assert asked["schemaVersion"] == ["1"], "without it the address is read as one of version 9"
    panes = json.loads(asked["panes"][0])
    assert isinstance(panes, dict)
    ((key, pane),) = panes.items()
    made_up_id = len(key) != 3 or key.isdigit() or not set(key) <= LETTERS
    queries = pane.get("queries") if isinstance(pane.get("queries"), list) else []
    source = _source(pane.get("datasource"), queries, configured)
    kept = [query for query in queries if _fits(query.get("datasource"), source)]
    start, end = _range(pane.get("range"))
    queries_run = tuple({**query, "datasource": {"uid": source.uid}} for query in kept)
    return Opened(source, queries_run, start, end, made_up_id)


def _source(
    wanted: object, queries: Sequence[dict[str, Any]], configured: Sequence[DataSource]
) -> DataSource:
    of_queries = [query.get("datasource") for query in queries]
    named = [one.get("uid") if isinstance(one, dict) else one for one in of_queries]
    for name in [wanted if isinstance(wanted, str) else None, *named]:
        for one in configured:
            if name is not None and name in (one.uid, one.name):
                return one
    return configured[0]


def _fits(given: object, source: DataSource) -> bool:
    if not given:
        return True
    if isinstance(given, str):
        return given in (source.uid, source.name)
    return isinstance(given, dict) and given.get("uid") == source.uid


def _range(given: object) -> tuple[str, str]:
    if isinstance(given, dict):
        start, end = given.get("from"), given.get("to")
        if isinstance(start, str) and isinstance(end, str):
            return start, end
    return DEFAULT_RANGE
