"""Who may ask."""

from __future__ import annotations

import pytest

from aegis.entrypoints.http.access import check_bind
from aegis.model.errors import ConfigurationError
from aegis.settings import Token
from tests.http.service import ANALYZE, Sent, answer, answers, problem_of, settings

TOKENS = (Token("ann", "operator", "s3cret:with:colons"), Token("bob", "viewer", "other"))
ASKED = {"description": "why?"}


def with_header(value: str) -> Sent:
    return Sent("POST", ANALYZE, ASKED, headers={"Authorization": value})


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Bearer s3cret", "Basic other", "other", "Bearer ann"]
)
def test_without_a_known_token_nothing_is_answered(header: str) -> None:
    response = answer(with_header(header), settings(tokens=TOKENS))
    assert problem_of(response) == (401, "unauthorized", "")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("secret", ["s3cret:with:colons", "other"])
def test_every_known_token_lets_its_holder_ask(secret: str) -> None:
    response = answer(with_header(f"Bearer {secret}"), settings(tokens=TOKENS))
    assert problem_of(response) == (
        503,
        "not_ready",
        "PROMETHEUS_BASE_URL",
    )  # asked, nothing to ask


def test_a_probe_needs_no_token() -> None:
    probes = [Sent("GET", path) for path in ("/healthz", "/readyz", "/metrics")]
    statuses = [one.status_code for one in answers(*probes, given=settings(tokens=TOKENS))]
    assert statuses == [200, 503, 200]


def test_an_unknown_path_is_not_told_to_strangers() -> None:
    assert answer(Sent("GET", "/nowhere"), settings(tokens=TOKENS)).status_code == 401


def test_without_tokens_only_this_machine_is_answered() -> None:
    """`uvicorn --host 0.0.0.0` does not ask us whether it may start."""
    outside = "http://192.0.2.7:8002"
    asked, probe = Sent("POST", ANALYZE, ASKED), Sent("GET", "/healthz")
    refused, alive = answers(asked, probe, given=settings(), base_url=outside)
    assert problem_of(refused) == (403, "forbidden", "")
    assert "AEGIS_API_TOKENS" in refused.json()["message"]
    assert alive.status_code == 200


def test_anybody_is_answered_where_that_is_wanted() -> None:
    asked = Sent("POST", ANALYZE, ASKED)
    given = settings(allow_anonymous=True)
    assert answers(asked, given=given, base_url="http://192.0.2.7")[0].status_code == 503


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "aegis.example"])  # noqa: S104
def test_it_does_not_start_open_to_a_network_by_accident(host: str) -> None:
    with pytest.raises(ConfigurationError, match="AEGIS_API_TOKENS"):
        check_bind(host, settings())
    check_bind(host, settings(tokens=TOKENS))
    check_bind(host, settings(allow_anonymous=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_it_starts_for_this_machine_without_tokens(host: str) -> None:
    check_bind(host, settings())


def test_a_token_does_not_show_its_secret() -> None:
    assert "s3cret" not in repr(settings(tokens=TOKENS))
