"""Real servers a suite may run on, where somebody names them."""

from __future__ import annotations

import os

import pytest

LOGS = "AEGIS_LIVE_LOKI_URL"
TRACES_OUT = "AEGIS_LIVE_JAEGER_URL"
TRACES_IN = "AEGIS_LIVE_JAEGER_OTLP_URL"


def url_if_named(name: str) -> str | None:
    return os.environ.get(name) or None


def live_url(name: str) -> str:
    """The address in the variable; without it the test is skipped, and says why."""
    url = os.environ.get(name)
    if not url:
        pytest.skip(f"{name} is not set: no real server to run on")
    return url
