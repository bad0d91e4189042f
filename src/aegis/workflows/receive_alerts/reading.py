"""A webhook's body as a Webhook: each alert read alone, what is none kept with the reason."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from aegis.model.alert import Labels, fingerprint
from aegis.model.webhook import AlertStatus, QuarantinedAlert, ReceivedAlert, Webhook
from aegis.workflows.receive_alerts.splitting import Split, split

LARGEST_ALERT = 2 * 1024 * 1024
MOST_QUARANTINED = 100
LONGEST_RAW = 4096
LONGEST_KEY = 400
MOST_TRUNCATED = 2**31 - 1
UNBELIEVABLY_LATE = timedelta(days=1)

_HALVES = re.compile(r"[\ud800-\udfff]")
_MAY_HOLD_WHAT_IS_NO_TEXT = re.compile(r"\0|\\u(?:0000|[dD][89a-fA-F])")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,20})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


class _NoAlert(Exception):
    """What is wrong with an item; goes into the quarantine with it."""


def read_webhook(
    body: bytes, received_at: datetime, replica_labels: Collection[str] = ()
) -> Webhook:
    """Never raises: whatever is no alert is in `quarantined`, at most 100 items of it.

    Each fingerprint occurs once: where replicas of a Prometheus disagree the alert fires.
    Fields that are unknown are left alone. Text is made storable: NUL and halves of surrogate
    pairs become U+FFFD.
    """
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    parts = split(text)
    read = _Items(received_at, frozenset(replica_labels))
    for position, raw in enumerate(parts.alerts):
        read.take(position, raw)
    if "alerts" in parts.fields and parts.fields["alerts"] != "null":
        read.refuse(0, "alerts: is no list", parts.fields["alerts"])
    if parts.broken is not None:
        place, reason = parts.broken
        what = f"at character {place}: {reason}" if text else "is empty"
        read.refuse(len(parts.alerts), what, text[place : place + LONGEST_RAW], always=True)
    labels = _group_labels(parts)
    return Webhook(
        receiver=_text(parts, "receiver"),
        group_key=_group_key(_text(parts, "groupKey"), labels),
        group_labels=labels,
        alerts=tuple(read.alerts.values()),
        quarantined=tuple(read.quarantined),
        truncated_alerts=_truncated(parts),
        external_url=_text(parts, "externalURL"),
    )


class _Items:
    """The alerts of a body as they are read one after the other."""

    def __init__(self, received_at: datetime, replica_labels: frozenset[str]) -> None:
        self.alerts: dict[str, ReceivedAlert] = {}
        self.quarantined: list[QuarantinedAlert] = []
        self._received_at = received_at
        self._replica_labels = replica_labels

    def take(self, position: int, raw: str) -> None:
        try:
            found = self._read(raw)
        except _NoAlert as error:
            self.refuse(position, str(error), raw)
            return
        other = self.alerts.get(found.fingerprint)
        if other is None or _counts_more(found, other):
            self.alerts[found.fingerprint] = found

    def refuse(self, position: int, reason: str, raw: str, always: bool = False) -> None:
        if always or len(self.quarantined) < MOST_QUARANTINED:
            kept = _storable(raw[:LONGEST_RAW])
            self.quarantined.append(QuarantinedAlert(position, reason, kept))

    def _read(self, raw: str) -> ReceivedAlert:
        given = _parsed(raw)
        labels, annotations = _labels(given.get("labels")), _annotations(given.get("annotations"))
        suspect = _MAY_HOLD_WHAT_IS_NO_TEXT.search(raw) is not None
        if suspect:
            labels, annotations = _whole(labels), _whole(annotations)
        key = self._fingerprint(labels)
        if suspect:
            labels, annotations = _stored(labels), _stored(annotations)
        status = _status(given.get("status"))
        starts_at = _moment(given.get("startsAt"), "startsAt")
        ends_at = _moment(given.get("endsAt"), "endsAt") if status == "resolved" else None
        if status == "resolved":
            ends_at = ends_at or self._received_at
        if starts_at is None:
            starts_at = ends_at or self._received_at
        # One of the year 9999 would make every later notice look late.
        if starts_at - self._received_at > UNBELIEVABLY_LATE:
            starts_at = self._received_at
        url = given.get("generatorURL")
        return ReceivedAlert(
            fingerprint=key,
            status=status,
            labels=labels,
            annotations=annotations,
            starts_at=starts_at,
            ends_at=ends_at,
            generator_url=_storable(url) if isinstance(url, str) else "",
        )

    def _fingerprint(self, labels: Labels) -> str:
        kept = tuple(pair for pair in labels if pair[0] not in self._replica_labels)
        return fingerprint(kept or labels)


def _counts_more(one: ReceivedAlert, other: ReceivedAlert) -> bool:
    if one.status != other.status:
        return one.status == "firing"
    return one.starts_at > other.starts_at


def _parsed(raw: str) -> dict[str, object]:
    if len(raw) > LARGEST_ALERT:
        raise _NoAlert(f"is longer than {LARGEST_ALERT:,} characters")
    try:
        given = json.loads(raw, parse_constant=_no_number, strict=False)
    except json.JSONDecodeError as error:
        raise _NoAlert(f"is not JSON: {error.msg} at {error.pos}") from None
    except RecursionError:
        raise _NoAlert("is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise _NoAlert(f"is not JSON: {str(error).partition(';')[0]}") from None
    if not isinstance(given, dict):
        raise _NoAlert("is no JSON object")
    return given


def _no_number(name: str) -> NoReturn:
    raise _NoAlert(f"is not JSON: {name} is no number of JSON")


def _labels(given: object) -> Labels:
    """Sorted by name."""
    if not isinstance(given, dict) or not given:
        raise _NoAlert("labels: there are none")
    for name, value in given.items():
        if not isinstance(value, str):
            raise _NoAlert(f"labels: the value of {name[:80]!r} is no text")
    return tuple(sorted(given.items()))


def _annotations(given: object) -> Labels:
    """Text to show: a value of another kind is shown as it came."""
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise _NoAlert("annotations: is no JSON object")
    return tuple(
        sorted(
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in given.items()
            if value is not None
        )
    )


def _whole(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Half of a surrogate pair becomes U+FFFD, as in Go: the fingerprint is Alertmanager's own."""
    return tuple(sorted((_HALVES.sub("\ufffd", n), _HALVES.sub("\ufffd", v)) for n, v in pairs))


def _stored(labels: Labels) -> Labels:
    return tuple(
        (name.replace("\0", "\ufffd"), text.replace("\0", "\ufffd")) for name, text in labels
    )


def _storable(text: str) -> str:
    return _HALVES.sub("\ufffd", text).replace("\0", "\ufffd")


def _status(given: object) -> AlertStatus:
    if given == "firing":
        return "firing"
    if given == "resolved":
        return "resolved"
    raise _NoAlert(f"status: is neither firing nor resolved but {str(given)[:40]!r}")


def _moment(given: object, field: str) -> datetime | None:
    """UTC; None for the year 1, which is how Go writes that there is none."""
    if given is None or given == "":
        return None
    if not isinstance(given, str) or not _MOMENT.fullmatch(given):
        raise _NoAlert(f"{field}: is no time of RFC 3339 but {str(given)[:40]!r}")
    try:
        found = datetime.fromisoformat(given.upper())
    except ValueError:
        raise _NoAlert(f"{field}: is no time but {given[:40]!r}") from None
    if found.year == 1:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999
        return datetime.max.replace(tzinfo=UTC)


def _text(parts: Split, name: str) -> str:
    raw = parts.fields.get(name, "")
    if not raw.startswith('"') or len(raw) > LARGEST_ALERT:
        return ""
    try:
        return _storable(str(json.loads(raw, strict=False)))
    except ValueError:
        return ""


def _group_labels(parts: Split) -> Labels:
    try:
        given = _parsed(parts.fields.get("groupLabels", "{}"))
    except _NoAlert:
        return ()
    return _stored(_whole((name, text) for name, text in given.items() if isinstance(text, str)))


def _group_key(given: str, labels: Labels) -> str:
    """Bounded, because it is a key of the store: a long one is told by its hash."""
    key = given or "labels:" + json.dumps(dict(labels), ensure_ascii=False)
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[: LONGEST_KEY - 65]}#{hashlib.sha256(key.encode()).hexdigest()}"


def _truncated(parts: Split) -> int:
    raw = parts.fields.get("truncatedAlerts", "0")
    if not re.fullmatch(r"\d{1,30}", raw, re.ASCII):
        return 0
    return min(int(raw), MOST_TRUNCATED)
