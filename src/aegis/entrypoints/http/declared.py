"""A body that says itself that it is too large is refused before any of it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from aegis.entrypoints.http.problems import Problem

LINGER_S = 5.0
MOST_DISCARDED = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeclaredLength:
    """`most_bytes` of the routes that take other than the usual `most`."""

    app: ASGIApp
    most: int
    most_bytes: Mapping[str, int]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            most = self.most_bytes.get(scope["path"], self.most)
            declared = Headers(scope=scope).get("content-length", "")
            if declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
                await _refuse(most, receive, send)
                return
        await self.app(scope, receive, send)


async def _refuse(most: int, receive: Receive, send: Send) -> None:
    """The whole answer first. Then some of what is sent all the same is thrown away: a client
    whose connection breaks while it sends would never see the answer."""
    told = f"the body is larger than {most:,} bytes"
    response = Problem(413, told, headers={"Connection": "close"}).response()
    await send({"type": "http.response.start", "status": 413, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_S):
            await _discard(receive)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _discard(receive: Receive) -> None:
    left = MOST_DISCARDED
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
