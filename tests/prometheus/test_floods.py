"""Answers that are far too large cost little memory and become an error that says so."""

from __future__ import annotations

import gzip
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from tests.adapters.stand_in import Reply, Seen
from tests.prometheus.speaking import backend
from tests.prometheus.test_metrics import shop

pytestmark = pytest.mark.loopback

MIB = 1024 * 1024
_ASK = """
    import asyncio, resource, sys
    from aegis.adapters.http_client.budget import Budget
    from aegis.adapters.http_client.client import BackendClient
    from aegis.adapters.prometheus.catalog import load_catalog
    from aegis.adapters.prometheus.metrics import PrometheusMetrics
    from aegis.model.backend import BackendConfig
    from aegis.model.errors import SourceError
    from tests.recordings import between

    async def ask():
        async with BackendClient(BackendConfig("prometheus", sys.argv[1]), Budget()) as client:
            await PrometheusMetrics(client, catalog).read_metrics(between(0, 60))

    catalog = load_catalog(None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        asyncio.run(ask())
    except SourceError as error:
        print(error)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def flood() -> Iterator[bytes]:
    """300 MB of spaces inside JSON."""
    yield b'{"status":"success","data":'
    for _ in range(300):
        yield b" " * 1_000_000


BOMB = gzip.compress(b'{"status":"success","data":' + b" " * (300 * MIB), 6)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["label/__name__/values", "query_range"])
@pytest.mark.parametrize("kind", ["flood", "bomb"])
def test_three_hundred_megabytes_are_refused_within_128_mib(kind: str, place: str) -> None:
    fine = shop("web")

    def answer(seen: Seen) -> Reply:
        if place not in seen.path:
            return fine(seen)
        if kind == "flood":
            return Reply(body=flood())
        return Reply(body=BOMB, headers=(("Content-Encoding", "gzip"),))

    with backend(answer) as stand_in:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", textwrap.dedent(_ASK), stand_in.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    *told, grown_kib = done.stdout.splitlines()
    assert "PROMETHEUS_BASE_URL" in told[0]
    assert "MiB" in told[0]
    assert int(grown_kib) < 128 * 1024
