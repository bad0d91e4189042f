"""Over TLS a backend proves who it is, and Aegis too where it is asked to."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.http_client.routes import Route
from aegis.model.backend import BackendConfig
from aegis.model.errors import ConfigurationError, SourceError, SourceRejected
from tests.adapters.stand_in import Reply, standing_in

pytestmark = pytest.mark.loopback

ALERTS = Route("GET", "/api/v2/alerts")


@dataclass(frozen=True)
class Identity:
    """A certificate that signs itself, and its key."""

    certificate: Path
    key: Path


def identity(folder: Path, name: str) -> Identity:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificates to test with")
    made = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(made.key), "-out", str(made.certificate)]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(  # noqa: S603 (found on the path, arguments are ours)
        [openssl, "req", *kind, *subject, *files], check=True, capture_output=True, timeout=30
    )
    return made


def server_tls(server: Identity, client: Identity | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    if client is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client.certificate)
    return context


def ask(config: BackendConfig) -> object:
    async def once() -> object:
        async with BackendClient(config, Budget()) as client:
            return (await client.ask(ALERTS)).json()

    return asyncio.run(once())


def answering() -> Reply:
    return Reply(body=b"[1]")


def test_a_certificate_nobody_vouches_for_is_refused_until_its_authority_is_named(
    tmp_path: Path,
) -> None:
    server = identity(tmp_path, "server")
    with standing_in(lambda _: answering(), server_tls(server)) as stand_in:
        config = BackendConfig("alertmanager", stand_in.url)
        with pytest.raises(SourceRejected, match=r"not trusted.*set AEGIS_ALERTMANAGER_CA_FILE"):
            ask(config)
        assert stand_in.seen == []
        assert ask(replace(config, ca_file=server.certificate)) == [1]


def test_a_client_certificate_opens_what_asks_for_one(tmp_path: Path) -> None:
    server, client = identity(tmp_path, "server"), identity(tmp_path, "client")
    with standing_in(lambda _: answering(), server_tls(server, client)) as stand_in:
        config = BackendConfig("alertmanager", stand_in.url, ca_file=server.certificate)
        with pytest.raises(SourceError, match="does it want AEGIS_ALERTMANAGER_CLIENT_CERT_FILE"):
            ask(config)
        assert stand_in.seen == []
        shown = replace(config, client_cert_file=client.certificate, client_key_file=client.key)
        assert ask(shown) == [1]


def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    config = BackendConfig("alertmanager", "https://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"^AEGIS_ALERTMANAGER_CA_FILE: "):
        ask(replace(config, ca_file=empty))
    with pytest.raises(ConfigurationError, match=r"^AEGIS_ALERTMANAGER_CLIENT_CERT_FILE: "):
        ask(replace(config, client_cert_file=empty))


def test_https_where_only_http_is_spoken_is_told() -> None:
    with standing_in(lambda _: answering()) as stand_in:
        config = BackendConfig("alertmanager", stand_in.url.replace("http:", "https:"))
        with pytest.raises(SourceRejected, match="https:// in ALERTMANAGER_BASE_URL"):
            ask(config)
