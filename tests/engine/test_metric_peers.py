"""What callers measure of a callee."""

from __future__ import annotations

import pytest

from aegis.model.telemetry import Series
from tests.engine.calm_series import (
    calm_then,
    findings,
    only,
    surprise,
)


def view(service: str, peer: str, *faulty: float, name: str = "client_latency") -> Series:
    """What a caller measures of a peer."""
    return calm_then(name, 1.0, *faulty, service=service, labels=(("peer", peer),))


class TestCallersViews:
    """Latency of 1.15 after 1.0 is z = 3; the callee gets 0.8 of its surprise."""

    def credit(self, *several: Series, service: str = "stock") -> list[float]:
        """Surprise of the findings that callers' views bring to a service."""
        return [
            item.surprise
            for item in findings(*several)
            if item.service == service and item.subject == "client_latency"
        ]

    def test_count_for_the_caller_with_its_peer(self) -> None:
        several = findings(view("cart", "stock", 1.15))
        (found,) = [item for item in several if item.service == "cart"]
        assert found.peer == "stock"
        assert found.surprise == pytest.approx(surprise(3))
        assert not found.outbound

    def test_count_four_fifths_for_the_callee(self) -> None:
        several = findings(view("cart", "stock", 1.15))
        (found,) = [item for item in several if item.service == "stock"]
        assert found.surprise == pytest.approx(0.8 * surprise(3))
        assert found.peer == "stock"

    def test_count_by_the_share_of_callers_that_agree(self) -> None:
        views = view("cart", "stock", 1.15), view("shop", "stock", 1.0)
        assert self.credit(*views) == pytest.approx([0.8 / 2 * surprise(3)])
        both = view("cart", "stock", 1.15), view("shop", "stock", 1.15)
        assert self.credit(*both) == pytest.approx([0.8 * surprise(3)] * 2)

    def test_of_other_peers_and_signals_do_not_matter(self) -> None:
        views = (
            view("cart", "stock", 1.15),
            view("shop", "store", 1.0),
            view("shop", "stock", 1.0, name="client_cpu"),
        )
        assert self.credit(*views) == pytest.approx([0.8 * surprise(3)])

    def test_count_half_where_the_callee_itself_finds_nothing(self) -> None:
        calm = calm_then("latency", 1.0, 1.0, service="stock")
        seen = self.credit(view("cart", "stock", 1.15), calm)
        assert seen == pytest.approx([0.4 * surprise(3)])

    def test_count_whole_where_the_callee_agrees(self) -> None:
        slow = calm_then("latency", 1.0, 1.15, service="stock")
        assert self.credit(view("cart", "stock", 1.15), slow) == pytest.approx([0.8 * surprise(3)])

    def test_count_whole_where_the_callee_hardly_gets_requests_any_more(self) -> None:
        calm = calm_then("latency", 1.0, 1.0, service="stock")
        starved = calm_then("requests", 100, 10, service="stock")
        seen = self.credit(view("cart", "stock", 1.15), calm, starved)
        assert seen == pytest.approx([0.8 * surprise(3)])

    @pytest.mark.parametrize(
        "other",
        [
            calm_then("client_latency_of_all", 1.0, 1.0, service="stock"),
            calm_then("memory_usage", 1.0, 1.0, service="stock"),
            calm_then("latency", 1.0, 1.0, service="cart"),
        ],
    )
    def test_are_contradicted_by_the_callees_own_measurement_only(self, other: Series) -> None:
        assert self.credit(view("cart", "stock", 1.15), other) == pytest.approx([0.8 * surprise(3)])

    @pytest.mark.parametrize(("z", "seen"), [(1.272, False), (1.274, True)])
    def test_count_only_where_enough_is_left(self, z: float, seen: bool) -> None:
        # 0.8 · 2 · log10(1 + z²/3) = 0.3 at z = 1.2727.
        assert bool(self.credit(view("cart", "stock", 1.0 + 0.05 * z))) is seen

    def test_without_a_peer_are_calls_to_someone_unknown(self) -> None:
        found = only(calm_then("client_latency", 1.0, 1.15))
        assert (found.outbound, found.peer) == (True, None)
