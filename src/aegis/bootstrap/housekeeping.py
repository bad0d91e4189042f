"""What is done from time to time while alerts are received: asking Alertmanager, forgetting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from aegis.adapters.alertmanager.firing import AlertmanagerFiring
from aegis.adapters.http_client.breaker import CircuitBreaker
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.model.backend import BackendConfig
from aegis.model.errors import ConfigurationError, SourceError, StoreUnavailable
from aegis.ports import AlertStore, Clock, Deliveries
from aegis.settings import Settings
from aegis.workflows.reconcile_alerts import Reconciliation

FORGET_EVERY_S = 3600.0
LONGEST_ROUND_S = 60.0
_LOG = structlog.get_logger("aegis.alerts")


@asynccontextmanager
async def housekeeping(
    settings: Settings, store: AlertStore, deliveries: Deliveries, clock: Clock
) -> AsyncIterator[None]:
    """As long as it is open. A round that fails is logged; the next one tries again."""
    work = [(_forgetting(settings, store, clock), FORGET_EVERY_S)]
    configs = [one for one in settings.backends if one.name == "alertmanager"]
    if configs:
        rounds = _reconciling(settings, configs[0], store, deliveries, clock)
        work.append((rounds, float(settings.reconcile_s)))
    tasks = [asyncio.create_task(_again_and_again(one, every_s)) for one, every_s in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _again_and_again(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        try:
            await work()
        except (SourceError, StoreUnavailable, ConfigurationError, TimeoutError) as error:
            _LOG.warning("housekeeping_failed", why=str(error) or "took too long")
        await asyncio.sleep(every_s)


def _reconciling(
    settings: Settings,
    config: BackendConfig,
    store: AlertStore,
    deliveries: Deliveries,
    clock: Clock,
) -> Callable[[], Awaitable[None]]:
    breaker = CircuitBreaker()
    reconciliation = Reconciliation(
        store,
        AlertmanagerFiring(lambda: BackendClient(config, Budget(), breaker)),
        clock,
        deliveries,
        settings.replica_labels,
        settings.alertmanager_receivers,
    )

    async def round_() -> None:
        async with asyncio.timeout(LONGEST_ROUND_S):
            done = await reconciliation.round()
        if done.opened or done.closed:
            _LOG.warning("alerts_reconciled", opened=done.opened, closed=done.closed)

    return round_


def _forgetting(
    settings: Settings, store: AlertStore, clock: Clock
) -> Callable[[], Awaitable[None]]:
    async def forget() -> None:
        before = clock.now() - timedelta(days=settings.alert_retention_days)
        gone = await store.forget(before, settings.most_body_mb * 1_000_000)
        if gone:
            _LOG.info("alerts_forgotten", rows=gone)

    return forget
