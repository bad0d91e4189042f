"""The routes file is read strictly, and a mistake is named with file, line and field."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from aegis.model.errors import ConfigurationError
from aegis.model.message import NOBODY, Mention
from aegis.model.routing import Matcher, MentionRule, QuietHours, Route, Routing
from aegis.settings import read_settings

GOOD = """\
timezone: Europe/Berlin
mentions:
  - {severities: [critical], mention: all}
  - mention: none
routes:
  - name: payments
    matchers:
      - team="payments"
      - '{severity=~"critical|warning", env!="test"}'
    chat: oc_payments
    continue: true
    mentions:
      severities: Critical
      mention: [ou_ann, ou_bob, ou_ann]
    quiet_hours:
      - days: [fri-mon, wednesday]
        from: 22:00
        to: 8:30
        timezone: Asia/Shanghai
        break_through: [Critical, page]
      - from: "00:00"
        to: "24:00"
        break_through: none
  - chat: oc_rest
default:
  chat: oc_all
"""


def read(text: str, tmp_path: Path, **variables: str) -> Routing:
    file = tmp_path / "routes.yaml"
    file.write_text(text, encoding="utf-8")
    return read_settings({"AEGIS_ROUTES_FILE": str(file), **variables}).routing


def test_everything_in_a_routes_file_is_read(tmp_path: Path) -> None:
    found = read(GOOD, tmp_path)
    berlin, shanghai = (hours.timezone for hours in reversed(found.routes[0].quiet))
    assert (berlin.key, shanghai.key) == ("Europe/Berlin", "Asia/Shanghai")
    assert found == Routing(
        (
            Route(
                "payments",
                "oc_payments",
                (
                    Matcher("team", "=", "payments"),
                    Matcher("severity", "=~", "critical|warning"),
                    Matcher("env", "!=", "test"),
                ),
                True,
                (MentionRule(Mention(people=("ou_ann", "ou_bob")), ("critical",)),),
                (
                    QuietHours(
                        (0, 2, 4, 5, 6), time(22), time(8, 30), shanghai, ("critical", "page")
                    ),
                    QuietHours(tuple(range(7)), time(0), time(0), berlin, ()),
                ),
            ),
            Route("route 2", "oc_rest"),
        ),
        Route("default", "oc_all"),
        (MentionRule(Mention(everybody=True), ("critical",)), MentionRule(NOBODY)),
    )


def test_the_default_chat_is_that_of_the_environment_where_the_file_names_none(
    tmp_path: Path,
) -> None:
    feishu = {
        "FEISHU_APP_ID": "cli_a",
        "FEISHU_APP_SECRET": "s",
        "FEISHU_DEFAULT_CHAT_ID": "oc_b",
    }
    found = read("routes: [{chat: oc_a}]", tmp_path, **feishu)
    assert found.default == Route("default", "oc_b")
    assert read_settings(feishu).routing == Routing(default=Route("default", "oc_b"))
    assert read_settings({}).routing == Routing()


def test_a_route_may_lead_nowhere(tmp_path: Path) -> None:
    found = read("routes: [{chat: none, matchers: alertname=Watchdog}]", tmp_path)
    assert found.routes[0].chat_id == ""


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("*", MentionRule(Mention(everybody=True))),
        ("none", MentionRule(NOBODY)),
        ("Critical, page", MentionRule(Mention(everybody=True), ("critical", "page"))),
    ],
)
def test_whom_everybody_is_woken_for_is_a_setting(
    text: str, rule: MentionRule, tmp_path: Path
) -> None:
    assert read_settings({"AEGIS_MENTION_ALL": text}).routing.mentions == (rule,)
    assert read("routes: []", tmp_path, AEGIS_MENTION_ALL=text).mentions == (rule,)
    assert len(read(GOOD, tmp_path, AEGIS_MENTION_ALL=text).mentions) == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("[", "is no YAML"),
        ("- a", "line 1: must be a mapping"),
        ("route: []", "line 1: route: is no key here; known are timezone, mentions, routes"),
        ("routes:\n  - name: a", "line 2: routes[1]: chat is missing"),
        (
            "routes:\n  - chat: x",
            "line 2: routes[1].chat: 'x' is neither the id of a chat such as oc_… nor none",
        ),
        ("routes:\n  - chat: oc_a\n    chats: oc_b", "line 3: routes[1].chats: is no key here"),
        ("routes:\n  - chat: oc_a\n    chat: oc_b", "line 3: routes[1].chat: is there twice"),
        ("routes:\n- {chat: oc_a, matchers: [a]}", "line 2: routes[1].matchers[1]: 'a' is no list"),
        (
            'routes:\n- chat: oc_a\n  matchers: a=~"(x"',
            "line 3: routes[1].matchers: a=~'(x': the pattern has a ( without its )",
        ),
        ("routes: [{chat: oc_a, continue: yes}]", "continue: must be true or false, is 'yes'"),
        ("routes: [{chat: oc_a, name: a}, {chat: oc_b, name: a}]", "a second route named 'a'"),
        ("routes: [{chat: oc_a, name: default}]", "a second route named 'default'"),
        ("routes: [{chat: oc_a, mentions: {severities: a}}]", "mention is missing"),
        ("routes: [{chat: oc_a, mentions: {mention: ann}}]", "neither all nor none nor an open id"),
        ("routes: [{chat: oc_a, mentions: {mention: []}}]", "must name 1 to 50 people"),
        ("routes: [{chat: oc_a, quiet_hours: {from: 1:00}}]", "to is missing"),
        ("routes: [{chat: oc_a, quiet_hours: {from: 25:00, to: 1:00}}]", "is no time such as"),
        ("routes: [{chat: oc_a, quiet_hours: {from: 24:30, to: 1:00}}]", "is no time such as"),
        (
            "routes: [{chat: oc_a, quiet_hours: {from: '7:00', to: '07:00'}}]",
            "quiet_hours.to: to is the same as from; a whole day is from 00:00 to 24:00",
        ),
        ("routes: [{chat: oc_a, quiet_hours: {from: '0:00', to: '00:00'}}]", "is the same as from"),
        ("routes: [{chat: oc_a, quiet_hours: {from: '24:00', to: '7:00'}}]", "cannot be 24:00"),
        (
            "routes: [{chat: oc_a, quiet_hours: {days: [mo], from: 2:00, to: 1:00}}]",
            "quiet_hours.days[1]: 'mo' is none of mon, tue",
        ),
        ("timezone: Mars/Base", "line 1: timezone: 'Mars/Base' is no IANA time zone"),
        ("default: {matchers: a=b, chat: oc_a}", "default.matchers: is no key here"),
        ("default: {}", "default: chat is missing"),
        ("routes: &r\n- chat: oc_a\ndefault: *r", "uses aliases"),
        ("[" * 5000, "is no YAML"),
        ("#" * 1_100_000, "more than 1048576 bytes"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field(
    text: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text, tmp_path)
    assert complaint in str(caught.value)
    assert str(tmp_path / "routes.yaml") in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"AEGIS_ROUTES_FILE: .* cannot be read"):
        read_settings({"AEGIS_ROUTES_FILE": str(tmp_path / "none.yaml")})
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_settings({"AEGIS_ROUTES_FILE": str(tmp_path / "latin.yaml")})


def test_links_may_lead_where_the_settings_say() -> None:
    found = read_settings(
        {
            "AEGIS_LINK_HOSTS": "Wiki.example.com, *.corp.example.org,runbooks:8443",
            "GRAFANA_EXTERNAL_URL": "https://grafana.example.com/x/",
            "PROMETHEUS_EXTERNAL_URL": "http://[::1]:9090",
            "JAEGER_EXTERNAL_URL": "https://jaeger.example.com",
            "AEGIS_PUBLIC_URL": "https://aegis.example.com/base/",
        }
    )
    assert found.public_url == "https://aegis.example.com/base"
    assert found.link_hosts == (
        "wiki.example.com",
        ".corp.example.org",
        "runbooks:8443",
        "grafana.example.com",
        "[::1]:9090",
        "jaeger.example.com",
        "aegis.example.com",
    )
    assert read_settings({}).link_hosts == ()
    assert read_settings({}).public_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FEISHU_DEFAULT_CHAT_ID", "general"),
        ("AEGIS_MENTION_ALL", ","),
        ("AEGIS_MENTION_ALL", "*,critical"),
        ("AEGIS_LINK_HOSTS", "https://wiki.example.com"),
        ("AEGIS_PUBLIC_URL", "aegis.example.com"),
        ("AEGIS_PUBLIC_URL", "https://aegis.example.com/?a"),
        ("AEGIS_PUBLIC_URL", "https://aegis.example.com/a b"),
        ("GRAFANA_EXTERNAL_URL", "https://ann:secret@grafana"),
        ("JAEGER_EXTERNAL_URL", "https://x:y"),
    ],
)
def test_a_wrong_variable_is_named_and_no_secret_told(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name}: ") as caught:
        read_settings({name: value})
    assert "secret" not in str(caught.value)
