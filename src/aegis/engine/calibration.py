"""From scores to probabilities, with "none of these" as an outcome of its own."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, expm1, fsum

TEMPERATURE = 0.336
NONE_LOGIT = 4.0
LARGEST_LOGIT = 60.0


def probabilities(scores: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """Probability of each service, and that none of them is the cause; they sum to 1.

    A softmax over score / TEMPERATURE with a constant logit for "none". Each weight is
    exp(logit) - 1, so services without any evidence weigh nothing however many there are.
    """
    logits = {name: min(score / TEMPERATURE, LARGEST_LOGIT) for name, score in scores.items()}
    weights = {name: expm1(max(logit, 0.0)) for name, logit in logits.items()}
    none = exp(NONE_LOGIT)
    whole = fsum([*weights.values(), none])
    return {name: weight / whole for name, weight in weights.items()}, none / whole
