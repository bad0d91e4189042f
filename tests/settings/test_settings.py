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
            "AEGIS_API_TOKENS": "ann:operator:a:b, bob:viewer:c,",
            "AEGIS_ALLOW_ANONYMOUS": "True",
            "AEGIS_WORKERS": "3",
            "AEGIS_MOST_WAITING": "0",
            "AEGIS_SIGNALS_FILE": "/etc/aegis/signals.yaml",
        }
    )
    assert found.case_dir == Path("/cases")
    assert (found.host, found.port) == ("::1", 8080)
    assert found.tokens == (Token("ann", "operator", "a:b"), Token("bob", "viewer", "c"))
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
    ("AEGIS_API_TOKENS", "ann:viewer:hunter2,bob:viewer:hunter2"),
    ("AEGIS_API_TOKENS", "ann:viewer:hunter2é"),
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
