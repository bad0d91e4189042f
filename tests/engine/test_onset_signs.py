"""Signs of trouble: how far each stream is from its usual, in units of its own noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from aegis.engine.onset_signs import Grid, Sampled, Sign
from aegis.model.telemetry import Floats, Series
from tests.engine.burning import minutes
from tests.engine.signs import CALM_MIN, GRID, signs
from tests.engine.telemetry import at_ns, series


def steady(service: str, name: str, calm: float, then: float | None = None) -> Series:
    """One sample a minute: `calm` for forty minutes, then twenty of another value."""
    later = calm if then is None else then
    return series(service, name, [calm] * CALM_MIN + [later] * (60 - CALM_MIN))


def others(count: int = 3) -> list[Series]:
    """Services whose traffic stays as it is, so that everybody's load does."""
    return [steady(f"other-{place}", "requests_per_second", 100.0) for place in range(count)]


def z_of(*metrics: Series, service: str = "shop") -> float:
    """z in the last minutes of the one sign that a service has beside that of its traffic."""
    (found,) = [one for one in signs(*metrics) if one.service == service]
    assert isinstance(found, Sampled)
    assert found.z[0] == 0.0
    return float(found.z[-1])


def per_minute(found: Sign) -> Floats:
    return found.by_minute(GRID)


# --- Noise that is always allowed ---------------------------------------------------------------


def test_seven_percent_of_a_latency_that_never_varies_are_its_noise() -> None:
    assert z_of(steady("shop", "request_latency_p90_seconds", 0.2, 0.34)) == pytest.approx(10)
    assert z_of(steady("shop", "request_latency_p90_seconds", 0.2, 0.06)) == pytest.approx(-10)


def test_a_latency_of_nothing_at_all_says_nothing() -> None:
    assert z_of(steady("shop", "request_latency_p90_seconds", 0.0)) == 0.0


@pytest.mark.parametrize(
    ("calm", "noise"),
    [
        ([0.4, 0.4, 1.0, 1.0, 1.0], 0.6 / 1.349),  # told by the quartiles
        ([0.8, 1.0, 1.0, 1.0, 1.2, 0.7, 0.8, 1.2], 1.4826 * 0.2),  # by distances from the median
        ([0.95, 1.0, 1.0, 1.05], 0.07),  # less than is always allowed
    ],
)
def test_noise_of_its_own_makes_a_latency_say_less(calm: list[float], noise: float) -> None:
    usual = calm * (CALM_MIN // len(calm))
    (found,) = signs(series("shop", "request_latency_p90_seconds", [*usual, *[2.0] * 20]))
    assert isinstance(found, Sampled)
    assert found.z[-1] == pytest.approx(1.0 / noise, rel=0.01)


@pytest.mark.parametrize(
    ("name", "calm", "then", "z"),
    [
        ("request_error_ratio", 0.0, 0.05, 10),  # half a percent of the requests
        ("request_error_percent", 0.0, 5.0, 10),
        ("request_error_ratio", 0.2, 0.3, 5),  # a tenth of what is usual, once that is more
    ],
)
def test_half_a_percent_of_errors_is_noise(name: str, calm: float, then: float, z: float) -> None:
    assert z_of(steady("shop", name, calm, then)) == pytest.approx(z)


def test_errors_that_are_counted_are_held_against_the_requests_of_their_service() -> None:
    """A thousand requests: five errors are noise. Calls to a peer are no requests."""
    metrics = [
        series("shop", "errors_per_second", [0.0] * CALM_MIN + [1.0] * 10 + [50.0] * 10),
        steady("shop", "requests_per_second", 1000.0),
        steady("shop", "readyz_requests_per_second", 10.0),
        series("shop", "client_requests_per_second", [9000.0] * 60, labels=(("peer", "store"),)),
        *others(),
    ]
    found = [one for one in signs(*metrics) if one.service == "shop"]
    errors = found[0]
    assert isinstance(errors, Sampled)
    assert errors.z[-1] == pytest.approx(10)


def test_without_requests_half_of_the_fewest_errors_is_noise() -> None:
    few = series("shop", "errors_per_second", [0.0] * CALM_MIN + [0.002] * 10 + [0.008] * 10)
    assert z_of(few) == pytest.approx(8)


@pytest.mark.parametrize("name", ["queue_length", "container_restarts"])
def test_a_quarter_of_the_least_that_ever_waited_is_noise(name: str) -> None:
    rarely = series("shop", name, [0.0] * CALM_MIN + [4.0] * 10 + [20.0] * 10)
    assert z_of(rarely) == pytest.approx(20)
    assert z_of(steady("shop", name, 40.0, 80.0)) == pytest.approx(4)  # a quarter of 40: 10
    once = series("shop", name, [*[0.0] * 59, 20.0])
    assert z_of(once) == pytest.approx(4)  # a quarter of the only one: 5
    once_low = series("shop", name, [*[40.0] * 39, 2.0, *[80.0] * 20])
    assert z_of(once_low) == pytest.approx(10)  # a tenth of what is usual: 4


# --- Against the load of everybody --------------------------------------------------------------


def traffic_of(shop: Sequence[float], *more: Series) -> Sampled:
    """The sign of the traffic of the shop, beside three steady services."""
    found = signs(series("shop", "requests_per_second", shop), *others(), *more)
    mine = [one for one in found if one.service == "shop"]
    assert isinstance(mine[0], Sampled)
    return mine[0]


def test_traffic_that_is_lost_is_worse_and_traffic_that_is_won_is_not() -> None:
    """Five percent of a rate are noise."""
    halved = traffic_of([100.5] * CALM_MIN + [50.25] * 20)
    assert halved.z[-1] == pytest.approx(10)
    assert traffic_of([100.5] * CALM_MIN + [150.75] * 20).z[-1] == pytest.approx(-10)


def test_of_few_whole_requests_more_is_noise() -> None:
    """Fifteen a minute: one and a half roots of sixteen, so 37.5 %."""
    few = traffic_of([15.0] * CALM_MIN + [0.0] * 20)
    assert few.z[-1] == pytest.approx(1 / 0.375)


@pytest.mark.parametrize("rate", [100.0, 0.5])
def test_a_load_that_everybody_carries_is_nobodys_trouble(rate: float) -> None:
    everybody = [
        steady(name, "requests_per_second", rate, rate / 2) for name in ("shop", "store", "bank")
    ]
    cpu = steady("shop", "cpu_usage", 40.0, 20.0)
    for found in signs(*everybody, cpu):
        assert isinstance(found, Sampled)
        assert np.abs(found.z).max() == pytest.approx(0.0, abs=1e-9)


def test_everybodys_load_is_the_median_so_that_one_that_loses_its_traffic_is_seen() -> None:
    found = signs(steady("shop", "requests_per_second", 100.5, 50.25), *others(2))
    worst = {one.service: float(np.nanmax(per_minute(one))) for one in found}
    assert worst == {"shop": pytest.approx(10), "other-0": 0.0, "other-1": 0.0}


def test_calls_to_a_peer_are_no_load_of_everybody() -> None:
    calls = [
        series(
            f"caller-{place}", "client_requests_per_second", [100.0] * CALM_MIN + [20.0] * 20,
            labels=(("peer", "store"),),
        )
        for place in range(9)
    ]  # fmt: skip
    kept = traffic_of([100.5] * 60, *calls)
    assert kept.z[-1] == pytest.approx(0.0)


def test_a_service_that_reports_no_traffic_for_a_while_is_taken_to_have_its_usual() -> None:
    """Two of three fall silent while the third stays; its load says nothing of theirs."""
    silent = [series(name, "requests_per_second", [100.0] * CALM_MIN) for name in ("store", "bank")]
    mine = series("shop", "requests_per_second", [100.5] * CALM_MIN + [50.25] * 20)
    (found,) = [one for one in signs(mine, *silent) if one.service == "shop"]
    assert isinstance(found, Sampled)
    assert found.z[-1] == pytest.approx(10)


def test_where_all_traffic_stops_what_it_drives_is_not_blown_up_without_end() -> None:
    """The load counts as a hundredth of the usual at least."""
    stopped = [
        steady(name, "requests_per_second", 100.0, 0.0) for name in ("shop", "store", "bank")
    ]
    busy = [
        one for one in signs(*stopped, steady("node", "cpu_usage", 40.0)) if one.service == "node"
    ]
    assert isinstance(busy[0], Sampled)
    assert busy[0].z[-1] == pytest.approx(0.5 * 99 / 0.1)


@pytest.mark.parametrize("name", ["cpu_usage", "disk_io", "network_receive_bytes"])
def test_what_load_drives_says_half_of_what_it_shows(name: str) -> None:
    assert z_of(steady("shop", name, 40.0, 80.0)) == pytest.approx(5)
    assert z_of(steady("shop", name, 0.4, 0.8)) == pytest.approx(5)


@pytest.mark.parametrize(
    "mute",
    [
        steady("shop", "memory_usage_bytes", 40.0, 80.0),  # grows for hours before it hurts
        steady("shop", "cpu_usage", 0.0, 80.0),  # nothing to compare with
        steady("shop", "requests_per_second", 0.0, 80.0),
    ],
)
def test_what_cannot_tell_when_trouble_begins_is_no_sign(mute: Series) -> None:
    assert signs(mute) == []


# --- When ---------------------------------------------------------------------------------------


def test_a_sample_tells_of_the_time_before_it() -> None:
    """It is felt half a step earlier."""
    (found,) = signs(steady("shop", "request_latency_p90_seconds", 0.2))
    assert isinstance(found, Sampled)
    assert found.times_ns[0] == at_ns(-30)
    assert found.times_ns[-1] == at_ns(59 * 60 - 30)


@pytest.mark.parametrize(("calm_samples", "known"), [(9, False), (10, True)])
def test_ten_samples_tell_what_is_usual(calm_samples: int, known: bool) -> None:
    first_s = 60 * (CALM_MIN - calm_samples)
    late = series("shop", "request_latency_p90_seconds", [0.2] * (calm_samples + 20), start=first_s)
    assert bool(signs(late)) is known


def test_the_last_minute_may_be_a_part_of_one() -> None:
    assert Grid.over(minutes(0, 60)).minutes == 60
    assert Grid.over(minutes(0, 59.5)).minutes == 60
    assert Grid.over(minutes(0, 60.1)).minutes == 61
    assert Grid.over(minutes(0, 0.1)).minutes == 1


def test_times_beside_the_grid_count_for_its_ends() -> None:
    times = np.array([at_ns(s) for s in (-500, 0, 59.9, 60, 3599, 9999)], dtype=np.int64)
    assert GRID.minute(times).tolist() == [0, 0, 0, 1, 59, 59]
    assert GRID.fine(times).tolist() == [0, 0, 5, 6, 359, 359]


def test_a_minute_without_samples_says_nothing_and_one_with_several_their_mean() -> None:
    times = np.array([at_ns(s) for s in (60, 80, 100)], dtype=np.int64)
    told = per_minute(Sampled("shop", times, np.array([1.0, 2.0, 6.0])))
    assert told[1] == 3.0
    assert np.flatnonzero(~np.isnan(told)).tolist() == [1]
