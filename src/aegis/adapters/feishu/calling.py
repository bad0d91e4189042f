"""One request through the SDK: with a tenant token, and every way it can fail told as ours."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from aegis.adapters.feishu.codes import TOKEN_INVALID, failure
from aegis.adapters.feishu.sdk_thread import SdkThread
from aegis.adapters.feishu.transport import AnswerTooLong
from aegis.model.errors import DeliveryError, DeliveryRefused, DeliveryUnavailable
from aegis.model.feishu import FeishuConfig
from aegis.model.message import Operation
from aegis.ports import Clock

DEADLINE_S = 10.0
LONGEST_LIFE_S = 7200
RENEWED_BEFORE_END = timedelta(minutes=10)
"""Feishu issues a new token in the last 30 minutes of the old one's life."""

Ask = Callable[[Any, Any, Any], Awaitable[Any]]
"""(module, client, request option) → the SDK's response."""

_NO_JSON = "the answer is not Feishu's: a gateway stands before it, or the base URL is wrong"
_TOO_LONG = "the answer is longer than any of Feishu's: is the base URL right?"
_ODD = "the answer has a shape that Feishu's has not"
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the whole of it: some routes put what they say beside `data`, not below."""

    body: Mapping[str, Any]

    def text(self, *path: str) -> str:
        """The text at this path; DeliveryUnavailable where there is none."""
        found = self._at(path)
        if not isinstance(found, str) or not found:
            message = f"Feishu's answer has no {'.'.join(path)}"
            raise DeliveryUnavailable(message, may_have_arrived=True)
        return found

    def flag(self, *path: str) -> bool:
        return self._at(path) is True

    def _at(self, path: tuple[str, ...]) -> Any:
        found: Any = self.body
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found


class Caller:
    """Asks Feishu, one deadline a call. The token is ours: the SDK would keep a dead one."""

    def __init__(
        self, config: FeishuConfig, clock: Clock, thread: SdkThread, deadline_s: float = DEADLINE_S
    ) -> None:
        self._config = config
        self._clock = clock
        self._thread = thread
        self._deadline_s = deadline_s
        self._client: Any = None
        self._token: tuple[str, datetime] | None = None

    async def call(self, ask: Ask, operation: Operation | None = None, content: str = "") -> Answer:
        """Raises a DeliveryError. `content` is what errors must not quote."""

        async def work(sdk: Any) -> Answer:
            return await self._with_token(sdk, ask, operation, content)

        return await self._thread.run(work, self._deadline_s)

    async def _with_token(
        self, sdk: Any, ask: Ask, operation: Operation | None, content: str
    ) -> Answer:
        token = await self._valid_token(sdk)
        try:
            return await self._ask(sdk, ask, token, operation, content)
        except DeliveryError as error:
            if error.code not in TOKEN_INVALID:
                raise
        if self._token is not None and self._token[0] == token:
            self._token = None
        token = await self._valid_token(sdk)
        return await self._ask(sdk, ask, token, operation, content)

    async def _valid_token(self, sdk: Any) -> str:
        now = self._clock.now()
        if self._token is not None and now < self._token[1]:
            return self._token[0]

        async def issue(sdk: Any, client: Any, option: Any) -> Any:
            v3 = sdk.api.auth.v3
            body = (
                v3.InternalTenantAccessTokenRequestBody.builder()
                .app_id(self._config.app_id)
                .app_secret(self._config.app_secret)
                .build()
            )
            request = v3.InternalTenantAccessTokenRequest.builder().request_body(body).build()
            return await client.auth.v3.tenant_access_token.ainternal(request, option)

        try:
            answer = await self._ask(sdk, issue, None, None, self._config.app_secret)
            token = answer.text("tenant_access_token")
        except DeliveryError as error:
            # No message went, and none is to blame for a token that did not come.
            wait_s = error.retry_after_s if isinstance(error, DeliveryUnavailable) else None
            raise DeliveryUnavailable(f"no token: {error}", error.code, wait_s) from None
        if not token.isascii():
            raise DeliveryUnavailable("no token: the answer's is no token")
        lives_s = answer.body.get("expire")
        life = timedelta(seconds=min(lives_s, LONGEST_LIFE_S) if isinstance(lives_s, int) else 0)
        self._token = token, now + life - RENEWED_BEFORE_END
        return token

    async def _ask(
        self, sdk: Any, ask: Ask, token: str | None, operation: Operation | None, content: str
    ) -> Answer:
        option = sdk.RequestOption.builder().build()
        if token is not None:
            option.tenant_access_token = token
        response = await guarded(lambda: ask(sdk, self._client_of(sdk), option), sdk)
        return read_answer(response, operation, content)

    def _client_of(self, sdk: Any) -> Any:
        if self._client is None:
            builder = sdk.Client.builder().app_id(self._config.app_id)
            builder = builder.app_secret(self._config.app_secret).domain(self._config.base_url)
            builder = builder.enable_set_token(True).timeout(self._deadline_s).source("aegis")
            self._client = builder.build()
        return self._client


async def guarded(ask: Callable[[], Awaitable[Any]], sdk: Any) -> Any:
    """The SDK's response. Whatever else it does becomes a DeliveryError.

    Nothing of a foreign error's text is kept: it may hold an address with a secret.
    """
    try:
        return await ask()
    except UnicodeEncodeError:
        raise DeliveryRefused("the message holds half a character (a lone surrogate)") from None
    except AnswerTooLong:
        raise DeliveryUnavailable(_TOO_LONG, may_have_arrived=True) from None
    except _NOT_SENT as error:
        message = f"Feishu cannot be reached ({type(error).__name__})"
        raise DeliveryUnavailable(message) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, EOFError) as error:
        # `requests`, which the SDK uses too, derives its errors from OSError.
        message = f"the connection to Feishu broke ({type(error).__name__})"
        raise DeliveryUnavailable(message, may_have_arrived=True) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise DeliveryUnavailable(_NO_JSON, may_have_arrived=True) from None
    except (AttributeError, TypeError, RecursionError, sdk.core.exception.UnmarshalException):
        raise DeliveryUnavailable(_ODD, may_have_arrived=True) from None


def read_answer(response: Any, operation: Operation | None, content: str) -> Answer:
    """The answer's object where its code is 0; else the error its code stands for.

    The body is read again: for a route it does not know the SDK says 0 whatever came.
    """
    try:
        body = json.loads(response.raw.content)
    except ValueError:
        raise DeliveryUnavailable(_NO_JSON, may_have_arrived=True) from None
    if not isinstance(body, dict):
        raise DeliveryUnavailable(_ODD, may_have_arrived=True)
    code = body.get("code")
    if code == 0 and not isinstance(code, bool):
        return Answer(body)
    status, headers = response.raw.status_code, response.raw.headers
    if not isinstance(code, int):
        message = f"Feishu answered HTTP {status} without a code"
        raise DeliveryUnavailable(message, may_have_arrived=True)
    said = body.get("msg")
    raise failure(code, said if isinstance(said, str) else "", status, headers, operation, content)
