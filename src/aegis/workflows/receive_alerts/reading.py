"""A webhook's body as a Webhook: each alert read alone, what is none kept with the reason."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from aegis.model.alert import Labels, identity
from aegis.model.fingerprints import fingerprints
from aegis.model.webhook import AlertStatus, QuarantinedAlert, ReceivedAlert, Webhook
from aegis.workflows.receive_alerts.opening import LONGEST_RAW, Broken, open_body

MOST_QUARANTINED = 100
LONGEST_KEY = 400
MOST_TRUNCATED = 2**31 - 1
UNBELIEVABLY_LATE = timedelta(days=1)

_HALVES = re.compile(r"[\ud800-\udfff]")
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
    opened = open_body(body)
    read = _Items(received_at, frozenset(replica_labels), opened.is_text)
    for position, item in enumerate(opened.items):
        read.take(position, item)
    if opened.rest is not None:
        read.refuse(len(opened.items), opened.rest, always=True)
    fields = opened.fields
    labels = _group_labels(fields.get("groupLabels"))
    return Webhook(
        receiver=_text(fields.get("receiver")),
        group_key=_group_key(_text(fields.get("groupKey")), labels),
        group_labels=labels,
        alerts=read.alerts(),
        quarantined=tuple(read.quarantined),
        truncated_alerts=_truncated(fields.get("truncatedAlerts")),
        external_url=_text(fields.get("externalURL")),
    )


class _Item(NamedTuple):
    """An alert without its fingerprint, which is that of `keyed`."""

    keyed: Labels
    status: AlertStatus
    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None
    generator_url: str


class _Items:
    """The alerts of a body as they are read one after the other."""

    def __init__(
        self, received_at: datetime, replica_labels: frozenset[str], is_text: bool
    ) -> None:
        self.quarantined: list[QuarantinedAlert] = []
        self._items: list[_Item] = []
        self._received_at = received_at
        self._replica_labels = replica_labels
        self._is_text = is_text

    def take(self, position: int, item: object) -> None:
        if isinstance(item, Broken):
            self.refuse(position, item)
            return
        try:
            self._items.append(self._read(item))
        except _NoAlert as error:
            raw = json.dumps(item, ensure_ascii=False)[:LONGEST_RAW]
            self.refuse(position, Broken(str(error), raw))

    def refuse(self, position: int, broken: Broken, always: bool = False) -> None:
        if always or len(self.quarantined) < MOST_QUARANTINED:
            told = QuarantinedAlert(position, _storable(broken.reason), _storable(broken.raw))
            self.quarantined.append(told)

    def alerts(self) -> tuple[ReceivedAlert, ...]:
        """Each fingerprint once, where it came first."""
        found: dict[str, ReceivedAlert] = {}
        keys = fingerprints([one.keyed for one in self._items])
        for key, item in zip(keys, self._items, strict=True):
            one, other = ReceivedAlert(key, *item[1:]), found.get(key)
            if other is None or _counts_more(one, other):
                found[key] = one
        return tuple(found.values())

    def _read(self, given: object) -> _Item:
        if not isinstance(given, dict):
            raise _NoAlert("is no JSON object")
        labels, annotations = _labels(given.get("labels")), _annotations(given.get("annotations"))
        keyed = labels
        if not self._is_text:
            keyed = _whole(labels)
            labels, annotations = _stored(keyed), _stored(_whole(annotations))
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
        shown = _storable(url) if isinstance(url, str) else ""
        return _Item(
            identity(keyed, self._replica_labels),
            status,
            labels,
            annotations,
            starts_at,
            ends_at,
            shown,
        )


def _counts_more(one: ReceivedAlert, other: ReceivedAlert) -> bool:
    if one.status != other.status:
        return one.status == "firing"
    return one.starts_at > other.starts_at


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


def _text(given: object) -> str:
    return _storable(given) if isinstance(given, str) else ""


def _group_labels(given: object) -> Labels:
    pairs = given.items() if isinstance(given, dict) else ()
    return _stored(_whole((name, text) for name, text in pairs if isinstance(text, str)))


def _group_key(given: str, labels: Labels) -> str:
    """Bounded, because it is a key of the store: a long one is told by its hash."""
    key = given or "labels:" + json.dumps(dict(labels), ensure_ascii=False)
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[: LONGEST_KEY - 65]}#{hashlib.sha256(key.encode()).hexdigest()}"


def _truncated(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        return 0
    return max(0, min(given, MOST_TRUNCATED))
