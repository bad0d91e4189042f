"""list_services, list_alerts and list_changes: what there is, what rings, what was changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from aegis.agent.tools.shown import remarks, shown, shown_labels
from aegis.agent.tools.times import Moment, Times, told
from aegis.agent.tools.tool import Arguments, Result, Tool
from aegis.model.errors import SourceError
from aegis.model.evidence import Source
from aegis.model.service_names import plain_name
from aegis.model.telemetry import TimeWindow, utc_text
from aegis.ports import AlertSource, ChangeSource, ServiceNames

MOST_SERVICES = 500
MOST_ALERTS = 100
MOST_CHANGES = 100
Service = Annotated[str | None, Field(max_length=256, description="only of this service")]


class TimeArguments(Arguments):
    start: Moment = "now-15m"
    end: Moment = "now"


class ServiceTimeArguments(Arguments):
    start: Moment = "now-2h"
    end: Moment = "now"
    service: Service = None


def list_services(sources: Mapping[Source, ServiceNames], times: Times) -> Tool[TimeArguments]:
    return Tool(
        "list_services",
        "Every service that metrics, logs or traces know, under one name each, and which of "
        "them know it.",
        TimeArguments,
        _Services(sources, times).list,
        "list_services_failed",
        lambda given: {"start": given.start, "end": given.end},
    )


def list_alerts(source: AlertSource, times: Times) -> Tool[ServiceTimeArguments]:
    return Tool(
        "list_alerts",
        "Alerts that fired, latest first, with the time they began, labels and annotations. "
        "Of a time that is over Prometheus knows the labels only.",
        ServiceTimeArguments,
        _Alerts(source, times).list,
        "alertmanager_request_failed",
        lambda given: {"start": given.start, "end": given.end},
    )


def list_changes(source: ChangeSource, times: Times) -> Tool[ServiceTimeArguments]:
    return Tool(
        "list_changes",
        "Rollouts and changes of configuration, latest first.",
        ServiceTimeArguments,
        _Changes(source, times).list,
        "list_changes_failed",
        lambda given: {"start": given.start, "end": given.end},
    )


@dataclass(frozen=True, slots=True)
class _Services:
    sources: Mapping[Source, ServiceNames]
    times: Times

    async def list(self, given: TimeArguments) -> Result:
        """The last error where no source answers."""
        window = self.times.window(given)
        if isinstance(window, dict):
            return window
        kinds = sorted(self.sources)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_names(self.sources[kind], window)) for kind in kinds]
        read = {kind: task.result() for kind, task in zip(kinds, tasks, strict=True)}
        failed = {kind: one for kind, one in read.items() if isinstance(one, SourceError)}
        if len(failed) == len(read) and failed:
            raise failed[kinds[-1]]
        seen: dict[str, dict[Source, str]] = {}
        for kind, names in read.items():
            if not isinstance(names, SourceError):
                for name in names:
                    seen.setdefault(plain_name(name), {}).setdefault(kind, name)
        services = [
            {"name": shown(plain), "seen_in": {kind: shown(name) for kind, name in by.items()}}
            for plain, by in sorted(seen.items())
        ]
        more = len(services) - MOST_SERVICES
        silent = [f"{kind} could not be read: {error}" for kind, error in failed.items()]
        cut = f"{more} more services" if more > 0 else ""
        return {**told(window), "services": services[:MOST_SERVICES], **remarks((), cut, *silent)}


async def _names(source: ServiceNames, window: TimeWindow) -> tuple[str, ...] | SourceError:
    try:
        return await source.names(window)
    except SourceError as error:
        return error


@dataclass(frozen=True, slots=True)
class _Alerts:
    source: AlertSource
    times: Times

    async def list(self, given: ServiceTimeArguments) -> Result:
        window = self.times.window(given)
        if isinstance(window, dict):
            return window
        found, gaps = await self.source.read_alerts(window)
        if given.service is not None:
            wanted = plain_name(given.service)
            found = tuple(
                one for one in found if wanted in {plain_name(value) for _, value in one.labels}
            )
        latest = sorted(found, key=lambda one: (one.starts_at, one.fingerprint), reverse=True)
        more = len(latest) - MOST_ALERTS
        alerts = [
            {
                "name": shown(one.name),
                "since": utc_text(one.starts_at),
                "state": one.state,
                "labels": shown_labels(one.labels),
                "annotations": shown_labels(one.annotations),
            }
            for one in latest[:MOST_ALERTS]
        ]
        cut = f"{more} earlier alerts" if more > 0 else ""
        return {**told(window), "alerts": alerts, **remarks(gaps, cut)}


@dataclass(frozen=True, slots=True)
class _Changes:
    source: ChangeSource
    times: Times

    async def list(self, given: ServiceTimeArguments) -> Result:
        window = self.times.window(given)
        if isinstance(window, dict):
            return window
        found, gaps = await self.source.read_changes(window)
        if given.service is not None:
            wanted = plain_name(given.service)
            found = tuple(one for one in found if plain_name(one.service) == wanted)
        latest = sorted(found, key=lambda one: (one.time, one.service), reverse=True)
        more = len(latest) - MOST_CHANGES
        changes = [
            {
                "service": shown(one.service),
                "time": utc_text(one.time),
                "kind": shown(one.kind) if one.kind else None,
                "version": shown(one.version) if one.version else None,
                "title": shown(one.title) if one.title else None,
                "url": shown(one.url) if one.url else None,
            }
            for one in latest[:MOST_CHANGES]
        ]
        cut = f"{more} earlier changes" if more > 0 else ""
        return {**told(window), "changes": changes, **remarks(gaps, cut)}
