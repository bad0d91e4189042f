"""Where links in messages may lead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aegis.model.errors import ConfigurationError
from aegis.settings.addresses import host_of, read_address

EXTERNAL = ("GRAFANA_EXTERNAL_URL", "PROMETHEUS_EXTERNAL_URL", "JAEGER_EXTERNAL_URL")
PUBLIC = "AEGIS_PUBLIC_URL"
_HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?")


def read_public_url(given: Mapping[str, str]) -> str | None:
    """Without a slash at its end; None where people cannot reach Aegis."""
    return read_address(given, PUBLIC)


def read_link_hosts(given: Mapping[str, str]) -> tuple[str, ...]:
    """Those of `AEGIS_LINK_HOSTS`, and of every address that a browser is known to open."""
    found: list[str] = []
    for entry in (given.get("AEGIS_LINK_HOSTS") or "").split(","):
        host = entry.strip().lower().removeprefix("*")
        if host and not _HOST.fullmatch(host):
            message = f"AEGIS_LINK_HOSTS: must be hosts with commas, has {entry.strip()!r}"
            raise ConfigurationError(message)
        found.append(host)
    addresses = (read_address(given, name) for name in (*EXTERNAL, PUBLIC))
    found += [host_of(one) for one in addresses if one is not None]
    return tuple(dict.fromkeys(host for host in found if host))
