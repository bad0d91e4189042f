"""Where links in messages may lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from aegis.model.errors import ConfigurationError

EXTERNAL = ("GRAFANA_EXTERNAL_URL", "PROMETHEUS_EXTERNAL_URL", "JAEGER_EXTERNAL_URL")
PUBLIC = "AEGIS_PUBLIC_URL"
_HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?")
_URL = re.compile(r"[\x21-\x7e]+")


def read_public_url(given: Mapping[str, str]) -> str | None:
    """Without a slash at its end; None where people cannot reach Aegis."""
    text = given.get(PUBLIC)
    if not text:
        return None
    _host_of(PUBLIC, text)
    return text.rstrip("/")


def read_link_hosts(given: Mapping[str, str]) -> tuple[str, ...]:
    """Those of `AEGIS_LINK_HOSTS`, and of every address that a browser is known to open."""
    found: list[str] = []
    for entry in (given.get("AEGIS_LINK_HOSTS") or "").split(","):
        host = entry.strip().lower().removeprefix("*")
        if host and not _HOST.fullmatch(host):
            message = f"AEGIS_LINK_HOSTS: must be hosts with commas, has {entry.strip()!r}"
            raise ConfigurationError(message)
        found.append(host)
    found += [_host_of(name, text) for name in (*EXTERNAL, PUBLIC) if (text := given.get(name))]
    return tuple(dict.fromkeys(host for host in found if host))


def _host_of(name: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{name}: must hold no credentials")
    wrong_part = parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not host or wrong_part or not _URL.fullmatch(text):
        raise ConfigurationError(f"{name}: must be an http:// or https:// address and a path")
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"
