"""Which streams are of which service, in a Loki whose labels are to be found out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from aegis.adapters.loki.answers import Labels
from aegis.adapters.loki.identity import (
    is_nameless,
    names_a_container,
    other_service_label,
    pod_label,
    service_label,
    service_of,
    told_by,
)
from aegis.adapters.loki.logql import Matcher, re2_literal
from aegis.adapters.loki.questions import LokiQuestions
from aegis.adapters.loki.selector import ServiceSelector
from aegis.model.errors import AnswerTooLarge
from aegis.model.service_names import short_name, spelled
from aegis.model.telemetry import TimeWindow


@dataclass(frozen=True, slots=True)
class ServiceStreams:
    """`labels` are all labels of streams, `values` those of `label`, which names services."""

    selector: ServiceSelector
    labels: tuple[str, ...]
    label: str
    values: tuple[str, ...]

    @property
    def told_by(self) -> tuple[str, ...]:
        """The labels a count has to keep for `service` to tell whose lines it counts."""
        return told_by(self.labels, self.label, self.selector)

    def service(self, labels: Labels) -> str:
        return service_of(labels, self.label, self.selector)

    def every(self) -> tuple[Matcher, ...]:
        return self.selector.of_every_service(self.label)

    def of(self, services: Sequence[str]) -> tuple[Matcher, ...]:
        """Streams of these services, as spelled here; of all where none is given.

        Where the label does not know one of them (a container's name, say), their pods do;
        then streams of others may be among them, which `service` tells apart.
        """
        if not services:
            return self.every()
        written = [self._spelled(name) for name in services]
        pods = pod_label(self.labels) if names_a_container(self.label, self.selector) else None
        if pods is not None and not all(written):
            both = dict.fromkeys(each for name in services for each in (name, short_name(name)))
            names = "|".join(re2_literal(name) for name in both)
            return (*self.selector.scope, Matcher(pods, "=~", f"({names})(-.+)?"))
        values = [
            value
            for name, found in zip(services, written, strict=True)
            for value in found or [self.selector.value_of(name)]
        ]
        return self.selector.of_values(self.label, values)

    def unknown(self, services: Sequence[str]) -> list[str]:
        """Those of which no stream is, as far as labels alone tell."""
        if names_a_container(self.label, self.selector) and pod_label(self.labels) is not None:
            return []
        return [name for name in services if not self._spelled(name)]

    def _spelled(self, service: str) -> list[str]:
        """The values of the label that mean the service: itself, else what is alike."""
        by_name: dict[str, list[str]] = {}
        for value in self.values:
            by_name.setdefault(self.selector.service_in(value), []).append(value)
        return [value for name in spelled(service, tuple(by_name)) for value in by_name[name]]


async def streams_of(
    questions: LokiQuestions, selector: ServiceSelector, window: TimeWindow
) -> ServiceStreams | None:
    """In two requests, or three; None where there is no stream.

    SourceRejected where no label could name services.
    """
    labels = await questions.labels(window)
    if not labels:
        return None
    label = service_label(labels, selector)
    values = await questions.label_values(label, window)
    other = other_service_label(labels, label)
    if selector.label is None and other is not None and is_nameless(label, values):
        label, values = other, await questions.label_values(other, window)
    return ServiceStreams(selector, labels, label, values)


async def service_names(
    questions: LokiQuestions, streams: ServiceStreams, window: TimeWindow
) -> tuple[str, ...]:
    """Every service with a stream, sorted: of the label's own values where the streams, which
    tell better, are too many to list."""
    selector = streams.selector
    found = {
        streams.service({streams.label: value}) for value in streams.values if selector.fits(value)
    }
    if len(streams.told_by) > 1:
        with suppress(AnswerTooLarge):
            found = {
                streams.service(one) for one in await questions.streams(streams.every(), window)
            }
    return tuple(sorted(found - {""}))
