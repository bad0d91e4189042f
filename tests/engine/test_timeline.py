"""What happened in which order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from aegis.engine.findings import Finding
from aegis.engine.proof import Docket
from aegis.engine.timeline import timeline_of
from aegis.model.diagnosis import Impact, RootCause, TimelineEntry
from aegis.model.telemetry import Change
from aegis.model.text import Text
from tests.engine.telemetry import at_ns, finding, moment, window

ASKED = window(7200, 7500)


def told(
    causes: Sequence[Sequence[Finding]] = (),
    felt: Sequence[Finding] = (),
    changes: Sequence[Change] = (),
) -> tuple[TimelineEntry, ...]:
    """The timeline of causes given by their evidence."""
    docket = Docket(ASKED)
    ranked = [
        RootCause("db", 0.1, "code", 1.0, tuple(docket.cite(item) for item in found), (), None)
        for found in causes
    ]
    impact = Impact(None, None, tuple(docket.cite(item) for item in felt), Text("", ""))
    return timeline_of(ranked, impact, changes, docket)


def seconds(entries: Sequence[TimelineEntry]) -> list[float]:
    return [(entry.time_ns - at_ns(0)) / 1e9 for entry in entries]


def sign(onset_s: float | None, service: str = "db", signal_value: float = 1.0) -> Finding:
    return finding(service, onset_s=onset_s, values=(signal_value, 2.0))


def deploy(time_s: float, service: str = "db") -> Change:
    return Change(service, moment(time_s), "deploy", "v2")


def test_signs_of_the_causes_and_what_users_felt_stand_in_order_of_time() -> None:
    found = told([[sign(7300)], [sign(7210, "cart")]], [sign(7250, "shop")])

    assert seconds(found) == [7210, 7250, 7300]
    assert [entry.evidence_id for entry in found] == ["m2", "m3", "m1"]
    assert found[0].event.en.startswith("cart CPU ")


def test_evidence_without_an_onset_is_no_moment() -> None:
    assert told([[sign(None)]], [sign(None)]) == ()


def test_only_the_first_three_causes_are_shown() -> None:
    found = told([[sign(7210 + place)] for place in range(4)])

    assert seconds(found) == [7210, 7211, 7212]


def test_evidence_that_two_causes_share_is_shown_once() -> None:
    shared = sign(7210)

    assert len(told([[shared], [shared]], [shared])) == 1


@pytest.mark.parametrize(
    ("time_s", "count"),
    [(0, 0), (1, 1), (7199, 1), (7200, 1), (7499, 1), (7500, 0), (7501, 0)],
)
def test_changes_count_for_two_hours_before_the_window_and_until_it_ends(
    time_s: float, count: int
) -> None:
    found = told(changes=[deploy(time_s)])

    assert len(found) == count
    assert all(entry.event.en == "db: deploy to v2." for entry in found)


def change_evidence(time_s: float, service: str = "db") -> Finding:
    return finding(service, "change", onset_s=time_s)


def test_a_change_names_the_evidence_of_the_same_service_and_time() -> None:
    evidence = [change_evidence(7000), change_evidence(7100), change_evidence(7100, "cart")]

    found = told([evidence], changes=[deploy(7100)])

    assert [(entry.evidence_id, entry.time_ns) for entry in found] == [("c2", at_ns(7100))]


@pytest.mark.parametrize(
    "other",
    [change_evidence(7099), change_evidence(7100, "cart"), finding("db", onset_s=7100)],
)
def test_a_change_without_evidence_of_its_own_names_none(other: Finding) -> None:
    found = told([[other]], changes=[deploy(7100)])

    assert [entry.evidence_id for entry in found if entry.event.en == "db: deploy to v2."] == [None]


def test_a_change_is_told_as_a_change_and_not_as_a_sign() -> None:
    assert len(told([[change_evidence(7100)]], changes=[deploy(7100)])) == 1
    assert told([[change_evidence(7100)]]) == ()


def test_changes_and_signs_are_sorted_into_each_other() -> None:
    found = told([[sign(7205)]], changes=[deploy(7210), deploy(7100)])

    assert seconds(found) == [7100, 7205, 7210]


def test_of_more_than_twelve_entries_all_changes_and_the_earliest_signs_are_kept() -> None:
    signs = [sign(7230 - place) for place in range(11)]

    found = told([signs], changes=[deploy(7400), deploy(7100)])

    assert seconds(found) == [7100, *range(7220, 7230), 7400]
