"""Alerts of a real Alertmanager reach the chat once, whatever is killed or down meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.live_alertmanager.storm import Storm, Verdict, run


def passes(storm: Storm, verdict: Verdict) -> None:
    sys.stdout.write(f"{storm}\n{verdict}\n")  # the seed and the moments of the kills
    assert verdict.lost == []
    assert verdict.twice == []
    assert verdict.unknown_on_platform == []
    assert verdict.not_on_platform == []
    assert verdict.stale_cards == []
    assert verdict.refused == []
    assert verdict.most_in_a_second <= 4
    assert len(verdict.killed_at) == storm.kills
    assert verdict.sent > 0
    assert verdict.updates > 0


@pytest.mark.slow
@pytest.mark.parametrize("peers", [1, 2])
def test_every_episode_is_told_once_through_kills_and_an_outage(tmp_path: Path, peers: int) -> None:
    storm = Storm(alerts=3000, kills=10, seed=20261125 + peers, peers=peers)
    passes(storm, run(storm, tmp_path, f"sqlite:///{tmp_path}/aegis.db"))
