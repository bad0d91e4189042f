"""Asks one backend, within every limit there is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import httpx

from aegis.adapters.http_client.answers import Answer
from aegis.adapters.http_client.breaker import CircuitBreaker
from aegis.adapters.http_client.budget import MIB, Asked, Budget, Request
from aegis.adapters.http_client.complaints import Complaints, origin_of
from aegis.adapters.http_client.decoding import read_body
from aegis.adapters.http_client.identity import headers_of, tls_of
from aegis.adapters.http_client.routes import ALLOWED, Route
from aegis.model.backend import BackendConfig
from aegis.model.errors import AnswerTooLarge, InvalidRequest, SourceUnavailable

CONNECT_S = 2.0
MOST_AT_ONCE = 4
MOST_BYTES_AN_ANSWER = 16 * MIB
MOST_RETRIES = 2
MOST_RETRIES_TO_CONNECT = 1
FIRST_PAUSE_S = 0.25
RETRIED = {429, 502, 503, 504}
NOTHING: Mapping[str, str] = {}


class _TryAgain(Exception):
    """An attempt failed in a way that passes; `after_s` None leaves the pause to us."""

    most_retries = MOST_RETRIES

    def __init__(self, error: SourceUnavailable, after_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after_s = after_s


class _NobodyThere(_TryAgain):
    """No connection came about."""

    most_retries = MOST_RETRIES_TO_CONNECT


@dataclass(slots=True)
class BackendClient:
    """A backend for the time of one question: `async with BackendClient(config, budget)`.

    Belongs to the event loop it was entered in. `breaker` should outlive it.

    Until the backend has answered something, with whatever status, it is asked one thing at a
    time: so what cannot be reached costs a question one request and its repetition, and what
    hangs costs one, however much the plan asks at the same time.
    """

    config: BackendConfig
    budget: Budget
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    _http: httpx.AsyncClient | None = None
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)
    _has_answered: bool = False
    _not_there: SourceUnavailable | None = None

    async def __aenter__(self) -> Self:
        """ConfigurationError where a certificate or key cannot be used."""
        secure = self.config.base_url.lower().startswith("https:")
        self._http = httpx.AsyncClient(
            # Plain http has nothing to check, and loading authorities takes 20 ms.
            verify=tls_of(self.config) if secure else False,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_S),  # the whole: _within_limits
            limits=httpx.Limits(max_connections=MOST_AT_ONCE),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def ask(
        self,
        route: Route,
        parameters: Sequence[tuple[str, str]] = (),
        *,
        path: Mapping[str, str] = NOTHING,
        expected: frozenset[int] = frozenset(),
        most_bytes: int = MOST_BYTES_AN_ANSWER,
    ) -> Answer:
        """The answer to an allow-listed read; the same read in this question is sent once.

        Statuses other than 200 are errors unless `expected`. Raises SourceUnavailable,
        SourceRejected (AnswerTooLarge beyond `most_bytes`), InvalidRequest for a value in
        `path` that is no name. A route outside the allow-list is a bug: PermissionError.
        """
        if route not in ALLOWED[self.config.name]:
            raise PermissionError(f"{self.config.name} is never asked {route}")
        request = Request(self.config.name, route.method, route.path(path), tuple(parameters))
        async with self.budget.turn(request):
            answer = self.budget.known(request)
            if answer is None:
                answer = await self._within_limits(request, most_bytes)
                self.budget.remember(request, answer)
        complaints = Complaints(self.config)
        if answer.status in expected:
            return answer
        if answer.status != httpx.codes.OK:
            raise complaints.of_status(answer, request.path)
        if answer.is_html():
            raise complaints.of_html()
        return answer

    async def _within_limits(self, request: Request, most_bytes: int) -> Answer:
        complaints = Complaints(self.config)
        try:
            async with asyncio.timeout(self.config.timeout_s), self._slots:
                if not self._has_answered:
                    async with self._first:
                        if self._not_there is not None:
                            raise SourceUnavailable(str(self._not_there))
                        if not self._has_answered:
                            return await self._unless_paused(request, most_bytes)
                return await self._unless_paused(request, most_bytes)
        except TimeoutError:
            if self._has_answered:
                self.breaker.failed()
            else:
                self.breaker.did_not_answer()
            raise complaints.of_deadline() from None

    async def _unless_paused(self, request: Request, most_bytes: int) -> Answer:
        if (wait_s := self.breaker.wait_s()) > 0:
            raise Complaints(self.config).of_pause(wait_s)
        return await self._with_retries(request, most_bytes)

    async def _with_retries(self, request: Request, most_bytes: int) -> Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.config.timeout_s
        pause_s = FIRST_PAUSE_S
        for attempt in range(MOST_RETRIES + 1):
            try:
                answer = await self._attempt(request, most_bytes)
            except _TryAgain as failed:
                wait_s = pause_s if failed.after_s is None else failed.after_s
                last = attempt == failed.most_retries or loop.time() + wait_s >= deadline
                self.breaker.failed()
                if last or self.breaker.wait_s() > 0:
                    if isinstance(failed, _NobodyThere):
                        self._not_there = failed.error
                    raise failed.error from None
                await asyncio.sleep(wait_s)
                pause_s *= 2
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, request: Request, most_bytes: int) -> Answer:
        """One sending. Counts for the breaker: only what a backend in distress would do."""
        complaints = Complaints(self.config)
        try:
            answer, after_s = await self._send(request, most_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            found = complaints.of_transport(error)
            if isinstance(found, SourceUnavailable):
                raise _NobodyThere(found) from None
            raise found from None
        except (httpx.TransportError, ssl.SSLError) as error:
            # httpx lets through what TLS 1.3 refuses after the handshake.
            self.breaker.failed()
            raise complaints.of_transport(error) from None
        if answer.status in RETRIED and (answer.status != 429 or after_s is not None):
            told = complaints.of_status(answer, request.path)
            raise _TryAgain(SourceUnavailable(str(told)), after_s)
        if answer.status >= 500 or answer.status == 429:
            self.breaker.failed()
            raise complaints.of_status(answer, request.path)
        self.breaker.worked()
        return answer

    async def _send(self, request: Request, most_bytes: int) -> tuple[Answer, float | None]:
        if self._http is None:
            raise RuntimeError("ask within `async with`")
        http, loop = self._http, asyncio.get_running_loop()
        sent, where = self._build(http, request), Complaints(self.config).where
        self.budget.spend_request()
        most = min(most_bytes, self.budget.bytes_left)
        began, status, size, dated = loop.time(), None, 0, None
        try:
            response = await http.send(sent, stream=True)
            status, dated = response.status_code, _dated(response)
            try:
                encoding = response.headers.get("content-encoding", "").strip().lower()
                body = await read_body(response.aiter_raw(), encoding, most, where)
                size, self._has_answered = len(body), True
            except AnswerTooLarge:
                size, self._has_answered = most, True
                raise
            finally:
                await response.aclose()
        finally:
            self.budget.read_bytes += size
            self.budget.log.append(Asked(request, status, size, loop.time() - began, dated))
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(status, kind, body, where), _retry_after_s(response)

    def _build(self, http: httpx.AsyncClient, request: Request) -> httpx.Request:
        url = self.config.base_url.rstrip("/") + request.path
        headers = headers_of(self.config)
        try:
            encoded = urlencode(request.parameters, quote_via=quote)
        except UnicodeEncodeError:
            raise InvalidRequest("parameters", "holds half a character") from None
        if request.method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            built = http.build_request("POST", url, headers=headers, content=encoded.encode())
        else:
            built = http.build_request(
                "GET", f"{url}?{encoded}" if encoded else url, headers=headers
            )
        if origin_of(str(built.url)) != origin_of(self.config.base_url):
            raise PermissionError("credentials belong to one origin")
        return built


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds only; the form with a date is rare and needs a clock both agree on."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _dated(response: httpx.Response) -> datetime | None:
    try:
        told = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo is not None else None
