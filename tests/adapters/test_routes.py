"""What may be asked of a backend is a list, and no name leads out of it."""

from __future__ import annotations

import pytest

from aegis.adapters.http_client.routes import ALLOWED, Route, is_safe_segment
from aegis.model.backend import BACKENDS
from aegis.model.errors import InvalidRequest

OPERATIONS = Route("GET", "/api/services/{service}/operations")
WRITES = ("push", "delete", "admin", "otlp", "write", "reload", "quit", "config", "archive", "tail")


def test_every_backend_has_a_list_and_nothing_on_it_writes() -> None:
    assert set(ALLOWED) == set(BACKENDS)
    for name, routes in ALLOWED.items():
        assert not [one for one in routes if any(word in one.template for word in WRITES)]
        if name != "prometheus":
            assert {one.method for one in routes} == {"GET"}


def test_a_name_is_one_quoted_segment() -> None:
    filled = OPERATIONS.path({"service": "支付 a/b?c#d%e{f}"})
    segment = "%E6%94%AF%E4%BB%98%20a%2Fb%3Fc%23d%25e%7Bf%7D"
    assert filled == f"/api/services/{segment}/operations"


HOSTILE = ["", ".", "..", "a/../b", "..\\x", "a//b", "/", "a\nb", "a\x00", "\u202eabc", "a\u200bb"]
HOSTILE += [" ", "\ud800", "x" * 257, "a\x85b"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    assert not is_safe_segment(name)
    with pytest.raises(InvalidRequest, match=r"^service: "):
        OPERATIONS.path({"service": name})
