"""What a metric's name, labels and values tell about its meaning."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from aegis.engine.signals import Meaning, meaning_of, words_of
from aegis.model.evidence import Signal
from tests.engine.telemetry import series

RISING = (0.0, 5.0, 9.0, 14.0, 22.0)
WAVY = (5.0, 7.0, 4.0, 6.0, 5.0)
SHARES = (0.01, 0.02, 0.0, 0.01, 0.02)


def meaning(
    name: str, values: Sequence[float] = WAVY, labels: tuple[tuple[str, str], ...] = ()
) -> Meaning:
    """The meaning of a metric of service "cart", which must have one."""
    found = meaning_of(series("cart", name, values, labels=labels))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CpuUsageRate(%)", ["cpu", "usage", "rate"]),
        ("http_request_duration_seconds", ["http", "request", "duration", "seconds"]),
        ("HTTPServerErrors", ["http", "server", "errors"]),
        ("client_latency_p95", ["client", "latency", "p95"]),
        ("responses.5xx-count", ["responses", "5xx", "count"]),
        ("IO2Wait", ["io2", "wait"]),
        ("", []),
    ],
)
def test_names_are_cut_at_case_changes_and_punctuation(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("pod_restarts", "restarts"),
        ("container_memory_oomkilled", "restarts"),
        ("cpu_usage", "cpu"),
        ("CpuUsageRate", "cpu"),
        ("node_memory_pressure", "memory"),
        ("jvm_gc_pause", "memory"),
        ("disk_read_bytes", "disk"),
        ("fs_io_errors", "disk"),
        ("network_transmit_bytes", "network"),
        ("tcp_retransmits_failed", "network"),
        ("request_errors", "errors"),
        ("timeout_duration", "errors"),
        ("latency_of_requests", "latency"),
        ("queue_wait_duration", "latency"),
        ("queue_length", "saturation"),
        ("pool_requests", "saturation"),
        ("requests", "traffic"),
        ("cache_hits", "traffic"),
    ],
)
def test_the_first_kind_of_word_decides(name: str, signal: Signal) -> None:
    assert meaning(name).signal == signal


@pytest.mark.parametrize("name", ["response_time", "request_time", "http_processing_time_avg"])
def test_phrases_of_time_mean_latency(name: str) -> None:
    assert meaning(name).signal == "latency"


@pytest.mark.parametrize("name", ["time_response", "time", "uptime", "temperature", "app_info"])
def test_names_without_a_known_word_or_phrase_mean_nothing(name: str) -> None:
    assert meaning_of(series("cart", name, WAVY)) is None


@pytest.mark.parametrize("name", ["svc_p99", "p50", "svc_p7"])
def test_a_percentile_of_nothing_in_particular_is_latency(name: str) -> None:
    assert meaning(name).signal == "latency"


@pytest.mark.parametrize("name", ["svc_p", "svc_pod", "svc_x99"])
def test_a_letter_or_a_number_alone_is_no_percentile(name: str) -> None:
    assert meaning_of(series("cart", name, WAVY)) is None


@pytest.mark.parametrize("name", ["request_duration_seconds_bucket", "Requests_Created"])
def test_parts_of_histograms_are_left_out(name: str) -> None:
    assert meaning_of(series("cart", name, RISING)) is None


class TestCounters:
    @pytest.mark.parametrize(
        "name", ["requests_total", "requests-total", "Requests_Count", "io_sum", "net-sum"]
    )
    def test_end_like_counters_and_never_fall(self, name: str) -> None:
        assert meaning(name, RISING).counter
        assert not meaning(name, WAVY).counter

    def test_are_told_by_their_ending_as_well(self) -> None:
        assert not meaning("requests", RISING).counter

    @pytest.mark.parametrize(
        ("values", "counter"),
        [
            ((0, 1, 2), False),  # two steps do not tell
            ((0, 1, 2, 3), True),
            ((4, 4, 4, 4), False),  # it never rises
            ((4, 4, 4, 5), True),
            ((50, 60, 70, 35, 40), True),  # a restart falls to half the maximum or less
            ((50, 60, 70, 36, 40), False),
            ((50, 60, 5, 60, 5, 60), False),  # two falls in five steps
        ],
    )
    def test_may_fall_once_to_near_zero(self, values: tuple[float, ...], counter: bool) -> None:
        assert meaning("requests_total", values).counter is counter

    @pytest.mark.parametrize(("steps", "counter"), [(40, True), (39, False)])
    def test_may_restart_once_in_twenty_steps(self, steps: int, counter: bool) -> None:
        values = [100.0 + index for index in range(steps + 1)]
        values[10], values[20] = 1.0, 2.0
        assert meaning("requests_total", values).counter is counter

    def test_a_flat_step_is_no_fall(self) -> None:
        assert meaning("requests_total", (7, 7, 7, 7, 7, 9)).counter

    def test_of_durations_say_how_many_there_were(self) -> None:
        found = meaning("request_duration_seconds_count", RISING)
        assert (found.signal, found.unit, found.counter) == ("traffic", "per_s", True)

    @pytest.mark.parametrize("name", ["request_duration_seconds_sum", "latency_total"])
    def test_summed_durations_mean_nothing_alone(self, name: str) -> None:
        assert meaning_of(series("cart", name, RISING)) is None

    def test_a_duration_that_falls_is_a_latency_whatever_its_ending(self) -> None:
        assert meaning("request_duration_seconds_sum", WAVY).signal == "latency"


class TestTrafficThatIsNot:
    @pytest.mark.parametrize("word", ["ms", "millis", "milliseconds", "seconds"])
    def test_requests_in_units_of_time_are_latency(self, word: str) -> None:
        assert meaning(f"request_{word}").signal == "latency"

    def test_a_counter_of_requests_with_a_time_word_stays_traffic(self) -> None:
        assert meaning("request_seconds_count", RISING).signal == "traffic"

    @pytest.mark.parametrize("value", ["500", "503", "5xx", "5XX", "INTERNAL", "server_error"])
    def test_requests_of_an_error_status_are_errors(self, value: str) -> None:
        assert meaning("requests_total", RISING, (("status", value),)).signal == "errors"

    @pytest.mark.parametrize(
        "label", [("status", "200"), ("code", "404"), ("pod", "500"), ("status", "1500")]
    )
    def test_other_requests_stay_traffic(self, label: tuple[str, str]) -> None:
        assert meaning("requests_total", RISING, (label,)).signal == "traffic"

    def test_one_error_label_among_others_is_enough(self) -> None:
        labels = (("pod", "a"), ("grpc_code", "Internal"), ("method", "GET"))
        assert meaning("requests_total", RISING, labels).signal == "errors"

    def test_an_error_status_makes_no_error_of_latency(self) -> None:
        assert meaning("latency", WAVY, (("status", "500"),)).signal == "latency"


class TestPeers:
    def test_are_named_after_a_colon_of_a_client_metric(self) -> None:
        found = meaning("client_latency_p95:stock")
        assert (found.signal, found.peer, found.caller_side) == ("latency", "stock", True)

    @pytest.mark.parametrize("name", ["latency_p95:stock", "client_latency:", "client_latency"])
    def test_need_a_client_and_a_name(self, name: str) -> None:
        assert meaning(name).peer is None

    def test_the_name_of_a_peer_says_nothing_about_the_signal(self) -> None:
        assert meaning("client_requests:cpu").signal == "traffic"

    def test_are_named_by_labels_the_first_known_one_first(self) -> None:
        labels = (("upstream", "stock"), ("callee", "store"), ("pod", "x"))
        found = meaning("latency", WAVY, labels)
        assert (found.peer, found.caller_side) == ("store", True)

    def test_an_empty_label_names_nobody(self) -> None:
        labels = (("callee", ""), ("upstream", "stock"))
        assert meaning("latency", WAVY, labels).peer == "stock"
        assert meaning("latency", WAVY, (("callee", ""),)).peer is None

    def test_nobody_is_its_own_peer(self) -> None:
        found = meaning("latency", WAVY, (("server", "cart"),))
        assert (found.peer, found.caller_side) == (None, False)

    def test_a_client_without_a_peer_still_measures_the_callers_side(self) -> None:
        found = meaning("http_client_duration")
        assert (found.peer, found.caller_side) == (None, True)

    def test_a_server_measures_its_own_side(self) -> None:
        assert not meaning("http_server_duration").caller_side


class TestFlipped:
    @pytest.mark.parametrize("name", ["availability", "success_rate", "successes"])
    def test_success_counts_by_its_shortfall(self, name: str) -> None:
        assert meaning(name, SHARES).flipped

    def test_errors_do_not(self) -> None:
        assert not meaning("error_rate", SHARES).flipped

    def test_a_good_word_means_nothing_beside_another_signal(self) -> None:
        assert not meaning("success_disk_io", SHARES).flipped


class TestUnits:
    @pytest.mark.parametrize(
        ("name", "unit"),
        [
            ("CpuUsageRate(%)", "%"),
            ("cpu_percent", "%"),
            ("memory_usage_pct", "%"),
            ("error_percentage", "%"),
            ("latency_percent", "%"),
            ("latency_ms", "ms"),
            ("latency_millis_p95", "ms"),
            ("latency_seconds", "s"),
            ("latency_s", "s"),
            ("latency_p95", ""),
            ("memory_bytes", "bytes"),
            ("network_bytes", "bytes"),
            ("cpu_usage", ""),
            ("requests", ""),
            ("error_count", "count"),
            ("requests_sum", "count"),
            ("restart_count", "count"),
            ("queue_count", ""),
            ("requests_p95", ""),
        ],
    )
    def test_are_told_by_words(self, name: str, unit: str) -> None:
        assert meaning(name, WAVY).unit == unit

    @pytest.mark.parametrize("word", ["rate", "ratio", "share", "fraction", "success"])
    def test_a_share_of_errors_stays_within_one(self, word: str) -> None:
        assert meaning(f"failed_{word}", (0.0, 1.0, 0.5)).unit == "share"
        assert meaning(f"failed_{word}", (0.0, 1.01, 0.5)).unit == ""
        assert meaning(f"failed_{word}", (0.0, -1.01, 0.5)).unit == ""

    def test_rounding_above_one_is_still_a_share(self) -> None:
        assert meaning("error_ratio", (0.0, 1.0 + 5e-10)).unit == "share"
        assert meaning("error_ratio", (0.0, 1.0 + 2e-9)).unit == ""

    def test_availability_above_one_is_in_percent(self) -> None:
        assert meaning("availability", (99.0, 100.0)).unit == "%"
        assert meaning("availability", (0.99, 1.0)).unit == "share"

    @pytest.mark.parametrize("word", ["share", "ratio", "fraction", "utilization"])
    @pytest.mark.parametrize("resource", ["cpu", "memory", "disk", "network", "queue"])
    def test_a_share_of_a_resource_stays_within_one(self, resource: str, word: str) -> None:
        assert meaning(f"{resource}_{word}", (0.0, 1.0, 0.5)).unit == "share"
        assert meaning(f"{resource}_{word}", (0.0, 1.01, 0.5)).unit == ""

    def test_traffic_and_latency_come_as_no_share(self) -> None:
        assert meaning("requests_ratio", SHARES).unit == ""
        assert meaning("latency_ratio", SHARES).unit == ""

    def test_what_is_named_per_second_comes_by_the_second(self) -> None:
        assert meaning("requests_per_second").unit == "per_s"
        assert meaning("pool_timeouts_per_second").unit == "per_s"
        assert meaning("second_requests_per").unit == ""
        assert meaning("network_bytes_per_second").unit == "bytes"

    def test_a_rate_of_a_resource_is_no_share(self) -> None:
        assert meaning("cpu_rate", (0.1, 0.2)).unit == ""

    def test_counters_come_by_the_second_unless_they_count_bytes(self) -> None:
        assert meaning("requests_total", RISING).unit == "per_s"
        assert meaning("network_bytes_total", RISING).unit == "bytes"
