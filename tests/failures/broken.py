"""A shop whose backends answer, but for one that fails in a given way."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Literal, get_args

from aegis.model.backend import BACKENDS, BackendName, setting
from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_server import HeldLoki, stored
from tests.adapters.stand_in import Reply, Seen, closed_port, standing_in
from tests.prometheus.speaking import Metric, Speaking
from tests.recordings import SmallShop, at, lines_of, spans_of

Failure = Literal["down", "401", "429", "500", "html", "hang", "flood", "bomb", "half"]
FAILURES: tuple[Failure, ...] = get_args(Failure)
When = Literal["at once", "later"]
WHENS: tuple[When, ...] = get_args(When)
WINDOW = {"start": "2026-03-01T10:30:00Z", "end": "2026-03-01T10:36:00Z"}
TIMEOUT_S = 1.0
FLOOD_MB = 300
LATER: Mapping[BackendName, int] = {"prometheus": 4, "loki": 2, "jaeger": 2, "alertmanager": 0}
"""How many requests are answered before the failure begins: what exists is known by then."""

_SHOP = SmallShop().recording()
_LOKI = HeldLoki(stored(lines_of(_SHOP.logs)))
_JAEGER = JaegerServer(spans_of(_SHOP.spans)[3:])  # an id of zeros is no id
_SERVER = "http_server_request_duration_seconds"
_MB = 1_000_000


def _rows(promql: str) -> list[tuple[Metric, float]]:
    if "up == 0" in promql or "4.." in promql or "ALERTS" in promql:
        return []
    return [({"service_name": name}, 0.25) for name in ("cart", "shop", "store")]


_PROMETHEUS = Speaking(
    [
        {"__name__": _SERVER + part, "service_name": name, "http_response_status_code": "200"}
        for part in ("_count", "_sum", "_bucket")
        for name in ("cart", "shop", "store")
    ],
    _rows,
)


def _firing(_: Seen) -> Reply:
    labels = {"alertname": "StoreSlow", "service": "store"}
    alert = {"labels": labels, "annotations": {}, "startsAt": at(31).isoformat()}
    return Reply(body=json.dumps([{**alert, "status": {"state": "active"}}]).encode())


HEALTHY: Mapping[BackendName, Callable[[Seen], Reply]] = {
    "prometheus": _PROMETHEUS,
    "loki": _LOKI.answer,
    "jaeger": _JAEGER,
    "alertmanager": _firing,
}


def _flood(size_mb: int) -> Iterator[bytes]:
    yield b'{"data": ['
    for _ in range(size_mb):
        yield b" " * _MB


def _bomb(size_mb: int) -> bytes:
    squeeze = zlib.compressobj(9, wbits=31)
    blank = b" " * _MB
    packed = [squeeze.compress(b'{"data": [')]
    packed += [squeeze.compress(blank) for _ in range(size_mb)]
    return b"".join(packed) + squeeze.flush()


def failing(failure: Failure, size_mb: int = FLOOD_MB) -> Reply:
    """`down` has no answer. Those that are too large have `size_mb` MB when decoded."""
    if failure in ("401", "429", "500"):
        return Reply(int(failure), b'{"message": "no"}')
    if failure == "html":
        return Reply(200, b"<!doctype html><title>Sign in</title>", "text/html")
    if failure == "hang":
        return Reply(body=b"", length=9, hang=True)
    if failure == "flood":
        return Reply(body=_flood(size_mb))
    if failure == "bomb":
        return Reply(body=_bomb(size_mb), headers=(("Content-Encoding", "gzip"),))
    if failure == "half":
        return Reply(body=b'{"status": "success", "data": [', length=90)
    raise ValueError(failure)


@contextmanager
def shop_with(
    broken: BackendName | None,
    failure: Failure = "down",
    when: When = "at once",
    size_mb: int = FLOOD_MB,
) -> Iterator[dict[str, str]]:
    """The settings that lead to the four backends, none of which fails where `broken` is None."""
    with ExitStack() as stack:
        told: dict[str, str] = {}
        for name in BACKENDS:
            told[setting(name, "timeout_s")] = str(TIMEOUT_S)
            if name == broken and failure == "down" and when == "at once":
                told[setting(name, "base_url")] = f"http://127.0.0.1:{closed_port()}"
                continue
            answer = HEALTHY[name]
            if name == broken:
                good = LATER[name] if when == "later" else 0
                answer = _after(good, answer, failure, size_mb)
            server = stack.enter_context(standing_in(answer))
            stack.callback(server.let_go)
            told[setting(name, "base_url")] = server.url
        yield told


def _after(
    good: int, healthy: Callable[[Seen], Reply], failure: Failure, size_mb: int
) -> Callable[[Seen], Reply]:
    left = [good]

    def answer(seen: Seen) -> Reply:
        left[0] -= 1
        if left[0] >= 0:
            return healthy(seen)
        # A server that goes away in the middle breaks what it was sent.
        return Reply(body=b"", length=9) if failure == "down" else failing(failure, size_mb)

    return answer
