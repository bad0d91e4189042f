"""Alerts beside what was measured: near the window, few, quoted, and without any weight."""

from __future__ import annotations

from dataclasses import replace

from aegis.engine.alert_evidence import ServiceAlert, alert_query, with_alerts
from aegis.engine.diagnosis import diagnose
from aegis.model.alert import Alert, AlertState
from aegis.model.diagnosis import Diagnosis
from aegis.model.incident import Observations
from aegis.model.telemetry import Alarm, from_ns
from tests.recordings import SmallShop, at, between

SHOP = SmallShop().recording()
DIAGNOSIS = diagnose(
    Observations(
        between(30, 36),
        between(0, 40),
        Alarm("shop", "latency"),
        ("cart", "shop", "store"),
        SHOP.header.calls,
        (),
        SHOP.metrics,
        SHOP.spans,
        SHOP.logs,
    )
)


def rang(
    service: str, minute: float, name: str = "Slow", state: AlertState = "active", summary: str = ""
) -> ServiceAlert:
    labels = (("alertname", name), ("service", service))
    annotations = (("summary", summary),) if summary else ()
    return ServiceAlert(service, Alert(labels, annotations, at(minute), state))


def told(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    return [(one.id, one.service) for one in diagnosis.evidence if one.source == "alerts"]


def test_only_what_began_near_the_window_is_told() -> None:
    rung = [rang("store", -91), rang("store", -90), rang("cart", 35.9), rang("shop", 36)]
    assert told(with_alerts(DIAGNOSIS, rung)) == [("a1", "store"), ("a2", "cart")]


def test_without_any_the_diagnosis_is_the_same_object() -> None:
    assert with_alerts(DIAGNOSIS, [rang("store", 37)]) is DIAGNOSIS


def test_one_service_does_not_take_all_the_room() -> None:
    rung = [rang("cart", 30 + n / 10, f"A{n}") for n in range(9)] + [rang("store", 33)]
    services = [service for _, service in told(with_alerts(DIAGNOSIS, rung))]
    assert services == ["cart", "cart", "cart", "store"]


def test_of_many_services_the_likely_ones_are_told() -> None:
    rung = [rang(f"other-{n}", 31) for n in range(20)] + [rang("store", 35)]
    services = [service for _, service in told(with_alerts(DIAGNOSIS, rung))]
    assert len(services) == 8
    assert "store" in services


def test_nothing_is_weighed_anew() -> None:
    after = with_alerts(DIAGNOSIS, [rang("cart", 31)])
    assert [(one.service, one.probability, one.score) for one in after.causes] == [
        (one.service, one.probability, one.score) for one in DIAGNOSIS.causes
    ]
    assert after.none_probability == DIAGNOSIS.none_probability
    assert after.evidence[: len(DIAGNOSIS.evidence)] == DIAGNOSIS.evidence


def test_the_timeline_stays_in_order_of_time() -> None:
    after = with_alerts(DIAGNOSIS, [rang("cart", 1), rang("shop", 35.5)])
    times = [one.time_ns for one in after.timeline]
    assert times == sorted(times)
    assert from_ns(times[0]) == at(1)
    assert len(times) == len(DIAGNOSIS.timeline) + 2


def test_a_silenced_alert_says_so_and_a_nameless_one_is_told_too() -> None:
    (quiet,) = with_alerts(DIAGNOSIS, [rang("cart", 31, state="suppressed")]).evidence[-1:]
    assert quiet.statement.en == "Alert Slow of cart (silenced) has been firing since 10:31:00 UTC."
    assert quiet.statement.zh == "cart 的告警 Slow（已静默） 自 UTC 10:31:00 起触发。"
    (nameless,) = with_alerts(DIAGNOSIS, [rang("cart", 31, name="")]).evidence[-1:]
    assert nameless.statement.en.startswith("Alert ? of cart")
    pending = with_alerts(DIAGNOSIS, [rang("cart", 31, state="unprocessed")])
    assert told(pending) == []


def test_what_users_write_is_shown_on_one_line_short_and_without_secrets() -> None:
    summary = "token=abcdef0123456789 \n\u202e" + "x" * 500
    (item,) = with_alerts(DIAGNOSIS, [rang("cart", 31, summary=summary)]).evidence[-1:]
    assert "abcdef0123456789" not in item.statement.en
    assert "\n" not in item.statement.en
    assert "\u202e" not in item.statement.zh
    assert len(item.statement.en) < 300


def test_the_query_names_the_alert_and_nothing_breaks_out_of_it() -> None:
    alert = Alert((("a.b", "1\u202e"), ("alertname", 'x",y="z\\\n')), (), at(31))
    assert alert_query(alert) == r'{"a.b"="1\u202e",alertname="x\",y=\"z\\\u000a"}'


def test_the_hash_is_of_the_moment_it_began() -> None:
    first, same, other = (
        with_alerts(DIAGNOSIS, [rang("cart", minute)]).evidence[-1] for minute in (31, 31, 32)
    )
    assert first.sha256 == same.sha256 != other.sha256
    assert first.data_window.start == at(31)
    assert replace(first, sha256="") == replace(same, sha256="")
