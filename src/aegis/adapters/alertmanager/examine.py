"""Can this Alertmanager be asked, and does anything fire?"""

from __future__ import annotations

from aegis.adapters.http_client.answers import one_line
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.examination import Examination
from aegis.adapters.http_client.routes import Route
from aegis.model.errors import SourceRejected

STATUS = Route("GET", "/api/v2/status")
ALERTS = Route("GET", "/api/v2/alerts")


async def examine(examination: Examination) -> None:
    """Notes its findings. SourceError, noted already, where it cannot be asked."""
    version = await examination.reached(_version(examination.client))
    said = f"alertmanager {version}".strip()
    examination.note("version", "ok", said, said)
    with examination.sample_query():
        answer = await examination.client.ask(ALERTS)
        found = answer.json()
        if not isinstance(found, list):
            raise SourceRejected(f"{answer.where} answered with alerts that are no list")
        examination.note("alerts", "ok", f"{len(found)} 个告警", f"{len(found)} alerts")


async def _version(client: BackendClient) -> str:
    answer = await client.ask(STATUS)
    told = answer.json()
    versions = told.get("versionInfo") if isinstance(told, dict) else None
    if not isinstance(versions, dict):
        raise SourceRejected(f"{answer.where} does not answer as Alertmanager does")
    return one_line(str(versions.get("version", "")))
