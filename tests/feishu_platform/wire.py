"""HTTP/1.1 by hand, because a platform that fails must be able to fail in the middle of it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

LARGEST_BODY = 32 * 1024 * 1024
GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

Ending = Literal["whole", "half", "reset", "hang"]


@dataclass(frozen=True)
class Request:
    """Header names in lower case; the path is unquoted part by part only where it is used."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`ending` says what becomes of it on its way."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    ending: Ending = "whole"
    hang_s: float = 600.0

    @property
    def code(self) -> int | None:
        """Feishu's; None for what is no JSON of its."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return None
        return found.get("code") if isinstance(found, dict) else None


Respond = Callable[[Request], Awaitable[Answer]]


def parts_of(path: str) -> list[str]:
    return [unquote(part) for part in path.strip("/").split("/")]


async def serve_http(respond: Respond, port: int) -> asyncio.Server:
    """On loopback; port 0 takes a free one. Every answer closes its connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            if request is not None:
                await _write(writer, await respond(request))
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", port, limit=1024 * 1024)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (one.partition(":") for one in rest if one)
    }
    length = int(headers.get("content-length", "0"))
    if length > LARGEST_BODY:
        return None
    body = await reader.readexactly(length)
    url = urlsplit(target)
    return Request(method, url.path, dict(parse_qsl(url.query)), headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    if answer.ending == "hang":
        await asyncio.sleep(answer.hang_s)
        return
    if answer.ending == "reset":
        _reset(writer)
        return
    headers = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        "Connection": "close",
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} .", *(f"{name}: {text}" for name, text in headers.items())]
    body = answer.body[: len(answer.body) // 2] if answer.ending == "half" else answer.body
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """The connection ends with RST instead of FIN."""
    held: socket.socket = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
