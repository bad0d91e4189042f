"""Who may ask: bearer tokens, or this machine only."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from aegis.entrypoints.http.changes import PATH, UNCHECKED, is_signed
from aegis.entrypoints.http.problems import Problem
from aegis.model.errors import ConfigurationError
from aegis.settings import Settings, Token

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""A probe has no token; nothing in them is about an incident."""


@dataclass(frozen=True, slots=True)
class Access:
    """Asks for a token where tokens are set; where none are, only this machine is served.

    The holder of the token is left in `scope["state"]["caller"]`.
    """

    app: ASGIApp
    settings: Settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            problem = self._refusal(scope)
            if problem is not None:
                await problem.response()(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        if self._may_sign(scope):
            scope.setdefault("state", {})[UNCHECKED] = True
        elif self.settings.tokens:
            holder = holder_of(Headers(scope=scope).get("authorization", ""), self.settings.tokens)
            if holder is None:
                return _unauthorized()
            scope.setdefault("state", {})["caller"] = holder.name
        elif not self.settings.allow_anonymous and not _came_by_loopback(scope):
            # `aegis serve` refuses to start like this; uvicorn alone does not tell where it
            # listens, but every connection says at which of our addresses it arrived.
            return Problem(403, refusal("this address"))
        return None

    def _may_sign(self, scope: Scope) -> bool:
        """A deploy tool's webhook can sign but has no token; its route looks at the signature."""
        headers = Headers(scope=scope)
        return (
            scope["path"] == PATH
            and self.settings.changes_secret is not None
            and "authorization" not in headers
            and is_signed(headers)
        )


def holder_of(header: str, tokens: tuple[Token, ...]) -> Token | None:
    """Whose token an Authorization header carries; takes as long whether or not one fits."""
    scheme, _, given = header.partition(" ")
    presented = given.strip().encode("latin-1", "replace")
    found = None
    for token in tokens:
        if hmac.compare_digest(presented, token.secret.encode()):
            found = token
    return found if scheme.lower() == "bearer" else None


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_bind(host: str, settings: Settings) -> None:
    """ConfigurationError where everybody on a network could ask without a token."""
    if not (settings.tokens or settings.allow_anonymous or is_loopback(host)):
        raise ConfigurationError(refusal(host))


def refusal(where: str) -> str:
    return (
        f"AEGIS_API_TOKENS: set tokens (name:role:secret) to serve {where}, which others can "
        "reach, or AEGIS_ALLOW_ANONYMOUS=true to let anybody ask"
    )


def _unauthorized() -> Problem:
    message = "a bearer token is needed: Authorization: Bearer SECRET"
    return Problem(401, message, headers={"WWW-Authenticate": "Bearer"})


def _came_by_loopback(scope: Scope) -> bool:
    """By the address of ours that was called; a Unix socket or a call in memory has none."""
    server = scope.get("server")
    try:
        return server is None or ip_address(server[0]).is_loopback
    except ValueError:
        return True
