"""What a whole question costs: a real Prometheus, stand-ins for the others, two sizes of shop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live_prometheus.cost import measure

MOST_REQUESTS = 35
"""Of the 40 a question may send: so many lines and traces that both are sampled, and history."""


@pytest.mark.slow
@pytest.mark.parametrize("services", [8, 200])
def test_a_question_leaves_room_whatever_the_number_of_services(
    services: int, tmp_path: Path
) -> None:
    costs = dict(measure(services, tmp_path))
    whole, without = costs["all answer"], costs["no Alertmanager"]
    assert whole.analysis.diagnosis.causes[0].service == "svc002"
    assert whole.budget.requests <= MOST_REQUESTS, whole.by_backend
    assert whole.by_backend["prometheus"] == 12
    assert whole.by_backend["alertmanager"] == 1
    assert without.by_backend["alertmanager"] == 2
