"""GET /alerts: the ledger over HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from aegis.settings import Settings, Token
from tests.http.service import Sent, answers, problem_of, settings
from tests.http.test_webhook import ROUTING, posted
from tests.webhook.bodies import alert, body, resolved


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    return settings(db_url=f"sqlite:///{tmp_path / 'aegis.db'}", routing=ROUTING)


CALLS = (
    posted(body(alert("A"), alert("B", labels={"severity": "info"}))),
    posted(body(resolved("A"))),
    posted(body(alert("C"), groupKey='{}:{a="b&c 火"}')),
)


def asked(given: Settings, *paths: str) -> list[httpx.Response]:
    sent = [Sent("GET", path) for path in paths]
    return answers(*CALLS, *sent, given=given, warm=True)[len(CALLS) :]


def names(response: httpx.Response) -> list[str]:
    assert response.status_code == 200
    return sorted(one["alertname"] for one in response.json()["alerts"])


def test_every_alert_is_there_with_all_that_is_known(given: Settings) -> None:
    (response,) = asked(given, "/alerts?alertname=A")
    (found,) = response.json()["alerts"]
    assert response.json()["next"] is None
    assert found["state"] == "resolved"
    assert found["labels"] == {"alertname": "A", "severity": "critical"}
    assert found["starts_at"] == "2026-11-21T12:00:00+00:00"
    assert found["resolved_at"] == "2026-11-21T12:10:00+00:00"
    told = [(one["chat_id"], one["transition"], one["state"]) for one in found["deliveries"]]
    assert told == [("oc_ops", "opened", "waiting"), ("oc_ops", "closed", "waiting")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["A", "B", "C"]),
        ("?state=open", ["B", "C"]),
        ("?state=resolved", ["A"]),
        ("?severity=info", ["B"]),
        ("?group=%7B%7D%3A%7Ba%3D%22b%26c%20%E7%81%AB%22%7D", ["C"]),
        ("?group=x&group=%7B%7D%3A%7Ba%3D%22b%26c%20%E7%81%AB%22%7D", ["C"]),
        ("?chat=oc_ops&state=open", ["B", "C"]),
        ("?chat=oc_other", []),
        ("?fingerprint=0000000000000000", []),
    ],
)
def test_the_ledger_can_be_narrowed(given: Settings, query: str, expected: list[str]) -> None:
    (response,) = asked(given, f"/alerts{query}")
    assert names(response) == expected


def test_pages_follow_each_other(given: Settings) -> None:
    (first,) = asked(given, "/alerts?limit=2")
    path = f"/alerts?limit=2&cursor={first.json()['next']}"
    second = answers(Sent("GET", path), given=given, warm=True)[0]
    assert sorted(names(first) + names(second)) == ["A", "B", "C"]
    assert second.json()["next"] is None


BAD: list[tuple[str, str]] = [
    ("state=closed", "query.state"),
    ("limit=0", "query.limit"),
    ("limit=1001", "query.limit"),
    ("limit=x", "query.limit"),
    ("cursor=nonsense", "cursor"),
    ("fingerprint=xyz", "query.fingerprint"),
    ("sate=open", "query.sate"),
    ("alertname=A&alertname=B", "alertname"),
]


@pytest.mark.parametrize(("query", "field"), BAD)
def test_a_query_that_is_wrong_names_the_field(given: Settings, query: str, field: str) -> None:
    (response,) = asked(given, f"/alerts?{query}")
    status, code, named = problem_of(response)
    assert (status, code) == (400, "invalid_request")
    assert named.removeprefix("query.") == field.removeprefix("query.")


def test_a_token_is_asked_for_where_tokens_are_set(given: Settings) -> None:
    locked: Any = replace(given, tokens=(Token("ann", "viewer", "s3cret"),))
    (response,) = answers(Sent("GET", "/alerts"), given=locked, warm=True)
    assert problem_of(response)[0] == 401


def test_other_services_have_no_ledger(given: Settings) -> None:
    (response,) = answers(Sent("GET", "/alerts"), given=given, service="chatops", warm=True)
    assert response.status_code == 404
