"""Examines the settings and every configured backend, all at once, each within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aegis.adapters.alertmanager import examine as alertmanager
from aegis.adapters.feishu import examine as feishu
from aegis.adapters.feishu.sender import FeishuSender
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.examination import Examination
from aegis.adapters.jaeger import examine as jaeger
from aegis.adapters.loki import examine as loki
from aegis.adapters.loki.selector import LABEL_KEY, ServiceSelector, service_selector
from aegis.adapters.prometheus import examine as prometheus
from aegis.adapters.prometheus.catalog import Catalog, load_catalog
from aegis.adapters.store import examine as store
from aegis.adapters.store.database import open_database
from aegis.adapters.system_clock import SystemClock
from aegis.bootstrap.running import run_to_end
from aegis.model.backend import BACKENDS, BackendConfig, BackendName, setting
from aegis.model.errors import ConfigurationError, SourceError
from aegis.model.feishu import FeishuConfig
from aegis.model.health import BackendHealth, Examined, Finding, Health
from aegis.model.route_findings import route_findings
from aegis.model.text import Text
from aegis.ports import Clock
from aegis.settings import Settings

DEADLINE_S = 30.0
"""For all questions to one backend together."""


def examine_settings(settings: Settings, deadline_s: float = DEADLINE_S) -> Health:
    """What is well and what is not. Never raises for a backend or a setting that is not."""
    return run_to_end(_examine(settings, SystemClock(), deadline_s))


@dataclass(slots=True)
class _Given:
    """What the settings beside the addresses give; the usual where one is wrong."""

    catalog: Catalog
    selector: ServiceSelector
    findings: list[Finding] = field(default_factory=list)


async def _examine(settings: Settings, clock: Clock, deadline_s: float) -> Health:
    given, budget = _given(settings), Budget()
    configs = {one.name: one for one in settings.backends}
    tasks: list[asyncio.Task[BackendHealth]] = []
    async with asyncio.TaskGroup() as group:
        for name in BACKENDS:
            if name in configs:
                one = _examine_backend(configs[name], budget, given, clock, deadline_s)
                tasks.append(group.create_task(one))
        if settings.feishu is not None:
            chats = [one.chat_id for one in settings.routing.everywhere if one.chat_id]
            chat = _examine_feishu(settings.feishu, chats, clock, deadline_s)
            tasks.append(group.create_task(chat))
        tasks.append(group.create_task(_examine_database(settings.db_url, clock, deadline_s)))
    examined = {task.result().backend: task.result() for task in tasks}
    return Health(
        tuple(given.findings),
        (
            *(
                examined.get(name) or _not_configured(name, setting(name, "base_url"))
                for name in BACKENDS
            ),
            examined["database"],
            examined.get("feishu") or _not_configured("feishu", "FEISHU_APP_ID"),
        ),
    )


def _given(settings: Settings) -> _Given:
    given = _Given(Catalog(()), ServiceSelector())
    file = settings.signals_file
    try:
        given.catalog = load_catalog(file)
        count = len(given.catalog.conventions)
        said = Text(f"信号目录有 {count} 种约定", f"{count} conventions in the signal catalog")
        given.findings.append(Finding("AEGIS_SIGNALS_FILE", "ok", said))
    except ConfigurationError as error:
        given.catalog = load_catalog()
        given.findings.append(_wrong("AEGIS_SIGNALS_FILE", error))
    try:
        key, template = settings.loki_service_label_key, settings.loki_selector_template
        given.selector = service_selector(key, template)
    except ConfigurationError as error:
        given.findings.append(_wrong(str(error).partition(":")[0] or LABEL_KEY, error))
    if settings.service_aliases:
        count = len(settings.service_aliases)
        said = Text(f"{count} 个别名", f"{count} aliases")
        given.findings.append(Finding("AEGIS_SERVICE_ALIASES", "ok", said))
    given.findings += route_findings(settings.routing)
    if (missing := settings.lacking_to_deliver) is not None:
        said = Text(f"只存储，不发送：{missing}", f"stored only, told to nobody: {missing}")
        given.findings.append(Finding("alerts", "warn", said))
    return given


def _wrong(name: str, error: ConfigurationError) -> Finding:
    return Finding(name, "fail", Text(f"有误：{error}", f"wrong: {error}"))


def _not_configured(name: Examined, variable: str) -> BackendHealth:
    said = Text(f"没有配置；请设置 {variable}", f"not configured; set {variable}")
    return BackendHealth(name, None, "not_configured", (Finding("address", "warn", said),))


async def _examine_backend(
    config: BackendConfig, budget: Budget, given: _Given, clock: Clock, deadline_s: float
) -> BackendHealth:
    client = BackendClient(config, budget)
    examination = Examination(client, clock)
    examiners: dict[BackendName, Callable[[], Awaitable[None]]] = {
        "prometheus": lambda: prometheus.examine(examination, given.catalog),
        "loki": lambda: loki.examine(examination, given.selector),
        "jaeger": lambda: jaeger.examine(examination),
        "alertmanager": lambda: alertmanager.examine(examination),
    }
    try:
        async with asyncio.timeout(deadline_s), client:
            await examiners[config.name]()
    except ConfigurationError as error:
        examination.condition = "wrong_setting"
        examination.note("settings", "fail", f"有误：{error}", f"wrong: {error}")
    except TimeoutError:
        examination.condition = "no_answer"
        address = config.setting("base_url")
        examination.note(
            "deadline",
            "fail",
            f"{deadline_s:g} s 内没有答完；后端很慢，或 {address} 不对",
            f"not done within {deadline_s:g} s; it is slow, or {address} is wrong",
        )
    except SourceError as error:
        if examination.condition == "answers":  # else it is noted already
            examination.note("answers", "fail", f"没有读完：{error}", f"broke off: {error}")
    return examination.health()


async def _examine_database(db_url: str, clock: Clock, deadline_s: float) -> BackendHealth:
    try:
        database = open_database(db_url)
    except ConfigurationError as error:
        return BackendHealth(
            "database", None, "wrong_setting", (_wrong(str(error).partition(":")[0], error),)
        )
    examination = store.Examination(database, clock)
    try:
        async with _within(deadline_s, examination):
            if await asyncio.to_thread(examination.look):
                await examination.count()
    finally:
        await asyncio.to_thread(database.dispose)
    return examination.health()


@asynccontextmanager
async def _within(
    deadline_s: float, examination: store.Examination | feishu.Examination
) -> AsyncIterator[None]:
    """What is not done by then is noted as such, and not waited for."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except TimeoutError:
        examination.condition = "no_answer"
        zh, en = f"{deadline_s:g} s 内没有答完", f"not done within {deadline_s:g} s"
        examination.note("deadline", "fail", zh, en)


async def _examine_feishu(
    config: FeishuConfig, chats: Sequence[str], clock: Clock, deadline_s: float
) -> BackendHealth:
    sender = FeishuSender(config, clock)
    examination = feishu.Examination(sender, chats)
    try:
        async with _within(deadline_s, examination):
            await examination.examine()
    finally:
        sender.close()
    return examination.health()
