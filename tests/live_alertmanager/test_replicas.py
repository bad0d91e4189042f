"""Two replicas on PostgreSQL tell a chat what one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live_alertmanager.storm import Storm, run
from tests.live_alertmanager.test_storm import passes


@pytest.mark.slow
def test_two_replicas_that_both_get_every_call_send_one_card_and_not_two(
    tmp_path: Path, db_url: str
) -> None:
    storm = Storm(alerts=600, kills=4, seed=2, peers=2, replicas=2, outage_s=15)
    passes(storm, run(storm, tmp_path, db_url))
