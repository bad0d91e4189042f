"""Where a browser finds Grafana, Prometheus and Jaeger: base URLs are often in-cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aegis.model.errors import ConfigurationError
from aegis.model.links import DataSource, ExternalAddresses
from aegis.settings.addresses import read_address

_UID = re.compile(r"[A-Za-z0-9_. -]{1,64}")
_UIDS: dict[DataSource, str] = {
    "prometheus": "AEGIS_GRAFANA_PROMETHEUS_UID",
    "loki": "AEGIS_GRAFANA_LOKI_UID",
    "jaeger": "AEGIS_GRAFANA_JAEGER_UID",
}


def read_addresses(given: Mapping[str, str]) -> ExternalAddresses:
    """ConfigurationError names the variable that is wrong."""
    uids = {source: uid for source, name in _UIDS.items() if (uid := _uid(given, name))}
    return ExternalAddresses(
        read_address(given, "GRAFANA_EXTERNAL_URL"),
        read_address(given, "PROMETHEUS_EXTERNAL_URL"),
        read_address(given, "JAEGER_EXTERNAL_URL"),
        uids,
        _log_selector(given),
    )


def _uid(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(name) or None
    if text is not None and not _UID.fullmatch(text):
        raise ConfigurationError(f"{name}: must be the uid or name of a data source, is {text!r}")
    return text


def _log_selector(given: Mapping[str, str]) -> str:
    """As the log source would write it; a template that is wrong is told by that source."""
    usual = ExternalAddresses().log_selector
    label = given.get("LOKI_SERVICE_LABEL_KEY") or "service_name"
    template = given.get("LOKI_SELECTOR_TEMPLATE") or usual.replace("service_name", "{label_key}")
    try:
        filled = template.format(label_key=label, service="\0")
    except (ValueError, LookupError, AttributeError):
        return usual
    return filled.replace("{", "{{").replace("}", "}}").replace("\0", "{service}")
