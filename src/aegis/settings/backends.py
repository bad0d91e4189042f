"""How the telemetry backends are reached, from `LOKI_*`, `PROMETHEUS_*`, `JAEGER_*` and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from aegis.model.backend import (
    BACKENDS,
    LONGEST_ANSWER_S,
    TENANTED,
    BackendConfig,
    BackendName,
    SettingField,
    is_tenant,
    setting,
    settings_of,
)
from aegis.model.errors import ConfigurationError
from aegis.settings.addresses import WORD, holds_credentials, is_web, parts_of


def read_backends(given: Mapping[str, str]) -> tuple[BackendConfig, ...]:
    """The backends that have a base URL, in a fixed order; ConfigurationError names the variable.

    No secret ever becomes part of a message.
    """
    found = (_Backend(given, name).read() for name in BACKENDS)
    return tuple(one for one in found if one is not None)


class _Backend:
    """The variables of one backend."""

    def __init__(self, given: Mapping[str, str], name: BackendName) -> None:
        self.given = given
        self.name = name

    def read(self) -> BackendConfig | None:
        base_url = self._base_url()
        if base_url is None:
            self._refuse_orphans()
            return None
        username, password = self._text("username"), self._text("password")
        token, token_file = self._token(), self._file("bearer_token_file")
        if password is not None and username is None:
            raise self._wrong("username", f"missing, but {self._name('password')} is set")
        if sum(one is not None for one in (username, token, token_file)) > 1:
            given = [self._name(one) for one in ("username", "bearer_token", "bearer_token_file")]
            raise self._wrong("bearer_token", f"set only one of {', '.join(given)}")
        certificate, key = self._file("client_cert_file"), self._file("client_key_file")
        if key is not None and certificate is None:
            raise self._wrong("client_cert_file", f"missing, but {self._name('client_key_file')}")
        return BackendConfig(
            self.name,
            base_url,
            username,
            password,
            token,
            token_file,
            self._file("ca_file"),
            certificate,
            key,
            self._tenant(),
            self._timeout_s(),
        )

    def _name(self, field: SettingField) -> str:
        return setting(self.name, field)

    def _text(self, field: SettingField) -> str | None:
        return self.given.get(self._name(field)) or None

    def _wrong(self, field: SettingField, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self._name(field)}: {message}")

    def _base_url(self) -> str | None:
        text = self._text("base_url")
        if text is None:
            return None
        parts = parts_of(text)
        if holds_credentials(parts):
            user, password = self._name("username"), self._name("password")
            raise self._wrong("base_url", f"must hold no credentials; use {user} and {password}")
        if not is_web(parts, text):
            raise self._wrong("base_url", "must be an http:// or https:// address")
        if parts.query or parts.fragment or {".", ".."} & set(parts.path.split("/")):
            raise self._wrong("base_url", "must be an address and a path, without ?, # or ..")
        return text.rstrip("/?#")

    def _token(self) -> str | None:
        token = self._text("bearer_token")
        if token is not None and not WORD.fullmatch(token):
            raise self._wrong("bearer_token", "must be one word of printable ASCII")
        return token

    def _file(self, field: SettingField) -> Path | None:
        text = self._text(field)
        if text is None:
            return None
        path = Path(text)
        if not path.is_file():
            raise self._wrong(field, f"no such file: {text!r}")
        return path

    def _tenant(self) -> str | None:
        tenant = self._text("tenant_id") if self.name in TENANTED else None
        if tenant is not None and not is_tenant(tenant):
            raise self._wrong("tenant_id", "must be one tenant: letters, digits and !-_.*'()")
        return tenant

    def _timeout_s(self) -> float:
        text = self._text("timeout_s")
        if text is None:
            return LONGEST_ANSWER_S
        if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= 60:
            raise self._wrong("timeout_s", f"must be seconds up to 60, is {text!r}")
        return float(text)

    def _refuse_orphans(self) -> None:
        """Credentials without an address are a typing mistake, often in the address's name."""
        for name in settings_of(self.name):
            if self.given.get(name):
                raise self._wrong("base_url", f"missing, but {name} is set")
