"""Who Aegis is to a backend: credentials, tenant and certificates, all from configuration."""

from __future__ import annotations

import base64
import re
import ssl

import certifi

from aegis.model.backend import BackendConfig
from aegis.model.errors import ConfigurationError, SourceRejected

LONGEST_TOKEN = 64 * 1024
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


def headers_of(config: BackendConfig) -> dict[str, str]:
    """What every request carries. Read anew each time, for tokens in files rotate."""
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "aegis"}
    if config.tenant_id is not None:
        headers["X-Scope-OrgID"] = config.tenant_id
    if config.username is not None:
        pair = f"{config.username}:{config.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    elif (token := _token(config)) is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _token(config: BackendConfig) -> str | None:
    token, name = config.bearer_token, config.setting("bearer_token")
    if token is None and config.bearer_token_file is not None:
        name = config.setting("bearer_token_file")
        try:
            with config.bearer_token_file.open(encoding="ascii") as file:
                token = file.read(LONGEST_TOKEN).strip()
        except (OSError, ValueError):
            raise SourceRejected(f"{name}: cannot be read") from None
    if token is not None and not _HEADER_SAFE.fullmatch(token):
        raise SourceRejected(f"{name}: must be one word of printable ASCII")
    return token


def tls_of(config: BackendConfig) -> ssl.SSLContext:
    """Certificates are always checked; ConfigurationError names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=config.ca_file or certifi.where())
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            f"{config.setting('ca_file')}: no certificates in {str(config.ca_file)!r}"
        ) from None
    if config.client_cert_file is not None:
        try:
            # An encrypted key must fail and not stop to ask for its password.
            context.load_cert_chain(config.client_cert_file, config.client_key_file, lambda: "")
        except (OSError, ssl.SSLError, ValueError):
            raise ConfigurationError(
                f"{config.setting('client_cert_file')}: no usable certificate and key in "
                f"{str(config.client_cert_file)!r} ({config.setting('client_key_file')})"
            ) from None
    return context
