"""A server whose database is not there when it starts: it says so, and goes on by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from aegis.adapters.store import database
from aegis.bootstrap import alerting, opening
from aegis.settings import Settings
from tests.http.service import ANALYZE, QUESTION, problem_of, settings, with_service
from tests.http.test_webhook import HOOK, ROUTING
from tests.webhook.bodies import alert, body


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "MIGRATION_PATIENCE_S", 0.1)
    monkeypatch.setattr(database, "CONNECT_S", 0.1)
    monkeypatch.setattr(opening, "RETRY_EVERY_S", 0.1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aegis.db"


@pytest.fixture
def given(shop: Path, file: Path) -> Settings:
    return settings(shop, db_url=f"sqlite:///{file}", routing=ROUTING)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


async def post(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post(HOOK, content=body(alert(name)))


async def until_ready(client: httpx.AsyncClient) -> httpx.Response:
    async with asyncio.timeout(30):
        while True:
            ready = await client.get("/readyz")
            if ready.status_code == 200:
                return ready
            await asyncio.sleep(0.05)


def test_it_starts_says_why_it_takes_no_alerts_and_recovers_with_its_tables(
    given: Settings, file: Path
) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert problem_of(ready) == (503, "not_ready", "AEGIS_DB_URL")
        assert "database is locked" in ready.json()["message"]
        refused = await post(client, "TooEarly")
        assert problem_of(refused)[:2] == (503, "unavailable")
        assert "database is locked" in refused.json()["message"]
        assert refused.headers["retry-after"]
        assert (await client.get("/alerts")).status_code == 503
        metrics = (await client.get("/metrics")).text
        assert "aegis_webhook_not_stored_total 1.0" in metrics
        lock.__exit__(None, None, None)
        assert (await until_ready(client)).json()["alerts"] == "stored_only"
        assert (await post(client, "InTime")).status_code == 200

    lock = locked(file)
    lock.__enter__()
    with_service(use, given, warm=True)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT alertname FROM episode").fetchall() == [("InTime",)]


def test_questions_are_answered_meanwhile(given: Settings, file: Path) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post(ANALYZE, json={"description": QUESTION})
        assert answer.json()["ranked_root_causes"][0]["service"] == "store"

    with locked(file):
        with_service(use, given, warm=True)


def test_a_database_that_hangs_keeps_nobody_from_starting(
    given: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "FIRST_WITHIN_S", 0.2)
    monkeypatch.setattr(database, "CONNECT_S", 3.0)

    async def use(client: httpx.AsyncClient) -> None:
        ready = await client.get("/readyz")
        assert problem_of(ready) == (503, "not_ready", "AEGIS_DB_URL")
        assert "not open yet" in ready.json()["message"]

    with locked(file):
        with_service(use, given, warm=True)
