"""POST /changes: kept once, told in one shape, and open to webhooks that can only sign."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from aegis.bootstrap.alerting import Alerting
from aegis.bootstrap.delivering import StoredOnly
from aegis.bootstrap.opening import Door
from aegis.entrypoints.http.access import Access
from aegis.entrypoints.http.bodies import JsonBodies
from aegis.entrypoints.http.changes import change_routes
from aegis.entrypoints.http.problems import answer_with_problems
from aegis.model.errors import ConfigurationError, StoreUnavailable
from aegis.model.telemetry import ReportedChange
from aegis.observability.measurements import Measurements
from aegis.settings import Settings, Token, read_settings
from tests.http.service import settings

SECRET = "a-secret-of-some-length"  # noqa: S105
DEPLOY = {"service": "cart", "time": "2026-11-02T02:15:00Z", "kind": "deploy", "version": "7"}


@dataclass
class FakeChangeStore:
    """Changes held in memory, the first of each key."""

    kept: dict[str, ReportedChange] = field(default_factory=dict)
    broken: bool = False

    async def keep_changes(self, changes: Sequence[ReportedChange]) -> int:
        if self.broken:
            raise StoreUnavailable("the database: disk is full")
        before = len(self.kept)
        for one in changes:
            self.kept.setdefault(one.key, one)
        return len(self.kept) - before


def post(
    store: FakeChangeStore,
    body: Any,
    given: Settings | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    chosen = given or settings()
    app = FastAPI(middleware=[Middleware(Access, chosen), Middleware(JsonBodies)])
    answer_with_problems(app)
    measurements = Measurements(lambda: 0, lambda: 0)
    app.include_router(change_routes(chosen, measurements.alerting))
    unused: Any = None
    app.state.door = Door(Alerting(unused, store, unused, StoredOnly("")))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://aegis") as client:
            sent = {"Content-Type": "application/json", **(headers or {})}
            return await client.post("/changes", content=content, headers=sent)

    return asyncio.run(run())


def test_a_change_is_kept_once() -> None:
    store = FakeChangeStore()
    first, again = post(store, DEPLOY), post(store, DEPLOY)
    assert first.status_code == again.status_code == 200
    assert first.json() == {"status": "ok", "stored": 1, "known": 0, "ignored": []}
    assert again.json() == {"status": "ok", "stored": 0, "known": 1, "ignored": []}


def test_an_event_that_changes_nothing_is_ignored_with_its_reason() -> None:
    answer = post(FakeChangeStore(), {"object_kind": "push"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "ignored"
    assert "push" in answer.json()["ignored"][0]


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"", "body"), (b"{", "body"), ({"service": "cart"}, "time"), ([DEPLOY, {}], "[1].service")],
)
def test_a_bad_body_is_400_with_its_field(body: Any, field: str) -> None:
    store = FakeChangeStore()
    answer = post(store, body)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["field"] == field
    assert store.kept == {}


def test_a_store_that_cannot_keep_is_503() -> None:
    answer = post(FakeChangeStore(broken=True), DEPLOY)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def signature(body: Any, secret: str = SECRET) -> dict[str, str]:
    made = hmac.new(secret.encode(), json.dumps(body).encode(), hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={made}"}


WITH_TOKENS = settings(tokens=(Token("ci", "reader", "token-of-ci"),), changes_secret=SECRET)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer token-of-ci"}, 200),
        (signature(DEPLOY), 200),
        ({"X-Gitlab-Token": SECRET}, 200),
        ({}, 401),
        (signature(DEPLOY, "another secret of mine"), 401),
        (signature({**DEPLOY, "version": "8"}), 401),
        ({"X-Gitlab-Token": "another secret of mine"}, 401),
        ({"X-Hub-Signature-256": ""}, 401),
        ({"X-Gitlab-Token": SECRET, "Authorization": "Bearer nobody's"}, 401),
    ],
)
def test_a_webhook_may_sign_where_it_has_no_token(headers: dict[str, str], status: int) -> None:
    store = FakeChangeStore()
    assert post(store, DEPLOY, WITH_TOKENS, headers).status_code == status
    assert len(store.kept) == (status == 200)


def test_without_a_secret_a_signature_opens_nothing() -> None:
    given = settings(tokens=WITH_TOKENS.tokens)
    assert post(FakeChangeStore(), DEPLOY, given, signature(DEPLOY)).status_code == 401


@pytest.mark.parametrize("wrong", ["short", "sixteen or more è", "sixteen or more\n"])
def test_a_secret_that_is_none_is_told_by_its_name(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="AEGIS_CHANGES_SECRET"):
        read_settings({"AEGIS_CHANGES_SECRET": wrong})


def test_the_secret_is_one_of_those_that_no_log_line_holds() -> None:
    given = read_settings({"AEGIS_CHANGES_SECRET": SECRET})
    assert SECRET in given.secrets
    assert SECRET not in repr(given)
