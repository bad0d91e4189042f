"""Probes and metrics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from aegis.adapters.feishu.sdk_thread import SdkThread
from aegis.entrypoints.http.app import Service
from aegis.model.backend import BackendConfig, BackendName
from aegis.model.errors import ConfigurationError
from aegis.model.feishu import FeishuConfig
from aegis.model.routing import Route, Routing
from aegis.settings import Settings
from tests.http.service import (
    ANALYZE,
    Sent,
    answer,
    answers,
    problem_of,
    settings,
    with_service,
)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("all", "ops-service"),
        ("ops", "ops-service"),
        ("chatops", "chatops-service"),
        ("rca", "rca-service"),
        ("predict", "predict-service"),
    ],
)
def test_health_names_the_service(service: Service, name: str) -> None:
    (response,) = answers(Sent("GET", "/healthz"), given=settings(), service=service)
    assert response.json() == {"status": "ok", "service": name}


def test_a_service_serves_its_own_routes_only() -> None:
    (response,) = answers(Sent("POST", ANALYZE, {}), given=settings(), service="chatops")
    assert problem_of(response)[0] == 404


def test_it_is_ready_with_a_case_to_ask(shop: Path) -> None:
    response = answer(Sent("GET", "/readyz"), settings(shop.parent))
    assert (response.status_code, response.json()["cases"]) == (200, 1)


def test_it_is_not_ready_without_a_setting() -> None:
    response = answer(Sent("GET", "/readyz"), settings())
    assert problem_of(response) == (503, "not_ready", "PROMETHEUS_BASE_URL")


def backends(*names: BackendName) -> tuple[BackendConfig, ...]:
    return tuple(BackendConfig(name, "http://127.0.0.1:9") for name in names)


def test_it_is_ready_with_a_backend_to_ask() -> None:
    response = answer(Sent("GET", "/readyz"), settings(backends=backends("loki", "alertmanager")))
    assert response.json()["backends"] == ["loki", "alertmanager"]


def test_it_is_not_ready_where_alerts_are_all_that_could_be_asked_for() -> None:
    response = answer(Sent("GET", "/readyz"), settings(backends=backends("alertmanager")))
    assert problem_of(response) == (503, "not_ready", "PROMETHEUS_BASE_URL")


def readiness(given: Settings) -> dict[str, Any]:
    """Of an application that has started."""

    async def ask(client: httpx.AsyncClient) -> dict[str, Any]:
        response = await client.get("/readyz")
        return {"status_code": response.status_code, **response.json()}

    return with_service(ask, given, warm=True)


def test_it_says_what_delivering_lacks(shop: Path) -> None:
    ready = readiness(settings(shop.parent))
    assert ready["alerts"] == "stored_only"
    assert ready["alerts_missing"] == "FEISHU_APP_ID and FEISHU_APP_SECRET are not set"


def test_it_is_ready_where_it_does_nothing_but_deliver_alerts() -> None:
    feishu = FeishuConfig("cli_a", "secret", "http://127.0.0.1:9")
    routing = Routing(default=Route("default", "oc_a"))
    ready = readiness(settings(feishu=feishu, routing=routing))
    assert (ready["status_code"], ready["alerts"]) == (200, "delivered")


def test_an_app_without_a_chat_delivers_nothing(shop: Path) -> None:
    feishu = FeishuConfig("cli_a", "secret", "http://127.0.0.1:9")
    ready = readiness(settings(shop.parent, feishu=feishu))
    assert "FEISHU_DEFAULT_CHAT_ID" in ready["alerts_missing"]


def test_where_nothing_works_it_says_what_delivering_lacks_too() -> None:
    ready = readiness(settings())
    assert (ready["status_code"], ready["details"][0]["field"]) == (503, "PROMETHEUS_BASE_URL")
    assert "FEISHU_APP_ID and FEISHU_APP_SECRET are not set" in ready["message"]


def test_an_sdk_that_cannot_be_loaded_is_what_delivering_lacks(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ConfigurationError("Feishu: lark-oapi is installed but cannot be loaded")

    monkeypatch.setattr(SdkThread.__init__, "__defaults__", (broken,))
    feishu = FeishuConfig("cli_a", "secret", "http://127.0.0.1:9", default_chat_id="oc_a")
    routing = Routing(default=Route("default", "oc_a"))

    async def ask(client: httpx.AsyncClient) -> Any:
        async with asyncio.timeout(10):
            while True:
                found = (await client.get("/readyz")).json()
                if found["alerts"] == "stored_only":
                    return found["alerts_missing"]
                await asyncio.sleep(0.05)

    given = settings(shop.parent, feishu=feishu, routing=routing)
    assert "cannot be loaded" in with_service(ask, given, warm=True)


def test_it_is_not_ready_with_an_empty_folder(tmp_path: Path) -> None:
    response = answer(Sent("GET", "/readyz"), settings(tmp_path))
    assert "there is no case.json in it" in response.json()["message"]


def test_it_is_not_ready_with_a_broken_case_alone(shop: Path) -> None:
    (shop / "case.json").write_text("{oops")
    response = answer(Sent("GET", "/readyz"), settings(shop))
    assert "case.json: not JSON" in response.json()["message"]


def test_requests_are_counted_by_route_and_status(shop: Path) -> None:
    asked = [Sent("POST", ANALYZE, {}), Sent("GET", "/no/such/path"), Sent("GET", "/metrics")]
    text = answers(*asked, given=settings(shop))[-1].text
    assert (
        'aegis_http_requests_total{method="POST",route="/api/ops/analyze",status="400"} 1' in text
    )
    assert 'aegis_http_requests_total{method="GET",route="other",status="404"} 1.0' in text
    assert "aegis_analyses_running 0.0" in text
