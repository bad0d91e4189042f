"""A webhook's body: each alert is read alone, and nothing that is sent stops the reading."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.model.alert import fingerprint
from aegis.model.webhook import ReceivedAlert, Webhook
from aegis.workflows.receive_alerts.reading import MOST_QUARANTINED, read_webhook
from aegis.workflows.receive_alerts.splitting import MOST_ALERTS, split
from tests.webhook.bodies import ALL, NO_TIME, alert, body, captured, resolved

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def read(raw: bytes, *replica_labels: str) -> Webhook:
    return read_webhook(raw, NOW, replica_labels)


def only(raw: bytes) -> ReceivedAlert:
    webhook = read(raw)
    assert webhook.quarantined == ()
    (found,) = webhook.alerts
    return found


def reasons(raw: bytes) -> list[str]:
    return [one.reason for one in read(raw).quarantined]


@pytest.mark.parametrize("name", ALL)
def test_every_capture_is_read_whole(name: str) -> None:
    raw = captured(name)
    told, webhook = json.loads(raw), read(raw)
    assert webhook.quarantined == ()
    assert [one.fingerprint for one in webhook.alerts] == [
        one["fingerprint"] for one in told["alerts"]
    ]
    for one, given_ in zip(webhook.alerts, told["alerts"], strict=True):
        assert dict(one.labels) == given_["labels"]
        assert dict(one.annotations) == given_["annotations"]
        assert one.status == given_["status"]
        assert one.starts_at == datetime.fromisoformat(given_["startsAt"])
        assert (one.ends_at is None) == (one.status == "firing")
        assert one.generator_url == given_["generatorURL"]
    assert webhook.group_key == told["groupKey"]
    assert dict(webhook.group_labels) == told["groupLabels"]
    assert webhook.truncated_alerts == told["truncatedAlerts"]
    assert webhook.receiver == told["receiver"]
    assert webhook.external_url == told["externalURL"]


def test_labels_keep_every_name_that_is_text() -> None:
    names = {"a.b/c d": "1", "集群": "实验室", "": "empty", "🔥": "\u200b"}
    assert dict(only(body(alert(labels=names))).labels).items() >= names.items()


# --- One that is no alert -------------------------------------------------------------------

BAD: list[tuple[Any, str]] = [
    (17, "no JSON object"),
    (None, "no JSON object"),
    ([], "no JSON object"),
    ({}, "labels: there are none"),
    (alert(labels={"port": 8080}), "the value of 'port' is no text"),
    ({**alert(), "labels": None}, "labels: there are none"),
    ({**alert(), "labels": ["a"]}, "labels: there are none"),
    ({**alert(), "annotations": "x"}, "annotations: is no JSON object"),
    (alert(status="pending"), "neither firing nor resolved but 'pending'"),
    (alert(status=None), "neither firing nor resolved"),
    (alert(startsAt="yesterday"), "startsAt: is no time"),
    (alert(startsAt="2026-13-40T25:61:61Z"), "startsAt: is no time"),
    (alert(startsAt=5), "startsAt: is no time"),
    (resolved(until="soon"), "endsAt: is no time"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_one_that_is_none_does_not_cost_the_others(bad: Any, reason: str) -> None:
    webhook = read(body(alert("First"), bad, alert("Last")))
    assert [one.name for one in webhook.alerts] == ["First", "Last"]
    (found,) = webhook.quarantined
    assert found.position == 1
    assert reason in found.reason
    assert json.loads(found.raw) == json.loads(json.dumps(bad))


RAW: list[tuple[str, str]] = [
    ('{"status": NaN}', "NaN is no number"),
    ('{"status": -Infinity}', "-Infinity is no number"),
    ('{"status" "x"}', "is not JSON"),
    ("[" * 5000 + "]" * 5000, "nested too deeply"),
    ('{"x": ' + "9" * 5000 + "}", "is not JSON"),
    ("{" + '"k": 1,' * 2_100_000 + '"z": 1}', "longer than 2,097,152"),
    ('{"labels": {"a": "\\x"}}', "is not JSON"),
    ("tru", "is not JSON"),
]


@pytest.mark.parametrize(("bad", "reason"), RAW, ids=lambda value: value[:16])
def test_one_that_is_not_even_json_does_not_cost_the_others(bad: str, reason: str) -> None:
    raw = body(alert("First"), "HERE", alert("Last")).replace(b'"HERE"', bad.encode())
    webhook = read(raw)
    assert [one.name for one in webhook.alerts] == ["First", "Last"]
    (found,) = webhook.quarantined
    assert reason in found.reason
    assert len(found.raw) <= 4096


def test_text_that_cannot_be_stored_is_replaced_and_the_alert_kept() -> None:
    raw = body(alert(labels={"x": "HERE"})).replace(b"HERE", b"a\\ud83d-\\u0000-\\udd25b")
    found = only(raw)
    assert dict(found.labels)["x"] == "a\ufffd-\ufffd-\ufffdb"


def test_a_pair_of_surrogates_is_one_character() -> None:
    raw = body(alert(labels={"x": "HERE"})).replace(b"HERE", b"\\ud83d\\udd25")
    assert dict(only(raw).labels)["x"] == "🔥"


def test_the_fingerprint_is_that_of_the_labels_as_alertmanager_has_them() -> None:
    """NUL counts as NUL; half of a pair is U+FFFD, as Go decodes it."""
    raw = body(alert(labels={"x": "HERE"})).replace(b"HERE", b"\\u0000\\ud800")
    labels = (("alertname", "DiskFull"), ("severity", "critical"), ("x", "\0\ufffd"))
    assert only(raw).fingerprint == fingerprint(labels)


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    raw = body(alert(labels={"x": "HERE"})).replace(b"HERE", b"\xff\xfe")
    assert dict(only(raw).labels)["x"] == "\ufffd\ufffd"


@pytest.mark.parametrize("annotations", [None, {}])
def test_an_alert_needs_no_annotations(annotations: Any) -> None:
    assert only(body(alert(annotations=annotations))).annotations == ()


def test_annotations_that_are_no_text_are_shown_as_they_came() -> None:
    given_ = {"a": None, "b": 1.5, "c": ["x"], "d": {"e": "火"}}
    assert dict(only(body(alert(annotations=given_))).annotations) == {
        "b": "1.5",
        "c": '["x"]',
        "d": '{"e": "火"}',
    }


def test_fields_nobody_knows_are_left_alone() -> None:
    raw = body({**alert(), "new": {"deep": [1, {}]}}, notification_reason="first", more=[[]])
    assert only(raw).name == "DiskFull"


def test_a_name_that_is_given_twice_counts_as_given_last() -> None:
    raw = body(alert()).replace(b'"status": "firing", "labels"', b'"labels": {}, "labels"')
    assert reasons(raw) == ["status: is neither firing nor resolved but 'None'"]
    raw = body(alert()).replace(b'"alertname": "DiskFull"', b'"alertname": "A", "alertname": "B"')
    assert only(raw).name == "B"


def test_no_list_of_alerts_is_left_out_where_there_are_two() -> None:
    first, second = body(alert("A")), body(alert("B"))
    both = first[:-1] + b"," + second[1:]
    assert [one.name for one in read(both).alerts] == ["A", "B"]


# --- Times ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T12:00:00Z", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21T20:00:00+08:00", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21t12:00:00z", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21T12:00:00.5Z", datetime(2026, 11, 21, 12, 0, 0, 500_000, UTC)),
        ("2026-11-21T12:00:00.123456789Z", datetime(2026, 11, 21, 12, 0, 0, 123_456, UTC)),
        ("2026-11-21T12:00:00", datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("0002-01-01T00:00:00+14:00", datetime(1, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_form_of_the_rfc(text: str, expected: datetime) -> None:
    assert only(body(alert(startsAt=text))).starts_at == expected


@pytest.mark.parametrize("text", [NO_TIME, None, ""])
def test_an_alert_without_a_start_begins_when_it_arrives(text: Any) -> None:
    assert only(body(alert(startsAt=text))).starts_at == NOW


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"])
def test_an_alert_of_the_far_future_begins_when_it_arrives(text: str) -> None:
    """Else everything that comes after it would be late."""
    assert only(body(alert(startsAt=text))).starts_at == NOW


def test_a_resolved_alert_without_times_ends_now() -> None:
    found = only(body(resolved(startsAt=NO_TIME, until=NO_TIME)))
    assert (found.starts_at, found.ends_at) == (NOW, NOW)


def test_when_an_alert_that_fires_would_be_dropped_is_no_end() -> None:
    assert only(body(alert(endsAt="2026-11-21T12:05:00Z"))).ends_at is None


# --- Replicas -------------------------------------------------------------------------------


def replica(name: str, **more: Any) -> Any:
    return alert(labels={"prometheus": name}, **more)


def test_replicas_of_a_prometheus_tell_of_one_alert() -> None:
    webhook = read(body(replica("a"), replica("b")), "prometheus", "absent")
    (found,) = webhook.alerts
    assert found.fingerprint == fingerprint((("alertname", "DiskFull"), ("severity", "critical")))
    assert dict(found.labels)["prometheus"] == "a"
    assert len(read(body(replica("a"), replica("b"))).alerts) == 2


def test_an_alert_fires_as_long_as_one_replica_says_so() -> None:
    ended = replica("a", status="resolved", endsAt="2026-11-21T12:10:00Z")
    for pair in ((ended, replica("b")), (replica("b"), ended)):
        (found,) = read(body(*pair), "prometheus").alerts
        assert found.status == "firing"


def test_labels_that_are_all_of_replicas_are_kept() -> None:
    raw = body({**alert(), "labels": {"prometheus": "a"}})
    (found,) = read(raw, "prometheus").alerts
    assert found.fingerprint == fingerprint((("prometheus", "a"),))


# --- Whole bodies ---------------------------------------------------------------------------

BROKEN = [
    (b"", "is empty"),
    (b"   ", "at character 3: is no JSON object"),
    (b"[]", "at character 0: is no JSON object"),
    (b"null", "at character 0: is no JSON object"),
    (b"alerts=1", "at character 0: is no JSON object"),
    (b"{", "at character 1: a field's name was expected"),
    (b'{"a"', "a field's name was expected"),
    (b'{"a":', "a value was expected"),
    (b'{"a":}', "a value was expected"),
    (b'{"a":"x', "a value was expected"),
    (b'{"a":1', "a comma or the end was expected"),
    (b'{"a":1]', "a ] was not expected"),
    (b'{"a":[1}', "a comma or the end was expected"),
    (b'{"a":{', "does not end"),
    (b'{"alerts":[', "a value was expected"),
    (b'{"alerts":[1}', "a } was not expected"),
    (b'{"alerts":{}}', "alerts: is no list"),
    (b'{"alerts":7}', "alerts: is no list"),
    (b"[" * 1_000_000, "at character 0: is no JSON object"),
    (b'{"x":' + b"[" * 1_000_000, "does not end"),
    (b'{"x":' + b"[" * 2_000_001, "more than 2,000,000 brackets"),
    ("\ufeff{\ufeff".encode("utf-16"), "is no JSON object"),
    (b"\x1f\x8b\x08\x00gzip", "is no JSON object"),
]


@pytest.mark.parametrize(("raw", "reason"), BROKEN, ids=lambda value: str(value)[:20])
def test_a_body_that_is_none_is_in_the_quarantine(raw: bytes, reason: str) -> None:
    webhook = read(raw)
    assert webhook.alerts == ()
    assert reason in webhook.quarantined[-1].reason


def test_what_was_read_before_a_body_breaks_off_counts() -> None:
    raw = body(alert("First"), alert("Second"))
    webhook = read(raw[: raw.index(b"Second")])
    assert [one.name for one in webhook.alerts] == ["First"]
    assert "does not end" in webhook.quarantined[0].reason
    assert webhook.quarantined[0].position == 1
    assert "Second" not in webhook.quarantined[0].raw


@pytest.mark.parametrize("raw", [b"{}", b" { } ", b'{"alerts":[]}', b'{"alerts": null}', body()])
def test_a_body_without_alerts_is_no_mistake(raw: bytes) -> None:
    webhook = read(raw)
    assert (webhook.alerts, webhook.quarantined) == ((), ())


def test_a_byte_order_mark_and_space_do_no_harm() -> None:
    spaced = json.dumps(json.loads(body(alert())), indent=3).encode()
    assert only(b"\xef\xbb\xbf\r\n " + spaced + b"\n").name == "DiskFull"


def test_a_million_things_that_are_no_alerts_cost_little() -> None:
    webhook = read(b'{"alerts":[' + b"[]," * 1_000_000 + b"[]]}")
    assert len(webhook.quarantined) == MOST_QUARANTINED + 1
    assert f"more than {MOST_ALERTS:,} alerts" in webhook.quarantined[-1].reason


@pytest.mark.parametrize(
    ("raw", "count"),
    [("40", 40), ("0", 0), ("null", 0), ("-3", 0), ('"7"', 0), ("1e999", 0), ("9" * 29, 2**31 - 1)],
)
def test_how_many_were_left_out_is_a_number_that_can_be_stored(raw: str, count: int) -> None:
    text = body(alert()).replace(b'"truncatedAlerts": 0', f'"truncatedAlerts": {raw}'.encode())
    assert read(text).truncated_alerts == count


def test_a_group_without_a_key_is_known_by_its_labels() -> None:
    webhook = read(body(alert(), groupKey=None, groupLabels={"b": "2", "a": "1"}))
    assert webhook.group_key == 'labels:{"a": "1", "b": "2"}'
    assert read(body(alert(), groupKey="", groupLabels=7)).group_key == "labels:{}"


def test_a_key_that_is_too_long_for_an_index_is_told_by_its_hash() -> None:
    one, other = ("集" * 5000 + end for end in "ab")
    keys = {read(body(alert(), groupKey=key)).group_key for key in (one, other)}
    assert len(keys) == 2
    assert all(len(key) == 400 for key in keys)


# --- Anything -------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reading(raw: bytes) -> None:
    read(raw)


@given(st.text(alphabet='{}[]",:\\ \nalerts1etrufn', max_size=80))
def test_no_text_that_is_almost_json_stops_the_reading(text: str) -> None:
    read(text.encode())
    read(b'{"alerts":[' + text.encode() + b"]}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), json_values, max_size=5), st.lists(json_values, max_size=5))
def test_what_json_splits_into_is_what_it_was_made_of(
    fields: dict[str, Any], alerts: list[Any]
) -> None:
    fields.pop("alerts", None)
    found = split(json.dumps({**fields, "alerts": alerts}, ensure_ascii=False))
    assert found.broken is None
    assert {name: json.loads(raw) for name, raw in found.fields.items()} == fields
    assert [json.loads(raw) for raw in found.alerts] == alerts


@given(st.integers(0, 1200))
def test_wherever_a_body_is_cut_off_the_alerts_before_are_read(place: int) -> None:
    raw = body(alert("First"), alert("Second"))
    webhook = read(raw[:place])
    ends = [raw.index(b'}, {"status"') + 1, raw.rindex(b"}]") + 1]
    assert len(webhook.alerts) == sum(place >= end for end in ends)
    assert (webhook.quarantined == ()) == (place >= len(raw))
