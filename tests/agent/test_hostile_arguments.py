"""Whatever text a tool is given, it asks for just that, and nothing but allowed reads is sent."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.adapters.http_client.routes import ALLOWED
from aegis.agent.tools.tool import Result
from aegis.bootstrap.live import Backends
from aegis.bootstrap.tools import live_tools
from aegis.model.backend import BACKENDS, BackendConfig, BackendName
from aegis.model.telemetry import Span
from aegis.settings import Settings
from tests.adapters.jaeger_server import JaegerServer
from tests.adapters.loki_language import StoredLine
from tests.adapters.loki_server import HeldLoki
from tests.adapters.stand_in import Reply, Seen, StandIn, standing_in
from tests.fakes import FakeClock
from tests.prometheus.speaking import Speaking
from tests.recordings import at, between, ns

pytestmark = pytest.mark.loopback

UTC = ZoneInfo("UTC")
WINDOW = between(0, 30).as_text()
TOKENS = [
    '"',
    "\\",
    "`",
    "'",
    "{",
    "}",
    "{{.x}}",
    "(",
    ")",
    "[5m]",
    "|",
    "=~",
    ",",
    "\n",
    "\r",
    "\t",
    "\0",
    "..",
    "/",
    "../../api/v2/silences",
    "%2e%2e%2f",
    "#",
    "?",
    "&limit=1",
    " ",
    "\u202e",
    "\u200b",
    "\u2066",
    "\x9b",
    'x"} or up{a="',
    "$1",
    ".*",
    "日本",
    "💥",
    "é",
]
HOSTILE = st.lists(st.one_of(st.sampled_from(TOKENS), st.text(max_size=3)), max_size=8).map("".join)
NAMES = HOSTILE.filter(lambda text: len(text) <= 200).map(lambda text: f"a{text}z")
"""Blanks around an argument are no part of it."""
EXAMPLES = settings(max_examples=40, deadline=None)
FEW_EXAMPLES = settings(max_examples=20, deadline=None)


@dataclass
class World:
    """Four backends; what they hold is set before each question."""

    loki: HeldLoki
    jaeger: list[JaegerServer]
    servers: dict[BackendName, StandIn]

    def call(self, tool: str, arguments: dict[str, Any]) -> Result:
        """What the tool answers, after a look at what was sent for it."""
        for server in self.servers.values():
            server.seen.clear()
        self.loki.refused.clear()
        configs = tuple(BackendConfig(name, self.servers[name].url) for name in BACKENDS)
        backends = Backends.of(Settings("en", UTC, backends=configs))

        async def asked() -> Result:
            async with live_tools(backends, UTC, FakeClock(at(31))) as toolbox:
                return await toolbox.call(tool, arguments)

        result = asyncio.run(asked())
        for name, server in self.servers.items():
            assert all(_is_allowed(name, seen) for seen in server.seen)
        assert self.loki.refused == []
        assert json.dumps(result, ensure_ascii=False).isprintable()
        return result


def _is_allowed(name: BackendName, seen: Seen) -> bool:
    """By the path as it came over the wire, so that nothing in a name can add a segment."""
    return any(
        seen.method == route.method
        and re.fullmatch(
            re.sub(r"\\\{\w+\\\}", "[^/?#]+", re.escape(route.template)), seen.raw_path
        )
        for route in ALLOWED[name]
    )


def _pattern(template: str) -> str:
    return "[^/?#]+".join(map(re.escape, re.split(r"\{\w+\}", template)))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    loki, jaeger = HeldLoki([]), [JaegerServer([])]
    names = [{"__name__": "http_requests_total", "job": "web"}]
    with ExitStack() as stack:
        servers: dict[BackendName, StandIn] = {
            "prometheus": stack.enter_context(standing_in(Speaking(names))),
            "loki": stack.enter_context(standing_in(loki.answer)),
            "jaeger": stack.enter_context(standing_in(lambda seen: jaeger[0](seen))),
            "alertmanager": stack.enter_context(standing_in(lambda _: Reply(body=b"[]"))),
        }
        yield World(loki, jaeger, servers)


@EXAMPLES
@given(service=NAMES, word=NAMES)
def test_lines_of_just_this_service_with_just_this_word_are_found(
    world: World, service: str, word: str
) -> None:
    world.loki.lines = [
        StoredLine(ns(10), f"<{word}> was said", {"app": service}),
        StoredLine(ns(11), "nothing was", {"app": service}),
        StoredLine(ns(12), f"<{word}> was said", {"app": "another one"}),
    ]
    asked = {"services": [service], "keywords": [word], "status_codes": []}
    found = world.call("loki_collect_evidence", {**asked, **WINDOW})
    assert "error" not in found, found
    counted = cast("dict[str, int]", found["matching_lines"])
    assert sum(counted.values()) == 1 + (word in "nothing was")


@EXAMPLES
@given(service=NAMES, operation=NAMES)
def test_traces_of_just_this_service_and_operation_are_searched_for(
    world: World, service: str, operation: str
) -> None:
    span = Span("1" * 32, "2" * 16, "", service, operation, ns(10), 5_000, False)
    other = Span("3" * 32, "4" * 16, "", "another one", operation, ns(10), 5_000, False)
    world.jaeger[0] = JaegerServer([span, other])
    asked = {"service": service, "operation": operation, **WINDOW}
    found = world.call("jaeger_query_traces", asked)
    assert "error" not in found, found
    assert len(cast("list[object]", found["traces"])) == 1
    (search,) = [one for one in world.servers["jaeger"].seen if one.path == "/api/v3/traces"]
    assert search.one("query.service_name") == service
    assert search.one("query.operation_name") == operation


@FEW_EXAMPLES
@given(text=HOSTILE)
@pytest.mark.parametrize(
    ("tool", "argument"),
    [
        ("prometheus_query_range", "promql"),
        ("metrics_metadata_lookup", "contains"),
        ("jaeger_query_traces", "trace_id"),
        ("list_changes", "service"),
        ("list_alerts", "service"),
        ("list_services", "start"),
        ("loki_collect_evidence", "end"),
    ],
)
def test_any_text_gets_a_result_or_an_error_object(
    world: World, tool: str, argument: str, text: str
) -> None:
    found = world.call(tool, {**WINDOW, argument: text})
    assert isinstance(found, dict)
    if "error" in found:
        assert found["message"]
