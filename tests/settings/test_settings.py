"""Every setting is read, and a wrong one is named without giving a secret away."""

from __future__ import annotations

from pathlib import Path

import pytest

from aegis.model.errors import ConfigurationError
from aegis.settings import Token, read_settings


def test_without_settings_only_this_machine_is_served() -> None:
    found = read_settings({})
    assert (found.host, found.port, found.case_dir) == ("127.0.0.1", None, None)
    assert (found.tokens, found.allow_anonymous) == ((), False)
    assert found.signals_file is None
    assert 1 <= found.workers <= 8


def test_settings_are_what_the_environment_says() -> None:
    found = read_settings(
        {
            "AEGIS_CASE_DIR": "/cases",
            "AEGIS_HOST": "::1",
            "AEGIS_PORT": "8080",
            "AEGIS_API_TOKENS": "ann:operator:a:0123456789abcd, bob:viewer:c123456789abcdef,",
            "AEGIS_ALLOW_ANONYMOUS": "True",
            "AEGIS_WORKERS": "3",
            "AEGIS_MOST_WAITING": "0",
            "AEGIS_SIGNALS_FILE": "/etc/aegis/signals.yaml",
        }
    )
    assert found.case_dir == Path("/cases")
    assert (found.host, found.port) == ("::1", 8080)
    assert found.tokens == (
        Token("ann", "operator", "a:0123456789abcd"),
        Token("bob", "viewer", "c123456789abcdef"),
    )
    assert found.allow_anonymous
    assert (found.workers, found.most_waiting) == (3, 0)
    assert found.signals_file == Path("/etc/aegis/signals.yaml")


WRONG = [
    ("AEGIS_PORT", "http"),
    ("AEGIS_PORT", "0"),
    ("AEGIS_PORT", "65536"),
    ("AEGIS_PORT", "-1"),
    ("AEGIS_PORT", "８００２"),
    ("AEGIS_WORKERS", "0"),
    ("AEGIS_WORKERS", "many"),
    ("AEGIS_MOST_WAITING", "9" * 5000),
    ("AEGIS_ALLOW_ANONYMOUS", "perhaps"),
    ("AEGIS_API_TOKENS", "hunter2"),
    ("AEGIS_API_TOKENS", "ann:hunter2"),
    ("AEGIS_API_TOKENS", "ann::hunter2"),
    ("AEGIS_API_TOKENS", "ann:viewer:hunter2hunter2xx,bob:viewer:hunter2hunter2xx"),
    ("AEGIS_API_TOKENS", "ann:viewer:hunter2hunter2xxé"),
    ("AEGIS_API_TOKENS", "ann:viewer:hunter2"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: ") as raised:
        read_settings({name: value})
    assert "hunter2" not in str(raised.value)


def test_how_streams_of_loki_name_a_service_is_passed_on() -> None:
    template = '{{{label_key}="{service}"}}'
    given = {"LOKI_SERVICE_LABEL_KEY": "app", "LOKI_SELECTOR_TEMPLATE": template}
    settings = read_settings(given)
    assert settings.loki_service_label_key == "app"
    assert settings.loki_selector_template == template


def test_how_streams_of_loki_name_a_service_is_found_unless_it_is_said() -> None:
    settings = read_settings({"LOKI_SERVICE_LABEL_KEY": ""})
    assert settings.loki_service_label_key is None
    assert settings.loki_selector_template is None


def test_a_secret_that_is_too_short_is_told_by_its_place() -> None:
    given = "ann:viewer:0123456789abcdef,bob:viewer:hunter2hunter2x"
    with pytest.raises(ConfigurationError) as raised:
        read_settings({"AEGIS_API_TOKENS": given})
    assert str(raised.value).startswith(
        "AEGIS_API_TOKENS: the secret of entry 2 must have at least 16 characters"
    )
    assert "hunter" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h/d",
        "postgresql://u:hunter2@other3@h/d",
        "postgresql://u:hunter2/other3@h/d",
        "postgresql://u:hunter2%40other3@h/d",
        "postgresql://h/d?user=u&password=hunter2",
        "nonsense://u:hunter2?@h",
    ],
)
def test_whatever_may_be_a_password_of_the_database_is_a_secret(url: str) -> None:
    known = read_settings({"AEGIS_DB_URL": url}).secrets
    left = url
    for secret in sorted(known, key=len, reverse=True):
        left = left.replace(secret, "")
    assert "hunter2" not in left
    assert "other3" not in left
