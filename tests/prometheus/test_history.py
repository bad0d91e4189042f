"""A few series at another time, in one request, where there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from aegis.adapters.http_client.budget import Budget
from aegis.adapters.prometheus.history import LONGEST_TEXT, PrometheusHistory
from aegis.model.errors import SourceRejected
from aegis.model.telemetry import TimeWindow
from tests.adapters.stand_in import Seen
from tests.prometheus.speaking import Metric, Speaking, asked_for, backend, client_of, error
from tests.recordings import at, between

pytestmark = pytest.mark.loopback

WINDOW = between(30, 40)


def rows(promql: str) -> Sequence[tuple[Metric, float]]:
    known: dict[str, Sequence[tuple[Metric, float]]] = {
        "a": [({"x": "1"}, 2.0), ({"x": "2"}, 4.0)],
        "b": [({}, 7.0)],
    }
    return known.get(promql, [])


def typical(
    queries: Sequence[str], budget: Budget | None = None, window: TimeWindow = WINDOW
) -> tuple[tuple[float | None, ...], list[Seen]]:
    with backend(Speaking([], rows)) as server:

        async def asked() -> tuple[float | None, ...]:
            async with client_of(server.url, budget=budget) as client:
                return await PrometheusHistory(client).typical(queries, window)

        return asyncio.run(asked()), server.seen


def test_each_query_has_its_median_and_none_where_nothing_was() -> None:
    found, seen = typical(["b", "gone", "a"])
    assert found == (7.0, None, 3.0)
    assert [one.path.rpartition("/")[2] for one in seen] == ["query_range"]


def test_the_points_are_few() -> None:
    _, seen = typical(["a"], window=TimeWindow(at(0), at(6 * 60)))
    (one,) = seen
    span = float(asked_for(one, "end")) - float(asked_for(one, "start"))
    assert span / float(asked_for(one, "step")) <= 20


def test_nothing_is_asked_of_an_empty_list_or_an_empty_budget() -> None:
    assert typical([]) == ((), [])
    spent = Budget(most_requests=10, requests=8)
    assert typical(["a"], spent) == ((None,), [])
    assert typical(["a"], Budget(most_requests=10, requests=7))[0] == (3.0,)


def test_what_does_not_fit_into_one_request_is_left_out() -> None:
    found, _ = typical(["x" * LONGEST_TEXT, "a"])
    assert found == (None, 3.0)


def test_a_refusal_is_raised() -> None:
    async def asked(url: str) -> None:
        async with client_of(url) as client:
            await PrometheusHistory(client).typical(["a"], WINDOW)

    with backend(lambda _: error(422, "execution", "no")) as server:
        asking = asked(server.url)
        with pytest.raises(SourceRejected):
            asyncio.run(asking)
