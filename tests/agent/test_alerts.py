"""Whose an alert is, and when alerts stand for the alarm that a question does not name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from aegis.agent.alerts import AlertsWithMemory, alarm_of, kind_of, of_services
from aegis.agent.diagnoser import alerted
from aegis.agent.monitor import Scene, Sources, collect
from aegis.engine.alert_evidence import ServiceAlert
from aegis.model.alert import Alert, AlertState
from aegis.model.errors import SourceError, SourceRejected
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import Alarm, TimeWindow
from aegis.model.text import Text
from aegis.ports import AlertSource
from aegis.workflows.analyze_incident import Analysis, Question, analyze_incident
from tests.fakes import FakeAlerts, FakeClock, FakeTelemetry
from tests.recordings import SmallShop, at, between

FAULT = between(30, 36)
SERVICES = ("cart", "kube-state-metrics", "pay-api", "shop")
SHOP = SmallShop().recording()
HELD = FakeTelemetry(SHOP.metrics, SHOP.spans, SHOP.logs)


def alert(
    name: str, minute: float = 31, state: AlertState = "active", summary: str = "", **labels: str
) -> Alert:
    annotations = (("summary", summary),) if summary else ()
    given = tuple(sorted({"alertname": name, **labels}.items()))
    return Alert(given, annotations, at(minute), state)


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service": "cart"}, "cart"),
        ({"service_name": "Shop"}, "shop"),
        ({"app": "pay_api"}, "pay-api"),
        ({"job": "shop/cart"}, "cart"),
        ({"destination_workload": "pay-api", "service": "shop"}, "pay-api"),
        ({"pod": "pay-api-6d5f7c9b8d-x2x4z", "job": "kube-state-metrics"}, "pay-api"),
        ({"pod": "cart-0", "service": "kube-state-metrics"}, "cart"),
        ({"job": "kube-state-metrics"}, "kube-state-metrics"),
        ({"service": "unheard-of"}, None),
        ({"instance": "10.0.0.1:80"}, None),
        ({"service": ""}, None),
    ],
)
def test_an_alert_is_of_the_service_its_labels_name(
    labels: dict[str, str], service: str | None
) -> None:
    found = [
        one.service for one in of_services([Alert(tuple(labels.items()), (), at(31))], SERVICES)
    ]
    assert found == ([] if service is None else [service])


@pytest.mark.parametrize(
    ("name", "summary", "kind"),
    [
        ("HighRequestLatency", "", "latency"),
        ("CartSlow", "", "latency"),
        ("HTTP5xxRate", "", None),
        ("HighErrorRate", "it is slow too", "errors"),
        ("KubePodCrashLooping", "", "errors"),
        ("target_down", "", "errors"),
        ("Burning", "结账接口超时", "latency"),
        ("DiskFull", "", None),
    ],
)
def test_what_an_alert_complains_of_is_in_its_name_or_its_summary(
    name: str, summary: str, kind: str | None
) -> None:
    assert kind_of(alert(name, summary=summary)) == kind


def rang(service: str, name: str, minute: float = 31, state: AlertState = "active") -> ServiceAlert:
    return ServiceAlert(service, alert(name, minute, state))


def test_alerts_that_agree_are_an_alarm() -> None:
    assert alarm_of([rang("cart", "Slow")], FAULT) == Alarm("cart", "latency")
    assert alarm_of([rang("cart", "Slow"), rang("cart", "Full")], FAULT) == Alarm("cart", "latency")
    assert alarm_of([rang("cart", "Full")], FAULT) == Alarm("cart", None)
    assert alarm_of([rang("cart", "Slow"), rang("shop", "Lag slow")], FAULT) == Alarm(
        None, "latency"
    )


def test_alerts_that_do_not_agree_are_none() -> None:
    assert alarm_of([rang("cart", "Slow"), rang("shop", "HighErrorRate")], FAULT) is None
    assert alarm_of([], FAULT) is None
    both = [rang("cart", "Slow"), rang("cart", "HighErrorRate")]
    assert alarm_of(both, FAULT) == Alarm("cart", None)


def test_what_is_old_silenced_or_yet_to_come_is_no_news() -> None:
    assert alarm_of([rang("cart", "Slow", -1)], FAULT) is None
    assert alarm_of([rang("cart", "Slow", 0)], FAULT) == Alarm("cart", "latency")
    assert alarm_of([rang("cart", "Slow", 36)], FAULT) is None
    assert alarm_of([rang("cart", "Slow", 31, "suppressed")], FAULT) is None


def asked(
    question: str, alerts: AlertSource, scene_alarm: Alarm | None = None, *, exact: bool = True
) -> Analysis:
    scene = Scene(between(0, 40), scene_alarm, (), (("shop", "cart"), ("cart", "store")), ())
    sources = Sources(HELD, HELD, HELD, None, alerts)
    return asyncio.run(
        analyze_incident(Question(question, FAULT, "en", exact=exact), sources, scene)
    )


SLOW_SHOP = FakeAlerts((alert("ShopSlow", 31, service="shop", summary="p95 over 300 ms"),))


def test_alerts_stand_for_the_alarm_that_a_question_does_not_name() -> None:
    assert asked("what is going on?", SLOW_SHOP).diagnosis.alarm == Alarm("shop", "latency")
    assert asked("what is going on?", FakeAlerts()).diagnosis.alarm is None


def test_what_a_person_or_a_case_says_is_never_overridden() -> None:
    assert asked("why these errors?", SLOW_SHOP, exact=False).diagnosis.alarm == Alarm(
        None, "errors"
    )
    told = Alarm("cart", "errors")
    assert asked("what is going on?", SLOW_SHOP, told).diagnosis.alarm == told


def test_an_alert_is_evidence_of_its_service_and_a_moment_of_the_timeline() -> None:
    store = FakeAlerts((alert("StoreSlow", 31, service="store", summary="p95 over 300 ms"),))
    analysis = asked("what is going on?", store)
    (item,) = [one for one in analysis.diagnosis.evidence if one.source == "alerts"]
    said = "Alert StoreSlow of store has been firing since 10:31:00 UTC: p95 over 300 ms"
    assert item.statement.en == said
    assert item.statement.zh == "store 的告警 StoreSlow 自 UTC 10:31:00 起触发：p95 over 300 ms"
    causes = {cause.service: cause for cause in analysis.diagnosis.causes}
    assert causes["store"].evidence_ids[-1] == item.id
    assert item.id not in causes["cart"].evidence_ids
    assert [entry.evidence_id for entry in analysis.diagnosis.timeline].count(item.id) == 1


def test_an_alert_changes_no_rank_where_the_question_names_the_symptom() -> None:
    without, with_it = (
        asked("why is it slow?", alerts, Alarm(None, "latency"))
        for alerts in (FakeAlerts(), SLOW_SHOP)
    )
    assert with_it.answer == without.answer
    assert [(one.service, one.probability) for one in with_it.diagnosis.causes] == [
        (one.service, one.probability) for one in without.diagnosis.causes
    ]


def test_nothing_is_alarmed_without_alerts() -> None:
    scene = Scene(between(0, 40), None, (), (), ())
    seen, _ = asyncio.run(collect(Sources(HELD, HELD, HELD), scene, FAULT))
    assert alerted(seen, "what is going on?").alarm is None


HISTORY = EvidenceGap("alerts", "not_recorded", None, Text("无", "no history"))
STORM = EvidenceGap("alerts", "sampled", None, Text("多", "many"))


@dataclass(frozen=True)
class Saying:
    alerts: tuple[Alert, ...] = ()
    gaps: tuple[EvidenceGap, ...] = ()
    error: SourceError | None = None

    async def read_alerts(
        self, window: TimeWindow
    ) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
        if self.error is not None:
            raise self.error
        return self.alerts, self.gaps


def both(now: Saying, past: Saying) -> tuple[tuple[Alert, ...], tuple[EvidenceGap, ...]]:
    return asyncio.run(AlertsWithMemory(now, past, FakeClock(at(42))).read_alerts(FAULT))


def test_of_an_alert_that_both_know_the_richer_one_is_taken() -> None:
    rich = alert("Slow", 32, service="cart", cluster="eu", summary="words")
    poor, ended = alert("Slow", 31, service="cart"), alert("Down", 30, service="cart")
    found, gaps = both(Saying((rich,), (HISTORY, STORM)), Saying((ended, poor)))
    assert found == (ended, rich)
    assert gaps == (STORM,)


def test_without_a_memory_the_lack_of_a_history_is_told() -> None:
    down = SourceRejected("no ALERTS")
    assert both(Saying((), (HISTORY,)), Saying(error=down)) == ((), (HISTORY,))


def test_what_only_the_memory_knows_comes_with_the_failure_of_the_other() -> None:
    down = SourceRejected("ALERTMANAGER_BASE_URL cannot be reached")
    ended = alert("Down", 30, service="cart")
    found, (gap,) = both(Saying(error=down), Saying((ended,)))
    assert found == (ended,)
    assert "ALERTMANAGER_BASE_URL" in gap.statement.en
    with pytest.raises(SourceRejected, match="ALERTMANAGER_BASE_URL"):
        both(Saying(error=down), Saying())


def test_the_memory_is_not_asked_about_what_still_goes_on() -> None:
    ended = alert("Down", 30, service="cart")
    source = AlertsWithMemory(Saying((), (STORM,)), Saying((ended,)), FakeClock(at(40)))
    assert asyncio.run(source.read_alerts(FAULT)) == ((), (STORM,))
