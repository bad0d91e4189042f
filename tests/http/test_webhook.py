"""The webhook: 2xx is stored, 503 is not, and nothing that is sent is refused for what it says."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from aegis.entrypoints.http import arriving
from aegis.model.routing import Matcher, Route, Routing
from aegis.settings import Settings, Token
from tests.http.service import Sent, answers, problem_of, settings, with_service
from tests.webhook.bodies import ALL, alert, body, captured, resolved

HOOK = "/alertmanager/webhook"
ROUTING = Routing(default=Route("default", "oc_ops"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aegis.db"


@pytest.fixture
def given(file: Path) -> Settings:
    return settings(db_url=f"sqlite:///{file}", routing=ROUTING)


def posted(raw: bytes, **headers: str) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent("POST", HOOK, content=raw, headers={"Content-Type": "application/json"} | named)


def rows(file: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def post(given: Settings, *raw: bytes) -> list[httpx.Response]:
    return answers(*(posted(one) for one in raw), given=given, warm=True)


def test_what_was_stored_is_acknowledged_with_the_chat_and_the_count(
    given: Settings, file: Path
) -> None:
    (response,) = post(given, body(alert("A"), alert("B"), resolved("C")))
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "sent_to": "oc_ops",
        "alert_count": 3,
        "quarantined": 0,
        "truncated": 0,
    }
    assert rows(file, "SELECT count(*) FROM outbox_item") == [(3,)]


def test_a_repeat_is_acknowledged_alike(given: Settings) -> None:
    first, second = post(given, body(alert()), body(alert()))
    assert first.json() == second.json()


def test_without_a_chat_it_is_stored_and_ignored(given: Settings, file: Path) -> None:
    (response,) = post(replace(given, routing=Routing()), body(alert()))
    assert (response.status_code, response.json()["status"]) == (200, "ignored")
    assert response.json()["sent_to"] is None
    assert rows(file, "SELECT count(*) FROM episode") == [(1,)]


def test_without_alerts_it_is_stored_and_ignored(given: Settings, file: Path) -> None:
    (response,) = post(given, body())
    assert (response.status_code, response.json()["status"]) == (200, "ignored")
    assert rows(file, "SELECT alerts, quarantined FROM webhook_body") == [(0, 0)]


def test_every_chat_of_a_call_is_named(given: Settings) -> None:
    pay = Route("pay", "oc_pay", (Matcher("team", "=", "pay"),))
    routing = Routing((pay,), ROUTING.default)
    (response,) = post(
        replace(given, routing=routing), body(alert(labels={"team": "pay"}), alert("Other"))
    )
    assert response.json()["sent_to"] == "oc_ops,oc_pay"


@pytest.mark.parametrize("name", ALL)
def test_every_capture_is_acknowledged(given: Settings, name: str) -> None:
    (response,) = post(given, captured(name))
    told = json.loads(captured(name))
    assert response.status_code == 200
    assert response.json()["alert_count"] == len(told["alerts"])
    assert response.json()["truncated"] == told["truncatedAlerts"]


GOOD = body(alert("Good"))
BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"hello",
    "half": GOOD[:-30],
    "a list": b"[]",
    "NaN": body(alert("A"), 1.5).replace(b"1.5", b"NaN"),
    "deep": b'{"alerts":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
    "deep without end": b"[" * 1_000_000,
    "half of a pair": body(alert("HERE")).replace(b"HERE", b"\\ud800"),
    "NUL": body(alert("HERE")).replace(b"HERE", b"\\u0000"),
    "a raw NUL": body(alert("HERE")).replace(b"HERE", b"\x00"),
    "no UTF-8": body(alert("HERE")).replace(b"HERE", b"\xff\xfe"),
    "a huge number": body(alert("A"), 7).replace(b"7]", b"9" * 9000 + b"]"),
    "gzip": b"\x1f\x8b\x08\x00" + bytes(40),
    "odd times": body(alert(startsAt="9999-12-31T23:59:59-12:00"), alert(startsAt="x")),
    "null annotations": body(alert(annotations=None)),
    "wide": b'{"alerts":[' + b"[]," * 300_000 + b"[]]}",
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_stored_and_the_next_good_one_is_served(
    given: Settings, file: Path, name: str
) -> None:
    bad, good = post(given, BAD_BODIES[name], GOOD)
    assert bad.status_code == 200
    assert good.json()["alert_count"] == 1
    ((count, quarantined),) = rows(file, "SELECT count(*), sum(quarantined) FROM webhook_body")
    assert count == 2
    assert quarantined == bad.json()["quarantined"]
    kept = rows(file, "SELECT count(*) FROM quarantine")[0][0]
    assert kept == quarantined


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""],
)
def test_it_takes_any_content_type(given: Settings, kind: str) -> None:
    sent = Sent("POST", HOOK, content=GOOD, headers={"Content-Type": kind} if kind else {})
    (response,) = answers(sent, given=given, warm=True)
    assert response.json()["alert_count"] == 1


def test_a_token_is_asked_for_where_tokens_are_set(given: Settings, file: Path) -> None:
    locked = replace(given, tokens=(Token("am", "sender", "s3cret"),))
    refused, taken = answers(
        posted(GOOD), posted(GOOD, Authorization="Bearer s3cret"), given=locked, warm=True
    )
    assert problem_of(refused) == (401, "unauthorized", "")
    assert taken.status_code == 200
    assert rows(file, "SELECT count(*) FROM webhook_body") == [(1,)]


def test_only_a_post_is_answered(given: Settings) -> None:
    asked = (Sent("GET", HOOK), Sent("PUT", HOOK, content=GOOD))
    assert [one.status_code for one in answers(*asked, given=given, warm=True)] == [405, 405]


def test_the_path_leads_nowhere_else(given: Settings) -> None:
    """A redirect would be followed as a GET, and the alert be lost."""
    (response,) = answers(Sent("POST", HOOK + "/", content=GOOD), given=given, warm=True)
    assert response.status_code == 404


def test_before_it_has_started_nothing_is_acknowledged(given: Settings) -> None:
    (response,) = answers(posted(GOOD), given=given)
    assert problem_of(response) == (503, "unavailable", "")


def test_a_locked_database_is_503_and_then_served(given: Settings, file: Path) -> None:
    async def use(client: httpx.AsyncClient) -> list[httpx.Response]:
        lock = sqlite3.connect(file)
        lock.execute("BEGIN IMMEDIATE")
        refused = await client.post(HOOK, content=GOOD, timeout=5)
        lock.rollback()
        lock.close()
        return [refused, await client.post(HOOK, content=GOOD)]

    refused, taken = with_service(use, given, warm=True)
    assert problem_of(refused) == (503, "unavailable", "")
    assert refused.headers["retry-after"] == "5"
    assert taken.status_code == 200
    assert rows(file, "SELECT count(*) FROM webhook_body") == [(1,)]


def test_what_was_stored_and_what_was_not_is_counted(given: Settings, file: Path) -> None:
    async def use(client: httpx.AsyncClient) -> str:
        await client.post(HOOK, content=body(alert("A"), resolved("B"), 17, truncatedAlerts=4))
        lock = sqlite3.connect(file)
        lock.execute("BEGIN IMMEDIATE")
        await client.post(HOOK, content=GOOD, timeout=5)
        lock.close()
        return (await client.get("/metrics")).text

    told = with_service(use, given, warm=True).splitlines()
    assert 'aegis_alerts_received_total{status="firing"} 1.0' in told
    assert 'aegis_alerts_received_total{status="resolved"} 1.0' in told
    assert "aegis_alerts_quarantined_total 1.0" in told
    assert "aegis_alerts_truncated_total 4.0" in told
    assert "aegis_webhook_not_stored_total 1.0" in told


# --- Sizes ----------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of 32 MiB and 96 MiB as 20 kB and 50 kB."""
    monkeypatch.setattr(arriving, "MOST_BYTES", 20_000)
    monkeypatch.setattr(arriving, "MOST_AT_ONCE", 50_000)


def padded(size: int) -> bytes:
    return GOOD + b" " * (size - len(GOOD))


@pytest.mark.usefixtures("small")
def test_a_body_may_be_as_large_as_the_limit_and_no_larger(given: Settings, file: Path) -> None:
    taken, refused, after = post(given, padded(20_000), padded(20_001), GOOD)
    assert [taken.status_code, after.status_code] == [200, 200]
    assert problem_of(refused) == (413, "too_large", "")
    assert refused.headers["connection"] == "close"
    assert rows(file, "SELECT count(*) FROM webhook_body") == [(2,)]


@pytest.mark.usefixtures("small")
def test_bytes_are_counted_as_they_come_whatever_is_said_of_them(given: Settings) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b" " * 1000

        return await client.post(HOOK, content=endless())

    assert with_service(use, given, warm=True).status_code == 413


@pytest.mark.usefixtures("small")
def test_more_than_fits_at_once_is_503_and_room_comes_back(given: Settings) -> None:
    async def use(client: httpx.AsyncClient) -> tuple[list[int], int]:
        go_on = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield padded(15_000)
            await go_on.wait()

        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(client.post(HOOK, content=slow())) for _ in range(3)]
            await asyncio.sleep(0.1)
            refused = await client.post(HOOK, content=padded(15_000))
            go_on.set()
        statuses = [task.result().status_code for task in waiting]
        after = [await client.post(HOOK, content=padded(15_000)) for _ in range(5)]
        assert {one.status_code for one in after} == {200}
        return statuses, refused.status_code

    assert with_service(use, given, warm=True) == ([200, 200, 200], 503)


def test_a_client_that_is_too_slow_is_told_to_come_again(
    given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "ARRIVAL_LIMIT_S", 0.2)

    async def use(client: httpx.AsyncClient) -> list[httpx.Response]:
        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(5)

        return [await client.post(HOOK, content=slow()), await client.post(HOOK, content=GOOD)]

    slow, good = with_service(use, given, warm=True)
    assert problem_of(slow) == (503, "unavailable", "")
    assert good.status_code == 200
