"""Which service a series belongs to, and how alike series of one service become one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

_PORT = re.compile(r":\d{1,5}$")
_ADDRESS = re.compile(r"[\d.]+|\[[\da-f:]+\]")
_SUMS = ("_per_second", "_cores", "_bytes", "_count", "_restarts", "_total")


def service_of(labels: Mapping[str, str], identity: Sequence[str]) -> str:
    """The first label of `identity` that is not empty, as a bare name; "" where none is.

    `namespace/name` (OTLP jobs) is the name; `name@provider` (Traefik), `name.ns.svc…` and a
    port are cut. Places are told apart by the labels that stay on the series.
    """
    for label in identity:
        value = labels.get(label, "").strip()
        if value:
            return bare_name(value)
    return ""


def bare_name(value: str) -> str:
    name = value.rpartition("/")[2] or value
    name = name.partition("@")[0] or name
    name = _PORT.sub("", name) or name
    if ".svc" in name and not _ADDRESS.fullmatch(name):
        name = name.partition(".")[0] or name
    return name


def combination(series_name: str) -> Literal["sum", "max"]:
    """How series of one service that differ only in labels that are not kept are joined.

    Amounts add up; of shares, quantiles and levels the worst counts.
    """
    return "sum" if series_name.endswith(_SUMS) else "max"
