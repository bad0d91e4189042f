"""Every log line is one JSON object, and no secret is in any of them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from aegis.observability.logs import HIDDEN, configure_logs
from aegis.settings import read_settings

SECRET = "s3cr3t-of-the-house"  # noqa: S105


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logs([SECRET, 'with "quotes" in it'], written)
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_have_a_static_event_name_and_fields(stream: io.StringIO) -> None:
    structlog.get_logger("aegis.test").info("http_request", route="/healthz", status=200)
    [line] = lines(stream)
    assert (line["event"], line["route"], line["status"]) == ("http_request", "/healthz", 200)
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_a_library_s_line_is_json_too_and_names_its_logger(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request from %s", "somewhere")
    [line] = lines(stream)
    assert line["event"] == "Invalid HTTP request from somewhere"
    assert line["logger"] == "uvicorn.error"


def test_a_traceback_stays_inside_its_line(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed")
    [line] = lines(stream)
    assert "ValueError: refused" in str(line["exception"])
    assert SECRET not in stream.getvalue()


def test_lines_that_tell_of_every_call_of_a_library_are_left_out(stream: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://…")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "told",
    [
        f"connecting with {SECRET}",
        'with "quotes" in it',
        "wss://host/ws?device_id=1&access_key=abc123def&ticket=0a1b2c3d",
        "postgresql+psycopg://aegis:hunter22@db/aegis",
        "postgresql+psycopg://aegis:x@hunter22@db/aegis",
        "Authorization: Bearer abcdef0123456789",
        "{'app_secret=verylong'}",
    ],
)
def test_no_secret_leaves_whoever_writes_it(stream: io.StringIO, told: str) -> None:
    logging.getLogger("some.library").error(told)
    structlog.get_logger("aegis.test").error("failed", detail=told)
    assert len(lines(stream)) == 2
    for part in (
        SECRET,
        '"quotes"',
        '\\"quotes\\"',
        "abc123def",
        "0a1b2c3d",
        "hunter22",
        "abcdef01",
    ):
        assert part not in stream.getvalue()
    assert stream.getvalue().count(HIDDEN) >= 2
    assert "verylong" not in stream.getvalue()


def test_what_is_no_secret_stays(stream: io.StringIO) -> None:
    told = "https://host/path?device_id=1&service=cart the bearer of news http://host:8002/x"
    logging.getLogger("some.library").error(told)
    assert lines(stream)[0]["event"] == told


def test_the_settings_know_their_secrets() -> None:
    settings = read_settings(
        {
            "AEGIS_API_TOKENS": "ci:reader:tok-1-0123456789ab",
            "PROMETHEUS_BASE_URL": "http://prometheus:9090",
            "AEGIS_PROMETHEUS_USERNAME": "reader",
            "AEGIS_PROMETHEUS_PASSWORD": "pass-2",
            "LOKI_BASE_URL": "http://loki:3100",
            "AEGIS_LOKI_BEARER_TOKEN": "bear-3",
        }
    )
    assert set(settings.secrets) == {"tok-1-0123456789ab", "pass-2", "bear-3"}
