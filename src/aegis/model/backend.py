"""How a telemetry backend is reached, and what the settings that say so are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

BackendName = Literal["loki", "prometheus", "jaeger", "alertmanager"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
TELEMETRY: tuple[BackendName, ...] = ("prometheus", "loki", "jaeger")
"""Backends that can be asked about an incident; without any of them there is nothing to ask."""
TENANTED: tuple[BackendName, ...] = ("loki", "prometheus", "alertmanager")
"""Backends of which some (Loki, Mimir, Cortex) keep tenants apart by X-Scope-OrgID."""

LONGEST_ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """How often in a row a backend has failed, and how many seconds it is to be left alone."""

    failures: int
    rest_s: float


NO_TROUBLE = Trouble(0, 0.0)


SettingField = Literal[
    "base_url",
    "username",
    "password",
    "bearer_token",
    "bearer_token_file",
    "ca_file",
    "client_cert_file",
    "client_key_file",
    "tenant_id",
    "timeout_s",
]


def setting(backend: BackendName, field_name: SettingField) -> str:
    """The environment variable of a field: what an error must name so that it can be mended."""
    name = f"{backend}_{field_name}".upper()
    users_chose_it = field_name == "base_url" or name == "LOKI_TENANT_ID"
    return name if users_chose_it else f"AEGIS_{name}"


def settings_of(backend: BackendName) -> tuple[str, ...]:
    """Every variable that says how this backend is reached."""
    fields: tuple[SettingField, ...] = get_args(SettingField)
    return tuple(
        setting(backend, name) for name in fields if name != "tenant_id" or backend in TENANTED
    )


def is_tenant(text: str) -> bool:
    """Loki's and Mimir's rule for one tenant; `a|b` would read several at once."""
    return re.fullmatch(r"[A-Za-z0-9!\-_.*'()]{1,150}", text) is not None and ".." not in text


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One backend. Secrets stay out of `repr`.

    `base_url` is http(s), may carry a path (`https://host/prometheus`), ends without a slash
    and holds no user, query or fragment. At most one of password and bearer token is given.
    `bearer_token_file` is read anew for each request: such tokens rotate. `ca_file` replaces
    the usual certificate authorities. `timeout_s` limits one answer with all its retries.
    """

    name: BackendName
    base_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    bearer_token_file: Path | None = None
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    tenant_id: str | None = None
    timeout_s: float = LONGEST_ANSWER_S

    def __post_init__(self) -> None:
        if self.tenant_id is not None and not is_tenant(self.tenant_id):
            raise ValueError(f"{self.setting('tenant_id')}: not a tenant")

    def setting(self, field_name: SettingField) -> str:
        return setting(self.name, field_name)
