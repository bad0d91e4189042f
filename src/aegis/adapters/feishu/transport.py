"""The HTTP client that the SDK sends through: shared, bounded, and following no redirect.

Left alone the SDK makes a client for each call (20 ms of reading certificates, and a new TLS
connection), reads answers of any size, and its synchronous half follows redirects. There is no
option for any of that, so the one name through which it finds httpx is given another meaning. A
test drives the real SDK through it; the version of the SDK is pinned.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

import httpx

LARGEST_ANSWER = 1024 * 1024
KEPT_ALIVE_S = 30.0
MOST_CONNECTIONS = 16


class AnswerTooLong(httpx.HTTPError):
    """More than LARGEST_ANSWER, counted after decompression."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the SDK looks at in a response."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class SharedClient:
    """Stands where the SDK expects an `httpx.AsyncClient` of its own; proxies are obeyed."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=KEPT_ALIVE_S)
        self._client = httpx.AsyncClient(limits=limits, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """It lives on: the next call uses it too."""

    async def request(self, method: str, url: str, **given: Any) -> Read:
        request = self._client.build_request(method, url, **given)
        response = await self._client.send(request, stream=True)
        try:
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > LARGEST_ANSWER:
                    raise AnswerTooLong("too long")
            return Read(response.status_code, response.headers, bytes(content))
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()


_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, SharedClient] = (
    weakref.WeakKeyDictionary()
)


def lend(sdk: Any, loop: asyncio.AbstractEventLoop) -> SharedClient:
    """From now on the SDK's asynchronous calls in this loop go through the client returned."""
    client = _clients[loop] = SharedClient()
    sdk.core.http.transport.httpx = SimpleNamespace(AsyncClient=_client_here)
    return client


def _client_here() -> SharedClient | httpx.AsyncClient:
    return _clients.get(asyncio.get_running_loop()) or httpx.AsyncClient()
