"""A change that everybody suspects is ruled out aloud where its service stays calm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from aegis.engine.calm_changes import calm_changes
from aegis.engine.candidates import Candidates
from aegis.engine.proof import Docket
from aegis.engine.ranking import Scored
from aegis.model.diagnosis import RuledOut
from aegis.model.telemetry import Change, LogTable, Series, SpanTable
from tests.engine.telemetry import line, logs, moment, observations, series, span, spans, window
from tests.engine.worlds import world

ASKED = window(600, 900)
DEPLOY = Change("pay", moment(300), "deploy", "v2")
FIRST, PAY = Scored("db", 3.0, 3.0, None), Scored("pay", 0.4, 0.49, None)
MEASURED = series("pay", "cpu", [1.0, 1.0], times_s=[0, 700])


def told(
    *ordered: Scored,
    changes: Sequence[Change] = (DEPLOY,),
    chances: Mapping[str, float] | None = None,
    metrics: Sequence[Series] = (MEASURED,),
    traced: SpanTable | None = None,
    lines: LogTable | None = None,
) -> tuple[RuledOut, ...]:
    seen = observations(ASKED, metrics=metrics, changes=changes, spans=traced, logs=lines)
    candidates = Candidates({}, world(), (), seen, Docket(ASKED), ordered or (FIRST, PAY))
    known = dict.fromkeys((item.service for item in candidates.ordered), 0.01)
    return calm_changes(candidates, known | dict(chances or {}))


def test_it_says_what_was_changed_when_and_that_its_service_is_calm() -> None:
    (found,) = told()

    assert (found.service, found.explained_by, found.evidence_ids) == ("pay", None, ("c1",))
    assert found.why.en == "pay's change to v2 at 10:05:00 UTC: pay itself shows nothing abnormal."
    assert found.why.zh == "pay 的变更 v2（UTC 10:05:00）：pay 自身没有异常。"


def test_a_change_without_a_version_is_told_too() -> None:
    (found,) = told(changes=[Change("pay", moment(300), "config")])
    assert found.why.en == "pay's change at 10:05:00 UTC: pay itself shows nothing abnormal."
    assert found.why.zh == "pay 的变更（UTC 10:05:00）：pay 自身没有异常。"


@pytest.mark.parametrize(
    "ordered",
    [
        (PAY, FIRST),  # the first cause
        (FIRST, Scored("pay", 0.4, 0.5, None)),  # symptoms of its own
        (FIRST,),
    ],
)
def test_it_is_not_told_of_a_suspect(ordered: tuple[Scored, ...]) -> None:
    assert told(*ordered) == ()


def test_nor_of_a_service_that_may_well_be_the_cause() -> None:
    assert told(chances={"pay": 0.02}) == ()
    assert len(told(chances={"pay": 0.019})) == 1


def test_a_service_that_was_not_seen_in_the_window_is_not_calm() -> None:
    assert told(metrics=()) == ()
    assert told(metrics=[series("pay", "cpu", [1.0], times_s=[599])]) == ()
    assert told(metrics=[series("db", "cpu", [1.0], times_s=[700])]) == ()


def test_spans_and_lines_show_a_service_as_well() -> None:
    spoken = logs([line(700, "db", "x"), line(700, "pay", "x")])
    traced = spans([span("t", "1", "", "db", start_s=0), span("u", "1", "", "pay", start_s=700)])
    assert len(told(metrics=(), lines=spoken)) == 1
    assert len(told(metrics=(), traced=traced)) == 1


def test_only_changes_shortly_before_the_window_or_in_it_are_told() -> None:
    assert told(changes=[Change("pay", moment(600 - 7200))]) == ()
    assert told(changes=[Change("pay", moment(900))]) == ()
    assert len(told(changes=[Change("pay", moment(899))])) == 1


def test_of_each_service_the_latest_is_told_and_the_latest_service_first() -> None:
    names = "abcde"
    found = told(
        FIRST,
        *(Scored(name, 0.0, 0.0, None) for name in names),
        changes=[Change(name, moment(300 + place)) for place, name in enumerate(names)]
        + [Change("a", moment(500), version="v9")],
        metrics=[series(name, "cpu", [1.0], times_s=[700]) for name in names],
    )

    assert [item.service for item in found] == ["a", "e", "d"]
    assert "to v9" in found[0].why.en
