"""What Alertmanager has and we do not, and the other way round."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from aegis.model.alert import Alert, AlertState, Labels, fingerprint
from aegis.model.errors import SourceUnavailable
from aegis.model.ledger import (
    Arrival,
    FiringNow,
    Kept,
    LedgerPage,
    LedgerQuery,
    Quarantined,
    Settled,
    Undelivered,
    WaitingRow,
)
from aegis.model.lifecycle import Lifecycle, Notice, advance
from aegis.workflows.reconcile_alerts import Reconciled, Reconciliation
from tests.fakes import FakeClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LABELS: Labels = (("alertname", "DiskFull"), ("severity", "critical"))
KEY = fingerprint(LABELS)


def firing(
    labels: Labels = LABELS, state: AlertState = "active", receivers: Sequence[str] = ("aegis",)
) -> Alert:
    return Alert(labels, (("summary", "full"),), NOON, state, tuple(receivers))


@dataclass
class FakeStore:
    """Lifecycles in memory; remembers what it was asked to settle."""

    known: dict[str, Lifecycle] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    settled: list[frozenset[str]] = field(default_factory=list)
    called: frozenset[str] = frozenset({"aegis"})
    closes: int = 0

    async def keep(self, arrival: Arrival) -> Kept:
        self.arrivals.append(arrival)
        for one in arrival.webhook.alerts:
            notice = Notice(one.status, one.starts_at, one.ends_at)
            self.known[one.fingerprint], _ = advance(self.known.get(one.fingerprint), notice)
        return Kept(("oc_ops",), (WaitingRow("row", "oc_ops", None),))

    async def lifecycles(self, fingerprints: Collection[str]) -> Mapping[str, Lifecycle]:
        return {name: self.known[name] for name in fingerprints if name in self.known}

    async def receivers(self) -> frozenset[str]:
        return self.called

    async def settle(self, listed: Collection[str], now: datetime) -> Settled:
        self.settled.append(frozenset(listed))
        rows = (WaitingRow("end", "oc_ops", None),) if self.closes else ()
        return Settled(self.closes, rows)

    async def forget(self, before: datetime, most_body_bytes: int) -> int:
        raise NotImplementedError

    async def page(self, query: LedgerQuery) -> LedgerPage:
        raise NotImplementedError

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        raise NotImplementedError

    async def undelivered(self, limit: int) -> tuple[Undelivered, ...]:
        raise NotImplementedError


@dataclass
class FakeAlertmanager:
    alerts: list[Alert] = field(default_factory=list)
    began_at: datetime = NOON - timedelta(days=1)
    complete: bool = True
    down: bool = False

    async def read_firing(self) -> FiringNow:
        if self.down:
            raise SourceUnavailable("down")
        return FiringNow(tuple(self.alerts), self.began_at, self.complete)


@dataclass
class Woken:
    rows: list[str] = field(default_factory=list)

    def wake(self, rows: Sequence[WaitingRow]) -> None:
        self.rows += [one.id for one in rows]


@dataclass
class World:
    store: FakeStore = field(default_factory=FakeStore)
    source: FakeAlertmanager = field(default_factory=FakeAlertmanager)
    woken: Woken = field(default_factory=Woken)
    receivers: tuple[str, ...] = ()
    replica_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.reconciliation = Reconciliation(
            self.store,
            self.source,
            FakeClock(NOON + timedelta(hours=1)),
            self.woken,
            self.replica_labels,
            self.receivers,
        )

    def rounds(self, count: int = 2) -> list[Reconciled]:
        return [asyncio.run(self.reconciliation.round()) for _ in range(count)]

    def opened(self) -> list[str]:
        return [
            one.fingerprint for arrival in self.store.arrivals for one in arrival.webhook.alerts
        ]


def world(*alerts: Alert, **more: object) -> World:
    found = World(**more)  # type: ignore[arg-type]
    found.source.alerts = list(alerts)
    return found


def test_what_fires_there_for_two_rounds_and_is_unknown_here_is_opened() -> None:
    here = world(firing())
    assert here.rounds() == [Reconciled(0, 0), Reconciled(1, 0)]
    (arrival,) = here.store.arrivals
    (told,) = arrival.webhook.alerts
    assert (told.fingerprint, told.starts_at, told.labels) == (KEY, NOON, LABELS)
    assert arrival.webhook.group_key == "reconciled:DiskFull"
    assert b"DiskFull" in arrival.body
    assert here.woken.rows == ["row"]


def test_it_is_opened_once() -> None:
    here = world(firing())
    assert [one.opened for one in here.rounds(5)] == [0, 1, 0, 0, 0]


def test_a_webhook_that_comes_between_two_rounds_is_not_doubled() -> None:
    here = world(firing())
    here.rounds(1)
    here.store.known[KEY] = Lifecycle(1, True, NOON)
    assert here.rounds(2) == [Reconciled(0, 0)] * 2


def test_what_is_open_here_is_left_alone() -> None:
    here = world(firing())
    here.store.known[KEY] = Lifecycle(1, True, NOON)
    here.rounds(3)
    assert here.opened() == []


@pytest.mark.parametrize("state", ["suppressed", "unprocessed"])
def test_what_is_silenced_or_inhibited_is_not_opened_but_is_still_there(state: AlertState) -> None:
    here = world(firing(state=state))
    here.rounds(3)
    assert here.opened() == []
    assert here.store.settled == [frozenset({KEY})] * 3


def test_what_is_routed_to_others_is_not_opened() -> None:
    here = world(firing(receivers=["pager"]))
    here.rounds(3)
    assert here.opened() == []


def test_while_no_receiver_has_called_nothing_is_ours() -> None:
    here = world(firing())
    here.store.called = frozenset()
    here.rounds(3)
    assert here.opened() == []


def test_receivers_can_be_named() -> None:
    here = world(firing(receivers=["a", "chat"]), receivers=("chat",))
    here.store.called = frozenset()
    here.rounds()
    assert here.opened() == [KEY]


def test_replica_labels_are_no_part_of_an_alert() -> None:
    labels = (*LABELS, ("prometheus", "a"))
    here = world(firing(labels), replica_labels=("prometheus",))
    here.rounds()
    assert here.opened() == [KEY]
    assert here.store.settled[-1] == {KEY}


def test_what_fires_on_though_its_end_was_told_begins_anew() -> None:
    """Late words of the other half of a pair are swallowed; this is what catches the rest."""
    here = world(firing())
    here.store.known[KEY] = Lifecycle(1, False, NOON, NOON, NOON + timedelta(minutes=5))
    assert [one.opened for one in here.rounds(3)] == [0, 1, 0]
    assert here.store.known[KEY].episode == 2
    assert here.store.known[KEY].is_open


def test_alerts_of_one_name_are_one_group() -> None:
    other: Labels = (("alertname", "DiskFull"), ("pod", "b"))
    third: Labels = (("alertname", "Other"),)
    here = world(firing(), firing(other), firing(third))
    here.rounds()
    groups = {one.webhook.group_key: len(one.webhook.alerts) for one in here.store.arrivals}
    assert groups == {"reconciled:DiskFull": 2, "reconciled:Other": 1}


def test_what_is_gone_there_is_closed_and_told() -> None:
    here = world()
    here.store.closes = 1
    assert here.rounds(1) == [Reconciled(0, 1)]
    assert here.woken.rows == ["end"]


def test_an_alertmanager_that_has_just_started_closes_nothing() -> None:
    here = world()
    here.source.began_at = NOON + timedelta(minutes=56)
    here.rounds()
    assert here.store.settled == []


def test_an_answer_that_is_not_whole_closes_nothing_and_still_opens() -> None:
    here = world(firing())
    here.source.complete = False
    here.rounds()
    assert here.store.settled == []
    assert here.opened() == [KEY]


def test_a_round_that_fails_does_not_count() -> None:
    here = world(firing())
    here.rounds(1)
    here.source.down = True
    with pytest.raises(SourceUnavailable):
        here.rounds(1)
    here.source.down = False
    assert here.rounds(1) == [Reconciled(1, 0)]
