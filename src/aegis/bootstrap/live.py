"""Answers from the backends of a running system."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from aegis.adapters.alertmanager.alerts import AlertmanagerAlerts
from aegis.adapters.cases.folder_sink import CaseFolder
from aegis.adapters.http_client.breaker import CircuitBreaker
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.jaeger.traces import JaegerTraces
from aegis.adapters.loki.logs import LokiLogs
from aegis.adapters.loki.selector import ServiceSelector, service_selector
from aegis.adapters.not_configured import NotConfigured
from aegis.adapters.prometheus.alerts import PrometheusAlerts
from aegis.adapters.prometheus.catalog import Catalog, load_catalog
from aegis.adapters.prometheus.history import PrometheusHistory
from aegis.adapters.prometheus.kubernetes import KubernetesChanges
from aegis.adapters.prometheus.metrics import PrometheusMetrics
from aegis.adapters.system_clock import SystemClock
from aegis.agent.alerts import AlertsWithMemory
from aegis.agent.joined_names import NameRules
from aegis.agent.known_changes import ToldAndSeen
from aegis.agent.monitor import DEADLINE_S, Scene, Sources
from aegis.agent.steps import UNWATCHED, Watch
from aegis.bootstrap import Asked, time_of
from aegis.bootstrap.reported import reported_changes
from aegis.bootstrap.running import run_to_end
from aegis.model.backend import NO_TROUBLE, TELEMETRY, BackendConfig, BackendName, Trouble
from aegis.model.errors import ConfigurationError, InvalidWindow
from aegis.model.telemetry import TimeWindow
from aegis.ports import AlertSource, ChangeSource, Clock
from aegis.settings import Settings
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident, state_plan
from aegis.workflows.record_case import Incident, Recorded, record_case
from aegis.workflows.verify_answer.verify import Checked, Citation, verify_answer

HISTORY = timedelta(hours=3)
"""How much is read before the window asked about: enough for a baseline and for the onset."""
AFTER = timedelta(minutes=2)
"""Less than Prometheus looks back for a sample: what exists is asked at the end of the time read,
and where telemetry stopped with the incident nothing would be found any later."""
LONGEST_WINDOW = timedelta(hours=24)


def _nobody_hears(name: BackendName, trouble: Trouble) -> None: ...


@dataclass(frozen=True, slots=True)
class Troubles:
    """What other processes have met at the backends, and who hears what this one meets."""

    known: Mapping[BackendName, Trouble] = field(default_factory=dict)
    hears: Callable[[BackendName, Trouble], None] = _nobody_hears

    def breaker(self, name: BackendName) -> CircuitBreaker:
        return CircuitBreaker.after(self.known.get(name, NO_TROUBLE), partial(self.hears, name))


NO_TROUBLES = Troubles()


@dataclass(frozen=True, slots=True)
class Backends:
    """The telemetry backends that have an address; `breakers` outlive questions."""

    configs: Mapping[BackendName, BackendConfig]
    catalog: Catalog
    selector: ServiceSelector
    names: NameRules
    db_url: str
    breakers: Mapping[BackendName, CircuitBreaker]

    @staticmethod
    def of(settings: Settings, troubles: Troubles = NO_TROUBLES) -> Backends:
        """Raises ConfigurationError where none has an address or a setting is wrong."""
        configs = {one.name: one for one in settings.backends}
        if not settings.has_telemetry:
            raise ConfigurationError(
                "PROMETHEUS_BASE_URL: not set, nor LOKI_BASE_URL nor JAEGER_BASE_URL, "
                "so there is nothing to ask; set one, or name a recorded case"
            )
        return Backends(
            configs,
            load_catalog(settings.signals_file),
            service_selector(settings.loki_service_label_key, settings.loki_selector_template),
            NameRules(settings.service_aliases),
            settings.db_url,
            {name: troubles.breaker(name) for name in configs},
        )

    @asynccontextmanager
    async def opened(self, budget: Budget | None = None) -> AsyncIterator[OpenBackends]:
        """Connections for one question, with one budget for all of them."""
        budget = Budget() if budget is None else budget
        async with AsyncExitStack() as stack:
            clients: dict[BackendName, BackendClient] = {}
            for name, config in self.configs.items():
                client = BackendClient(config, budget, self.breakers[name])
                clients[name] = await stack.enter_async_context(client)
            told = stack.enter_context(reported_changes(self.db_url, SystemClock()))
            yield OpenBackends(self, clients, budget, told)


@dataclass(frozen=True, slots=True)
class OpenBackends:
    """What one question asks; `budget` says afterwards what it cost."""

    backends: Backends
    clients: Mapping[BackendName, BackendClient]
    budget: Budget
    told: ChangeSource | None = None

    def sources(self, clock: Clock) -> Sources:
        clients, backends = self.clients, self.backends
        return Sources(
            metrics=PrometheusMetrics(clients["prometheus"], backends.catalog)
            if "prometheus" in clients
            else NotConfigured("prometheus"),
            traces=JaegerTraces(clients["jaeger"])
            if "jaeger" in clients
            else NotConfigured("jaeger"),
            logs=LokiLogs(clients["loki"], backends.selector)
            if "loki" in clients
            else NotConfigured("loki"),
            changes=self.changes(),
            alerts=self.alerts(clock),
            history=PrometheusHistory(clients["prometheus"]) if "prometheus" in clients else None,
        )

    def changes(self) -> ChangeSource | None:
        """Those reported to the server, and rollouts that Prometheus shows."""
        seen = None
        if "prometheus" in self.clients:
            seen = KubernetesChanges(self.clients["prometheus"], self.backends.catalog)
        if self.told is not None and seen is not None:
            return ToldAndSeen(self.told, seen, DEADLINE_S)
        return self.told or seen

    def alerts(self, clock: Clock) -> AlertSource | None:
        """Alertmanager, and what Prometheus remembers of alerts, as far as they are there."""
        now = past = None
        if "alertmanager" in self.clients:
            now = AlertmanagerAlerts(self.clients["alertmanager"], clock)
        if "prometheus" in self.clients:
            past = PrometheusAlerts(self.clients["prometheus"])
        if now is not None and past is not None:
            return AlertsWithMemory(now, past, clock)
        return now or past

    def scene(self, extent: TimeWindow) -> Scene:
        """What is known before anything is read: how far to read."""
        return Scene(extent, None, (), (), (), joins_names=self.backends.names)


def extent_of(window: TimeWindow, now: datetime) -> TimeWindow:
    """The window with history before it and some time after, as far as that has come."""
    end = max(window.start + timedelta(seconds=1), min(now, window.end + AFTER))
    return TimeWindow(window.start - HISTORY, end)


def asked_time(asked: Asked, now: datetime) -> tuple[TimeWindow, datetime | None]:
    """As `time_of`; InvalidWindow for a time in the future, or longer than a day."""
    window, moment = time_of(asked, now)
    if window.start >= now:
        raise InvalidWindow("window", "lies in the future")
    if window.end - window.start > LONGEST_WINDOW:
        raise InvalidWindow("window", "is longer than 24 h; ask about a shorter time")
    return window, moment


def analyze_live(
    settings: Settings,
    asked: Asked,
    watch: Watch = UNWATCHED,
    service: str | None = None,
    ablate: frozenset[str] = frozenset(),
    exact: bool = False,
    troubles: Troubles = NO_TROUBLES,
) -> Analysis:
    """Answer from the configured backends. Raises ConfigurationError where there is none.

    An exact time is explained as it is; any other is a guess, and what it means is looked for.
    """
    backends = Backends.of(settings, troubles)
    return run_to_end(answer(backends, asked, SystemClock(), watch, service, ablate, exact))


def verify_live(
    settings: Settings,
    citations: Sequence[Citation],
    read: TimeWindow | None = None,
    troubles: Troubles = NO_TROUBLES,
) -> tuple[Checked, ...]:
    """Ask the configured backends for the evidence of an answer again.

    `read` is the time that the answer was read from, where it is known: what is sampled is
    sampled alike only over the same time.
    """
    return run_to_end(_verify(Backends.of(settings, troubles), citations, read, SystemClock()))


async def _verify(
    backends: Backends, citations: Sequence[Citation], read: TimeWindow | None, clock: Clock
) -> tuple[Checked, ...]:
    if not citations:
        return ()
    start = min(one.data_window.start for one in citations)
    end = max(one.data_window.end for one in citations)
    reach = TimeWindow(start, end)
    if read is not None and read.end - read.start <= LONGEST_WINDOW + HISTORY + AFTER:
        # It is what somebody sent: it may widen the time, and never cuts a citation off.
        reach = TimeWindow(min(start, read.start), max(end, read.end))
    async with backends.opened() as open_:
        return await verify_answer(citations, open_.sources(clock), (), reach, backends.names)


async def answer(
    backends: Backends,
    asked: Asked,
    clock: Clock,
    watch: Watch = UNWATCHED,
    service: str | None = None,
    ablate: frozenset[str] = frozenset(),
    exact: bool = False,
    budget: Budget | None = None,
) -> Analysis:
    """`budget` says afterwards what the question cost."""
    now = clock.now()
    window, moment = asked_time(asked, now)
    plan = state_plan(asked.language, watch)
    async with backends.opened(budget) as open_:
        scene = open_.scene(extent_of(window, now))
        question = Question(asked.text, window, asked.language, service, exact, moment)
        return await analyze_incident(
            question, open_.sources(clock), scene, ablate, before=(plan,), watch=watch
        )


def record_live(
    settings: Settings, asked: Asked, out: Path, most_bytes: int, watch: Watch = UNWATCHED
) -> Recorded:
    """Keep what the configured backends tell about the time asked as a new case folder."""
    return run_to_end(record(Backends.of(settings), asked, out, most_bytes, SystemClock(), watch))


async def record(
    backends: Backends,
    asked: Asked,
    out: Path,
    most_bytes: int,
    clock: Clock,
    watch: Watch = UNWATCHED,
) -> Recorded:
    """`most_bytes` is the size of the whole folder."""
    sink = CaseFolder(out)
    sink.check_free()  # before a backend is asked in vain
    now = clock.now()
    window, _ = asked_time(asked, now)
    async with backends.opened() as open_:
        scene = open_.scene(extent_of(window, now))
        names = [name for name in TELEMETRY if name in open_.clients]
        incident = Incident(sink.case_id, ", ".join(names), asked.text, window)
        return await record_case(incident, open_.sources(clock), scene, sink, most_bytes, watch)
