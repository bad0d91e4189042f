"""A Loki that fails, lies or is attacked through its own labels: told, bounded, harmless."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aegis.adapters.http_client.routes import ALLOWED
from aegis.adapters.loki.logs import Caps
from aegis.model.errors import SourceError, SourceRejected, SourceUnavailable
from aegis.model.telemetry import LogTable
from tests.adapters.loki_language import StoredLine
from tests.adapters.loki_server import HeldLoki, LokiAt, held, live
from tests.adapters.stand_in import Reply, Seen, closed_port, standing_in
from tests.adapters.test_loki_logs import HOUR, SMALL, read, shop
from tests.recordings import lines_of, ns

pytestmark = pytest.mark.loopback

CAPTURES = Path(__file__).parent / "captures" / "loki"
HOSTILE = (
    'x"} or {app=~".+',
    "`{{.app}}`",
    "{app}",
    "a\nb\tc",
    "..",
    "../../admin",
    "\u202egnp\u202c",
    "\u200bzero",
    "back\\slash\\",
    "中文-服务",
    "a|b.*",
    "%2e%2e%2f",
)


def captured(name: str) -> Reply:
    kept = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    body = kept["body"] if isinstance(kept["body"], str) else json.dumps(kept["body"])
    return Reply(kept["status"], body.encode(), kept["headers"]["Content-Type"])


def failing(reply: Reply) -> Callable[[Seen], Reply]:
    return lambda seen: reply


def error_of(loki: LokiAt) -> SourceError:
    with pytest.raises(SourceError) as failed:
        read(loki)
    return failed.value


def test_a_loki_that_is_down_is_unavailable_and_named() -> None:
    error = error_of(LokiAt(f"http://127.0.0.1:{closed_port()}"))
    assert isinstance(error, SourceUnavailable)
    assert str(error).startswith("LOKI_BASE_URL: ")


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (captured("tenant_missing"), SourceRejected, "set LOKI_TENANT_ID"),
        (captured("tenant_several"), SourceUnavailable, "multiple org IDs"),
        (captured("ready"), SourceUnavailable, "not ready"),
        (captured("err_not_found"), SourceRejected, "lack a path"),
        (Reply(429, b"too many outstanding requests", "text/plain"), SourceUnavailable, "429"),
        (Reply(500, b"boom", "text/plain"), SourceUnavailable, "500 (boom)"),
        (Reply(200, b"<!DOCTYPE html><html>login", "text/html"), SourceRejected, "HTML"),
        (Reply(200, b"ok", "text/plain"), SourceRejected, "no JSON"),
        (Reply(200, b'{"status":"success","data":["ap'), SourceUnavailable, "half an answer"),
        (Reply(200, b'{"status":"success"', length=500), SourceUnavailable, "broke off"),
        (Reply(200, b'{"a":1}'), SourceRejected, "is it Loki"),
        (Reply(200, b"", hang=True, length=10), SourceUnavailable, "AEGIS_LOKI_TIMEOUT_S"),
        (Reply(200, (b"x" * 65_536 for _ in range(4_800))), SourceRejected, "8 MiB"),
        (
            Reply(200, gzip.compress(b" " * 40_000_000), headers=(("Content-Encoding", "gzip"),)),
            SourceRejected,
            "8 MiB",
        ),
    ],
    ids=lambda value: "" if isinstance(value, Reply | type) else value,
)
def test_a_loki_that_fails_is_told_by_what_to_change(
    reply: Reply, kind: type[SourceError], words: str
) -> None:
    with standing_in(failing(reply)) as server:
        error = error_of(LokiAt(server.url, timeout_s=1.5))
    assert isinstance(error, kind)
    assert words in str(error)
    assert "\n" not in str(error)


class Breaking(HeldLoki):
    """Answers like Loki until a query fits; then it answers `reply`."""

    fits: Callable[[Seen], bool]
    reply: Reply

    def answer(self, seen: Seen) -> Reply:
        return self.reply if self.fits(seen) else super().answer(seen)


def breaking(fits: Callable[[Seen], bool], reply: Reply) -> Breaking:
    loki = Breaking(shop())
    loki.fits, loki.reply = fits, reply
    return loki


def of_lines(seen: Seen) -> bool:
    return bool(seen.one("limit")) and "sum" not in seen.one("query") and "volume" not in seen.path


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, b"context canceled", "text/plain"),
        captured("err_limit_too_high"),
        Reply(200, b'{"status":"success","data":{"resultType":"streams"'),
    ],
    ids=["500", "400", "half"],
)
def test_where_one_kind_of_lines_fails_the_others_are_read_and_it_is_told(reply: Reply) -> None:
    loki = breaking(lambda seen: of_lines(seen) and " !~ " in seen.one("query"), reply)
    with held(loki, SMALL) as at_loki:
        table, gaps = read(at_loki)
    assert set(table.services) == {"loud"}
    assert len(table) == 140
    assert [gap.reason for gap in gaps] == ["unavailable", "sampled"]
    assert gaps[0].statement.en.startswith("Left out all other lines: LOKI_BASE_URL: ")
    assert table.sampled_share < 0.03


def test_where_no_lines_can_be_read_it_is_an_error() -> None:
    loki = breaking(of_lines, captured("err_bad_regex"))
    with held(loki) as at_loki:
        assert "error parsing regexp" in str(error_of(at_loki))


@pytest.mark.parametrize("status", [400, 404, 405, 500, 501])
def test_volumes_are_not_needed(status: int) -> None:
    loki = breaking(lambda seen: "volume" in seen.path, Reply(status, b"no", "text/plain"))
    with held(loki) as at_loki:
        table, gaps = read(at_loki)
    assert len(table) == len(loki.lines)
    assert gaps == ()


def hostile_lines() -> list[StoredLine]:
    lines = []
    for place, name in enumerate(HOSTILE):
        for number in range(40):
            time = ns(1) + (place * 40 + number) * 1_000_000_000
            lines.append(StoredLine(time, f"{name} said {number}", {"app": name}))
        lines.append(StoredLine(ns(40) + place, f"error in {name}", {"app": name}))
    lines += [
        StoredLine(ns(2) + number * 300_000_000, f"{number}", {"app": HOSTILE[0]})
        for number in range(3_000)
    ]
    return lines


@pytest.fixture(params=["stand-in", "live"])
def hostile_loki(request: pytest.FixtureRequest) -> Iterator[LokiAt]:
    lines = hostile_lines()
    with held(HeldLoki(lines)) if request.param == "stand-in" else live(lines) as loki:
        yield loki


@pytest.mark.parametrize("caps", [Caps(), SMALL], ids=["all", "sampled"])
def test_hostile_names_change_nothing(hostile_loki: LokiAt, caps: Caps) -> None:
    table, _ = read(replace(hostile_loki, caps=caps))
    assert table.services == tuple(sorted(HOSTILE))
    assert names_of_errors(table) == {(name, f"error in {name}") for name in HOSTILE}
    quiet = [one for one in lines_of(table) if one.service == HOSTILE[-1]]
    assert {one.body for one in quiet} >= {f"{HOSTILE[-1]} said {number}" for number in range(40)}


def names_of_errors(table: LogTable) -> set[tuple[str, str]]:
    return {(one.service, one.body) for one in lines_of(table) if one.body.startswith("error in")}


def test_nothing_but_allowed_reads_is_ever_sent() -> None:
    allowed = {(route.method, route.template) for route in ALLOWED["loki"]}
    loki = HeldLoki(hostile_lines())
    with standing_in(loki.answer) as server:
        read(LokiAt(server.url, caps=SMALL))
        read(LokiAt(server.url))
    assert loki.refused == []
    assert {(seen.method, seen.path) for seen in server.seen} <= allowed
    assert all(not seen.body for seen in server.seen)
    assert len(server.seen) <= 24
    invisible = {letter for seen in server.seen for letter in seen.one("query")} & set(
        "\u202e\u200b\n"
    )
    assert not invisible


def test_no_message_about_a_failure_holds_a_line_of_a_log() -> None:
    lines = [StoredLine(ns(1), "password=hunter2", {"app": "a"})]
    loki = HeldLoki(lines)

    def answer(seen: Seen) -> Reply:
        reply = loki.answer(seen)
        if of_lines(seen):
            assert isinstance(reply.body, bytes)
            return replace(reply, body=reply.body[:-5])
        return reply

    with standing_in(answer) as server:
        assert "hunter2" not in str(error_of(LokiAt(server.url)))


def test_a_question_that_is_given_up_leaves_no_task_behind() -> None:
    with standing_in(failing(Reply(200, b"", hang=True, length=10))) as server:

        async def give_up() -> int:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await LokiAt(server.url).read_logs(HOUR)
            return len(asyncio.all_tasks())

        assert asyncio.run(give_up()) == 1
