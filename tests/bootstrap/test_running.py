"""A question runs without the garbage collector, and nothing else does."""

from __future__ import annotations

import gc

import pytest

from aegis.bootstrap.running import run_to_end
from aegis.model.errors import SourceRejected


async def is_collecting() -> bool:
    return gc.isenabled()


async def fails() -> None:
    raise SourceRejected("no")


def test_nothing_is_collected_while_a_question_is_answered() -> None:
    assert not run_to_end(is_collecting())
    assert gc.isenabled()


def test_an_error_switches_the_collector_on_again() -> None:
    with pytest.raises(SourceRejected):
        run_to_end(fails())
    assert gc.isenabled()


def test_whoever_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        run_to_end(is_collecting())
        assert not gc.isenabled()
    finally:
        gc.enable()
