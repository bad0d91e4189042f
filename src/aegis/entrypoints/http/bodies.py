"""What a body must be before anything looks at it: small, whole, and JSON as the RFC has it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aegis.entrypoints.http.problems import Problem, invalid

MOST_BYTES = 1024 * 1024
MOST_DEPTH = 32
ARRIVAL_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class JsonBodies:
    """Reads the body of every POST, refuses what is no JSON, and hands it on.

    Routes of `others` read what is sent to them themselves.

    Bytes are counted as they come, whatever Content-Length says. Python's parser is laxer
    than the RFC: it takes NaN, lone surrogates and any depth.
    """

    app: ASGIApp
    others: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] in self.others:
            await self.app(scope, receive, send)
            return
        try:
            body = await _read(receive)
            if body is None:
                return
            if body:
                _check(body)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await self.app(scope, _handing_on(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None where the client left before it was sent."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(ARRIVAL_LIMIT_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > MOST_BYTES:
                    told = f"the body is larger than {MOST_BYTES:,} bytes"
                    raise Problem(413, told, headers={"Connection": "close"})
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise invalid("body", f"did not arrive within {ARRIVAL_LIMIT_S:g} s") from None


def _handing_on(body: bytes, receive: Receive) -> Receive:
    """The body in one piece, then what else comes: most often that the client left."""
    handed = False

    async def again() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _check(body: bytes) -> None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid("body", f"is not UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise invalid("body", f"is not JSON: {error.msg} at {error.pos}") from None
    except RecursionError:
        raise invalid("body", f"is nested deeper than {MOST_DEPTH}") from None
    except ValueError as error:  # a number of thousands of digits
        raise invalid("body", f"is not JSON we read: {str(error).partition(';')[0]}") from None
    _check_values(value)


def _no_number(name: str) -> NoReturn:
    raise invalid("body", f"is not JSON: {name} is no number of JSON")


def _check_values(value: Any) -> None:
    """No lone surrogates, no endless nesting; without recursion of its own."""
    left: list[tuple[str, Any, int]] = [("", value, 1)]
    while left:
        where, one, depth = left.pop()
        if depth > MOST_DEPTH:
            raise invalid("body", f"is nested deeper than {MOST_DEPTH}")
        if isinstance(one, str) and _is_broken(one):
            raise invalid(where or "body", "holds half of a surrogate pair, which is no text")
        if isinstance(one, float) and one in (float("inf"), float("-inf")):
            raise invalid(where or "body", "is a number too large to be kept")
        if isinstance(one, dict):
            if any(_is_broken(name) for name in one):
                raise invalid(where or "body", "a name holds half of a surrogate pair")
            left += [(f"{where}.{name}".strip("."), each, depth + 1) for name, each in one.items()]
        elif isinstance(one, list):
            left += [(f"{where}[{place}]", each, depth + 1) for place, each in enumerate(one)]


def _is_broken(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
