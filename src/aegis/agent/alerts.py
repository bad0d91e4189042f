"""What the alerts that fired say about a question: whose they are, and what rang."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aegis.agent.joined_names import workload_of_pod
from aegis.agent.supervisor import AlarmKind, alarm_kind
from aegis.engine.alert_evidence import ServiceAlert
from aegis.model.alert import Alert
from aegis.model.errors import SourceError
from aegis.model.evidence import EvidenceGap
from aegis.model.service_names import plain_name
from aegis.model.telemetry import Alarm, TimeWindow
from aegis.model.text import Text, told_why
from aegis.ports import AlertSource, Clock

SERVICE_LABELS = (
    "deployment",
    "statefulset",
    "daemonset",
    "workload",
    "destination_workload",
    "destination_service_name",
    "app",
    "app_kubernetes_io_name",
    "service_name",
    "exported_service",
    "pod",
    "service",
    "application",
    "container",
    "job",
)
"""Best first: `service` and `job` of an alert on kube-state-metrics are that exporter's own."""
NEAR = timedelta(minutes=30)
"""An alert that began so long before the asked time may be what is asked about."""
FRESH = timedelta(minutes=5)
"""How long an alert that no longer fires is usually still kept."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")


@dataclass(frozen=True, slots=True)
class AlertsWithMemory:
    """An AlertSource of one that knows what fires now and one that remembers what fired.

    The second is asked about times that are over only. The first knows annotations and
    silences, so of an alert that both know its is taken. Where the second answers, the first's
    lack of a history is no gap.
    """

    now: AlertSource
    past: AlertSource
    clock: Clock

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        """A failure of the second leaves the first alone; a failure of the first is raised
        where the second knows nothing either."""
        if window.end >= self.clock.now() - FRESH:
            return await self.now.read_alerts(window)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_answer(one, window)) for one in (self.now, self.past)]
        now, past = (task.result() for task in tasks)
        if isinstance(now, SourceError):
            if isinstance(past, SourceError) or not past[0]:
                raise now
            silent = Text("告警无法读取", "The alerts could not be read")
            said = told_why(silent, Text(f"{now}", f"{now}"))
            return past[0], (EvidenceGap("alerts", "unavailable", None, said), *past[1])
        if isinstance(past, SourceError):
            return now
        known = [frozenset(one.labels) for one in now[0]]
        more = [one for one in past[0] if not any(frozenset(one.labels) <= all_ for all_ in known)]
        found = sorted((*now[0], *more), key=lambda one: (one.starts_at, one.fingerprint))
        gaps = tuple(gap for gap in now[1] if gap.reason != "not_recorded")
        return tuple(found), (*gaps, *past[1])


async def _answer(
    source: AlertSource, window: TimeWindow
) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]] | SourceError:
    try:
        return await source.read_alerts(window)
    except SourceError as error:
        return error


def of_services(alerts: Iterable[Alert], services: Sequence[str]) -> tuple[ServiceAlert, ...]:
    """The alerts that name one of the services, whichever way they spell it."""
    known = {plain_name(name): name for name in sorted(services, reverse=True)}
    found = ((_service(alert, known), alert) for alert in alerts)
    return tuple(ServiceAlert(service, alert) for service, alert in found if service is not None)


def alarm_of(alerts: Sequence[ServiceAlert], window: TimeWindow) -> Alarm | None:
    """The alarm that alerts stand for, where they agree on one; None where they do not.

    Only what began near the window counts, and nothing that somebody has silenced: an alert
    that fires for days is no news.
    """
    rang = [
        one
        for one in alerts
        if one.alert.state == "active" and window.start - NEAR <= one.alert.starts_at < window.end
    ]
    services = {one.service for one in rang}
    kinds = {kind for one in rang if (kind := kind_of(one.alert)) is not None}
    service = services.pop() if len(services) == 1 else None
    kind = kinds.pop() if len(kinds) == 1 else None
    return None if service is None and kind is None else Alarm(service, kind)


def kind_of(alert: Alert) -> AlarmKind | None:
    """What an alert complains of: by its name, else by what its annotations say."""
    annotations = dict(alert.annotations)
    said = (annotations.get("summary"), annotations.get("description"))
    texts = (_CAMEL.sub(" ", alert.name), *said)
    return next((kind for text in texts if text and (kind := alarm_kind(text))), None)


def _service(alert: Alert, known: dict[str, str]) -> str | None:
    labels = dict(alert.labels)
    for label in SERVICE_LABELS:
        value = labels.get(label)
        if not value:
            continue
        plain = plain_name(value)
        found = known.get(plain)
        if found is None and label == "pod":
            found = known.get(workload_of_pod(plain))
        if found is not None:
            return found
    return None
