"""What every clock promises."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from aegis.adapters.cases.recorded import RecordedCase
from aegis.ports import Clock
from tests.fakes import FakeClock
from tests.recordings import SmallShop, at


@pytest.fixture(params=["standing still", "case folder"])
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> Clock:
    if request.param == "case folder":
        return RecordedCase.open(SmallShop().recording().write(tmp_path))
    return FakeClock(at(40))


def test_the_time_is_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_a_case_s_clock_stands_just_after_its_last_row(tmp_path: Path) -> None:
    case = RecordedCase.open(SmallShop().recording().write(tmp_path))
    last_span = at(39.9) + timedelta(milliseconds=10)
    assert case.now() == last_span + timedelta(microseconds=1)
