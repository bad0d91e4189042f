"""From scores to probabilities: a softmax in which "none of these" has a weight of its own."""

from __future__ import annotations

from math import expm1, fsum

import pytest

from aegis.engine.calibration import probabilities

NONE_WEIGHT = 54.598150
"""e^4: the weight of "none of these"."""


def test_without_services_none_of_them_is_the_cause() -> None:
    assert probabilities({}) == ({}, 1.0)


def test_services_without_a_score_weigh_nothing_however_many_there_are() -> None:
    chances, none = probabilities({f"s{number}": 0.0 for number in range(500)})

    assert set(chances.values()) == {0.0}
    assert none == 1.0


def test_a_score_of_one_temperature_weighs_e_less_one() -> None:
    # 0.336 / 0.336 = 1, e^1 - 1 = 1.718282
    chances, none = probabilities({"cart": 0.336})

    assert chances["cart"] == pytest.approx(1.718282 / (1.718282 + NONE_WEIGHT), abs=1e-7)
    assert none == pytest.approx(NONE_WEIGHT / (1.718282 + NONE_WEIGHT), abs=1e-7)


def test_a_score_of_four_temperatures_is_nearly_as_likely_as_none() -> None:
    # 1.344 / 0.336 = 4, e^4 - 1 = 53.598150
    chances, none = probabilities({"cart": 1.344})

    assert chances["cart"] == pytest.approx(53.598150 / (53.598150 + NONE_WEIGHT), abs=1e-7)
    assert chances["cart"] < none


def test_probabilities_sum_to_one_and_keep_the_order_of_the_scores() -> None:
    chances, none = probabilities({"cart": 2.0, "db": 3.0, "shop": 0.5})

    assert fsum([*chances.values(), none]) == pytest.approx(1.0, abs=1e-12)
    assert chances["db"] > chances["cart"] > chances["shop"] > 0.0


def test_a_negative_score_weighs_nothing() -> None:
    chances, none = probabilities({"cart": -5.0})

    assert chances["cart"] == 0.0
    assert none == 1.0


def test_weights_stop_growing_at_a_logit_of_sixty() -> None:
    # 20.16 / 0.336 = 60 exactly; a score of a million is no stronger
    chances, _ = probabilities({"cart": 1e6, "db": 20.16})

    assert chances["cart"] == pytest.approx(0.5, abs=1e-9)
    assert chances["db"] == pytest.approx(0.5, abs=1e-9)


def test_weights_still_grow_just_below_a_logit_of_sixty() -> None:
    # 60 against 59: e times as likely
    chances, _ = probabilities({"cart": 1e6, "db": 19.824})

    assert chances["cart"] / chances["db"] == pytest.approx(expm1(1.0) + 1.0, rel=1e-9)
