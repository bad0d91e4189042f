"""What the environment says. The only reader of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aegis.model.backend import TELEMETRY, BackendConfig
from aegis.model.errors import ConfigurationError
from aegis.model.feishu import FeishuConfig
from aegis.model.links import NO_ADDRESSES, ExternalAddresses
from aegis.model.routing import Routing
from aegis.model.text import Language
from aegis.settings.addresses import read_address
from aegis.settings.backends import read_backends
from aegis.settings.external_addresses import read_addresses
from aegis.settings.feishu import read_feishu
from aegis.settings.links import read_link_hosts, read_public_url
from aegis.settings.routes import read_routing
from aegis.settings.store import passwords_in, read_db_url, read_names

MOST_WORKERS = 8
MOST_WAITING = 32
LAST_PORT = 65535
RETENTION_DAYS = 30
MOST_BODY_MB = 512
RECONCILE_S = 60
LEAST_SECRET = 16
"""Characters; what is shorter may be guessed."""
IN_THIS_FOLDER = "sqlite:///aegis.db"


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token: whose it is and what its holder may be trusted with."""

    name: str
    role: str
    secret: str

    def __repr__(self) -> str:
        return f"Token(name={self.name!r}, role={self.role!r})"


@dataclass(frozen=True, slots=True)
class Settings:
    """`language` of output that answers no question; `timezone` of times without an offset.

    `case_dir` is one case folder or a folder of them. `port` None means: that of the
    service. `workers` analyses run at the same time, `most_waiting` may wait for their turn.
    `backends` are the telemetry backends that have an address. `loki_service_label_key` and
    `loki_selector_template` say how Loki's streams name a service; its adapter checks them.
    `signals_file` extends the signal catalog. `service_aliases` maps a service's name as a
    source spells it to the name it is to have. `routing` says which chat hears of an alert.
    `public_url` is where people reach Aegis, `link_hosts` are where links of messages may lead.
    `feishu` is None where it is not set up. `addresses` are those that a browser opens.

    `replica_labels` tell the halves of a pair of Prometheus servers apart. Ended alerts are
    kept for `alert_retention_days`, the bodies of webhooks in `most_body_mb` (10^6 bytes).
    Every `reconcile_s` seconds Alertmanager is asked what it has; alerts that it routes to one
    of `alertmanager_receivers` are ours, none: to one that has called.
    `otlp_endpoint` is where traces of Aegis's own work are sent. `changes_secret` signs
    what deploy tools report.
    """

    language: Language
    timezone: ZoneInfo
    case_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    tokens: tuple[Token, ...] = ()
    allow_anonymous: bool = False
    workers: int = 2
    most_waiting: int = MOST_WAITING
    backends: tuple[BackendConfig, ...] = ()
    loki_service_label_key: str | None = None
    loki_selector_template: str | None = None
    signals_file: Path | None = None
    service_aliases: Mapping[str, str] = field(default_factory=dict)
    routing: Routing = field(default_factory=Routing)
    public_url: str | None = None
    link_hosts: tuple[str, ...] = ()
    feishu: FeishuConfig | None = None
    db_url: str = IN_THIS_FOLDER
    replica_labels: tuple[str, ...] = ()
    alert_retention_days: int = RETENTION_DAYS
    most_body_mb: int = MOST_BODY_MB
    reconcile_s: int = RECONCILE_S
    alertmanager_receivers: tuple[str, ...] = ()
    addresses: ExternalAddresses = NO_ADDRESSES
    otlp_endpoint: str | None = None
    changes_secret: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may hold."""
        found = [one.secret for one in self.tokens]
        found += [self.changes_secret] if self.changes_secret else []
        for backend in self.backends:
            found += [one for one in (backend.password, backend.bearer_token) if one]
        if self.feishu is not None:
            found += self.feishu.secrets
        return (*found, *passwords_in(self.db_url))

    @property
    def lacking_to_deliver(self) -> str | None:
        """What is not set that delivering alerts needs; None where nothing is missing."""
        if self.feishu is None:
            return "FEISHU_APP_ID and FEISHU_APP_SECRET are not set"
        if not self.routing.everywhere:
            return "neither FEISHU_DEFAULT_CHAT_ID nor AEGIS_ROUTES_FILE is set"
        return None

    @property
    def has_telemetry(self) -> bool:
        """Has a backend an address that can be asked about an incident?"""
        return any(one.name in TELEMETRY for one in self.backends)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Raises ConfigurationError, naming the variable."""
    given = os.environ if environment is None else environment
    case_dir = given.get("AEGIS_CASE_DIR")
    signals_file = given.get("AEGIS_SIGNALS_FILE")
    waiting = _number(given, "AEGIS_MOST_WAITING", 0, 10_000)
    timezone = _timezone(given)
    return Settings(
        language=_language(given),
        timezone=timezone,
        case_dir=Path(case_dir) if case_dir else None,
        host=given.get("AEGIS_HOST") or "127.0.0.1",
        port=_number(given, "AEGIS_PORT", 1, LAST_PORT),
        tokens=_tokens(given),
        allow_anonymous=_flag(given, "AEGIS_ALLOW_ANONYMOUS"),
        workers=_number(given, "AEGIS_WORKERS", 1, 64) or _usual_workers(),
        most_waiting=MOST_WAITING if waiting is None else waiting,
        backends=read_backends(given),
        loki_service_label_key=given.get("LOKI_SERVICE_LABEL_KEY") or None,
        loki_selector_template=given.get("LOKI_SELECTOR_TEMPLATE") or None,
        signals_file=Path(signals_file) if signals_file else None,
        service_aliases=_aliases(given),
        routing=read_routing(given, timezone),
        public_url=read_public_url(given),
        link_hosts=read_link_hosts(given),
        feishu=read_feishu(given),
        db_url=read_db_url(given),
        replica_labels=read_names(given, "AEGIS_REPLICA_LABELS"),
        alert_retention_days=_number(given, "AEGIS_ALERT_RETENTION_DAYS", 1, 3650)
        or RETENTION_DAYS,
        most_body_mb=_number(given, "AEGIS_ALERT_BODIES_MB", 1, 1_000_000) or MOST_BODY_MB,
        reconcile_s=_number(given, "AEGIS_RECONCILE_S", 1, 86_400) or RECONCILE_S,
        alertmanager_receivers=read_names(given, "AEGIS_ALERTMANAGER_RECEIVERS"),
        changes_secret=_secret(given, "AEGIS_CHANGES_SECRET"),
        otlp_endpoint=read_address(given, "AEGIS_OTLP_ENDPOINT"),
        addresses=read_addresses(given),
    )


def _language(given: Mapping[str, str]) -> Language:
    name = given.get("AEGIS_LANGUAGE") or "zh"
    if name == "zh" or name == "en":
        return "zh" if name == "zh" else "en"
    raise ConfigurationError(f"AEGIS_LANGUAGE: must be zh or en, is {name!r}")


def _timezone(given: Mapping[str, str]) -> ZoneInfo:
    name = given.get("AEGIS_TIMEZONE") or "Asia/Shanghai"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"AEGIS_TIMEZONE: must be an IANA time zone, is {name!r}"
        raise ConfigurationError(message) from None


def _usual_workers() -> int:
    """One a core: an analysis is pure computing."""
    return min(MOST_WORKERS, os.cpu_count() or 1)


def _number(given: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = given.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        message = f"{name}: must be a whole number from {least} to {most}, is {text!r}"
        raise ConfigurationError(message)
    return int(text)


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = (given.get(name) or "false").lower()
    if text not in ("true", "false"):
        raise ConfigurationError(f"{name}: must be true or false, is {text!r}")
    return text == "true"


def _secret(given: Mapping[str, str], name: str) -> str | None:
    """Long enough that nobody guesses it, in characters that every header carries."""
    text = given.get(name)
    if text and (len(text) < LEAST_SECRET or not text.isascii() or not text.isprintable()):
        told = f"must have at least {LEAST_SECRET} printable ASCII characters"
        raise ConfigurationError(f"{name}: {told}")
    return text or None


def _aliases(given: Mapping[str, str]) -> dict[str, str]:
    """`spelled=wanted`, several separated by commas."""
    found: dict[str, str] = {}
    for entry in (given.get("AEGIS_SERVICE_ALIASES") or "").split(","):
        if not entry.strip():
            continue
        spelled, equals, wanted = (part.strip() for part in entry.partition("="))
        if not (spelled and equals and wanted):
            message = f"AEGIS_SERVICE_ALIASES: must be spelled=wanted,…, has {entry.strip()!r}"
            raise ConfigurationError(message)
        found[spelled] = wanted
    return found


def _tokens(given: Mapping[str, str]) -> tuple[Token, ...]:
    """Entries are separated by commas. No secret ever becomes part of a message."""
    name = "AEGIS_API_TOKENS"
    entries = [one.strip() for one in (given.get(name) or "").split(",")]
    found = []
    for place, entry in enumerate((one for one in entries if one), start=1):
        parts = entry.split(":", 2)
        if len(parts) != 3 or not all(parts) or not entry.isascii():
            raise ConfigurationError(f"{name}: entry {place} must be name:role:secret in ASCII")
        if len(parts[2]) < LEAST_SECRET:
            told = f"the secret of entry {place} must have at least {LEAST_SECRET} characters"
            raise ConfigurationError(f"{name}: {told}: openssl rand -hex 16 makes one")
        found.append(Token(*parts))
    if len({one.secret for one in found}) < len(found):
        raise ConfigurationError(f"{name}: two entries have the same secret")
    return tuple(found)
