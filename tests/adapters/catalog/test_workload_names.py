"""A pod's name less what its controller appended."""

from __future__ import annotations

import re

import pytest

from aegis.adapters.prometheus.expressions import POD_OF_WORKLOAD


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("cart-7d4b9c6f5d-x2k4z", "cart"),
        ("cart-api-v2-7d4b9c6f5d-x2k4z", "cart-api-v2"),
        ("cart-5c8df7-x2k4z", "cart"),
        ("db-0", "db"),
        ("orders-db-12", "orders-db"),
        ("agent-x2k4z", "agent"),
        ("report-29012345-x2k4z", "report"),
        ("cart", "cart"),
        ("web-stack", "web-stack"),  # letters that no random suffix holds
        ("redis-proxy", "redis-proxy"),
        ("kube-proxy-cart-service", "kube-proxy-cart-service"),
    ],
)
def test_is_its_workload(pod: str, workload: str) -> None:
    found = re.fullmatch(POD_OF_WORKLOAD, pod)
    assert found is not None
    assert found[1] == workload
