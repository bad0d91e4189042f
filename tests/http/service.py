"""The application in this process, asked without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx

from aegis.entrypoints.http.app import Service, create_app
from aegis.settings import IN_THIS_FOLDER, Settings

ANALYZE, STREAM, VERIFY = "/api/ops/analyze", "/api/ops/analyze/stream", "/api/ops/verify"
QUESTION = "Why is the shop slow?"
Result = TypeVar("Result")


def settings(case_dir: Path | None = None, **more: Any) -> Settings:
    return Settings("zh", ZoneInfo("Asia/Shanghai"), case_dir, **more)


def with_service(
    use: Callable[[httpx.AsyncClient], Awaitable[Result]],
    given: Settings,
    service: Service = "all",
    base_url: str = "http://aegis",
    warm: bool = False,
) -> Result:
    """What `use` returns; `warm` starts the application before and stops it after."""

    async def run(given: Settings) -> Result:
        app = create_app(given, service)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app) if warm else nullcontext(),
            httpx.AsyncClient(transport=transport, base_url=base_url, timeout=60) as client,
        ):
            return await use(client)

    with TemporaryDirectory(prefix="aegis-") as folder:
        if given.db_url == IN_THIS_FOLDER:  # nobody cares where
            given = replace(given, db_url=f"sqlite:///{folder}/aegis.db")
        return asyncio.run(run(given))


@dataclass(frozen=True)
class Sent:
    """One request; `json` and `content` as httpx takes them."""

    method: str
    path: str
    json: Any = None
    content: bytes | None = None
    headers: dict[str, str] | None = None


def answers(
    *requests: Sent,
    given: Settings,
    service: Service = "all",
    base_url: str = "http://aegis",
    warm: bool = False,
) -> list[httpx.Response]:
    """The answers to several requests, one after the other."""

    async def use(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.request(
                one.method, one.path, json=one.json, content=one.content, headers=one.headers
            )
            for one in requests
        ]

    return with_service(use, given, service, base_url, warm)


def answer(request: Sent, given: Settings) -> httpx.Response:
    return answers(request, given=given)[0]


def post_raw(content: bytes, path: str = ANALYZE) -> Sent:
    return Sent("POST", path, content=content, headers={"Content-Type": "application/json"})


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


def problem_of(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and the first field, after a look at the shape."""
    body = response.json()
    assert set(body) == {"error", "message", "details"}
    assert "\n" not in body["message"]
    assert all(set(one) == {"field", "message"} for one in body["details"])
    fields = [one["field"] for one in body["details"]]
    return response.status_code, body["error"], fields[0] if fields else ""
