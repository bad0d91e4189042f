"""How a backend is reached is read from the environment, and a mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from aegis.model.backend import BackendConfig
from aegis.model.errors import ConfigurationError
from aegis.settings import read_settings

LOKI = {"LOKI_BASE_URL": "http://loki:3100"}


def test_a_backend_is_there_where_its_address_is() -> None:
    found = read_settings(
        {"JAEGER_BASE_URL": "https://host/jaeger/ui/", "PROMETHEUS_BASE_URL": "http://[::1]:9090"}
    )
    assert found.backends == (
        BackendConfig("prometheus", "http://[::1]:9090"),
        BackendConfig("jaeger", "https://host/jaeger/ui"),
    )
    assert read_settings({}).backends == ()


def test_everything_about_a_backend_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pem"
    file.write_text("")
    (found,) = read_settings(
        {
            **LOKI,
            "LOKI_TENANT_ID": "shop-1",
            "AEGIS_LOKI_USERNAME": "ann",
            "AEGIS_LOKI_PASSWORD": "p",
            "AEGIS_LOKI_CA_FILE": str(file),
            "AEGIS_LOKI_CLIENT_CERT_FILE": str(file),
            "AEGIS_LOKI_CLIENT_KEY_FILE": str(file),
            "AEGIS_LOKI_TIMEOUT_S": "2.5",
        }
    ).backends
    assert found == BackendConfig(
        "loki", LOKI["LOKI_BASE_URL"], "ann", "p", None, None, file, file, file, "shop-1", 2.5
    )


def test_a_token_is_given_or_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t")
    (given,) = read_settings({**LOKI, "AEGIS_LOKI_BEARER_TOKEN": "t"}).backends
    (read,) = read_settings({**LOKI, "AEGIS_LOKI_BEARER_TOKEN_FILE": str(file)}).backends
    assert (given.bearer_token, read.bearer_token_file) == ("t", file)


WRONG = [
    ("LOKI_BASE_URL", "loki:3100", {}),
    ("LOKI_BASE_URL", "ftp://loki", {}),
    ("LOKI_BASE_URL", "http://loki:port", {}),
    ("LOKI_BASE_URL", "http://ann:hunter2@loki", {}),
    ("LOKI_BASE_URL", "http://loki/?token=hunter2", {}),
    ("LOKI_BASE_URL", "http://loki/a/../b", {}),
    ("LOKI_BASE_URL", "http://lo ki", {}),
    ("LOKI_BASE_URL", "", {"AEGIS_LOKI_USERNAME": "ann"}),
    ("LOKI_TENANT_ID", "a|b", LOKI),
    ("LOKI_TENANT_ID", "a\nb", LOKI),
    ("LOKI_TENANT_ID", "..", LOKI),
    ("AEGIS_LOKI_TIMEOUT_S", "0", LOKI),
    ("AEGIS_LOKI_TIMEOUT_S", "61", LOKI),
    ("AEGIS_LOKI_TIMEOUT_S", "soon", LOKI),
    ("AEGIS_LOKI_CA_FILE", "/no/such/file", LOKI),
    ("AEGIS_LOKI_BEARER_TOKEN", "hunter2\nX: y", LOKI),
    ("AEGIS_LOKI_BEARER_TOKEN", "hunter2", {**LOKI, "AEGIS_LOKI_USERNAME": "ann"}),
]


@pytest.mark.parametrize(("name", "value", "others"), WRONG)
def test_a_mistake_is_named_and_no_secret_is_told(
    name: str, value: str, others: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}: ") as raised:
        read_settings({**others, name: value})
    assert "hunter2" not in str(raised.value)


def test_a_password_needs_a_user_and_a_key_its_certificate(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^AEGIS_LOKI_USERNAME: missing"):
        read_settings({**LOKI, "AEGIS_LOKI_PASSWORD": "hunter2"})
    key = tmp_path / "key"
    key.write_text("")
    with pytest.raises(ConfigurationError, match=r"^AEGIS_LOKI_CLIENT_CERT_FILE: missing"):
        read_settings({**LOKI, "AEGIS_LOKI_CLIENT_KEY_FILE": str(key)})
