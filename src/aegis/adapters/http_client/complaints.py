"""Turns what went wrong with a backend into an error that names the setting to change.

The one place where httpx's errors and HTTP status codes become ours.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from aegis.adapters.http_client.answers import Answer, one_line
from aegis.model.backend import TENANTED, BackendConfig
from aegis.model.errors import SourceError, SourceRejected, SourceUnavailable

UNAVAILABLE = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Complaints:
    """Messages about one backend."""

    config: BackendConfig

    @property
    def where(self) -> str:
        return f"{self.config.setting('base_url')}: {self.config.base_url}"

    @property
    def secrets(self) -> tuple[str, ...]:
        given = (self.config.password, self.config.bearer_token)
        return tuple(secret for secret in given if secret)

    def of_status(self, answer: Answer, path: str) -> SourceError:
        """Of an answer with a status that is no success and was not expected."""
        status, said = answer.status, answer.excerpt(self.secrets)
        told = f"{self.where} answered {status}" + (f" ({said})" if said else "")
        if status in (401, 403):
            return SourceRejected(f"{told}; {self._credentials(status, said)}")
        if status == 404:
            base = self.config.setting("base_url")
            return SourceRejected(f"{told} for {path}; does {base} lack a path, or have one?")
        if 300 <= status < 400:
            return SourceRejected(
                f"{told}; redirects are not followed, set {self._base} to its end"
            )
        if status in UNAVAILABLE:
            return SourceUnavailable(told)
        if status > 500 and status != 501:
            return SourceUnavailable(told)
        return SourceRejected(told)

    def of_html(self) -> SourceError:
        return SourceRejected(
            f"{self.where} answered with an HTML page, not with data; "
            f"set {self._base} to the address of the API (a login page or the UI answers there)"
        )

    def of_deadline(self) -> SourceError:
        limit = self.config.timeout_s
        name = self.config.setting("timeout_s")
        return SourceUnavailable(f"{self.where} gave no answer within {limit:g} s ({name})")

    def of_pause(self, wait_s: float) -> SourceError:
        return SourceUnavailable(
            f"{self.where} failed several times in a row; it is left alone for {wait_s:.0f} s more"
        )

    def of_transport(self, error: httpx.TransportError | ssl.SSLError) -> SourceError:
        """Of a connection that could not be made or broke."""
        cause = _first_cause(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            name, why = self.config.setting("ca_file"), one_line(cause.verify_message)
            return SourceRejected(
                f"{self.where} has a certificate that is not trusted ({why}); set {name}"
            )
        if isinstance(cause, ssl.SSLError):
            name = self.config.setting("client_cert_file")
            why = one_line(cause.reason or "TLS failed")
            return SourceRejected(
                f"{self.where} does not agree on TLS ({why}); "
                f"https:// in {self._base}? does it want {name}?"
            )
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return SourceUnavailable(f"{self.where} cannot be reached; is {self._base} right?")
        if isinstance(error, httpx.RemoteProtocolError):
            return SourceUnavailable(
                f"{self.where} broke off in the middle of its answer{self._shy()}"
            )
        if isinstance(error, httpx.UnsupportedProtocol):
            return SourceRejected(f"{self.where} is no http:// or https:// address")
        return SourceUnavailable(f"{self.where} broke the connection{self._shy()}")

    def _shy(self) -> str:
        """A server that wants a certificate may close the connection without a word."""
        config = self.config
        if config.client_cert_file or not config.base_url.lower().startswith("https:"):
            return ""
        return f"; does it want {config.setting('client_cert_file')}?"

    @property
    def _base(self) -> str:
        return self.config.setting("base_url")

    def _credentials(self, status: int, said: str) -> str:
        config = self.config
        if config.name in TENANTED and "org id" in said.lower():
            return f"set {config.setting('tenant_id')}"
        bearer, user = config.setting("bearer_token"), config.setting("username")
        if config.bearer_token or config.bearer_token_file:
            file = config.setting("bearer_token_file")
            which = file if config.bearer_token_file else bearer
            return f"check {which}: " + ("it may not read" if status == 403 else "it is refused")
        if config.username:
            return f"check {user} and {config.setting('password')}"
        return f"set {bearer}, or {user} and {config.setting('password')}"


def _first_cause(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
