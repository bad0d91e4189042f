"""A server asks Alertmanager what it was not told, round after round, whatever fails in one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from aegis.model.backend import BackendConfig
from aegis.settings import Settings
from tests.adapters.stand_in import Reply, Seen, standing_in
from tests.http.service import settings, with_service
from tests.http.test_webhook import ROUTING

pytestmark = pytest.mark.loopback

ALERT = {
    "labels": {"alertname": "NeverTold", "severity": "critical"},
    "annotations": {},
    "startsAt": "2026-11-21T12:00:00Z",
    "endsAt": "2026-11-21T12:05:00Z",
    "status": {"state": "active"},
    "receivers": [{"name": "aegis"}],
}


def alertmanager(rounds: list[str]) -> object:
    """Fails in its first round, has the alert in the next three, and then no more."""

    def answer(seen: Seen) -> Reply:
        if seen.path.endswith("/status"):
            rounds.append("round")
            status = 404 if len(rounds) == 1 else 200
            return Reply(status, json.dumps({"uptime": "2026-01-01T00:00:00Z"}).encode())
        return Reply(body=json.dumps([ALERT] if len(rounds) <= 4 else []).encode())

    return answer


async def until(client: httpx.AsyncClient, state: str) -> None:
    async with asyncio.timeout(30):
        while True:
            found = (await client.get(f"/alerts?state={state}")).json()["alerts"]
            if [one["alertname"] for one in found] == ["NeverTold"]:
                return
            await asyncio.sleep(0.1)


def test_what_alertmanager_has_is_opened_and_closed_when_it_is_gone(tmp_path: Path) -> None:
    rounds: list[str] = []

    async def use(client: httpx.AsyncClient) -> None:
        await until(client, "open")
        await until(client, "resolved")

    with standing_in(alertmanager(rounds)) as stand_in:  # type: ignore[arg-type]
        given: Settings = settings(
            db_url=f"sqlite:///{tmp_path / 'aegis.db'}",
            routing=ROUTING,
            backends=(BackendConfig("alertmanager", stand_in.url),),
            reconcile_s=1,
            alertmanager_receivers=("aegis",),
        )
        with_service(use, given, warm=True)
    assert len(rounds) >= 5
