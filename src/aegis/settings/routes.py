"""Which chat hears of which alert, from `AEGIS_ROUTES_FILE` or the default chat alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aegis.model.errors import ConfigurationError
from aegis.model.matchers import read_matchers
from aegis.model.message import NOBODY, Mention
from aegis.model.routing import Matcher, MentionRule, QuietHours, Route, Routing
from aegis.settings.feishu import CHAT, DEFAULT_CHAT_ID, read_chat
from aegis.settings.yaml_nodes import Place, read_yaml

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DEFAULT_ROUTE = "default"
MOST_PEOPLE = 50
_OPEN_ID = re.compile(r"ou_[A-Za-z0-9_-]{1,64}")
_END_OF_DAY = re.compile(r"24:00")
_TIME = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")


def read_routing(given: Mapping[str, str], timezone: ZoneInfo) -> Routing:
    """Raises ConfigurationError, naming the variable, or the file with line and field."""
    chat = given.get(DEFAULT_CHAT_ID)
    default = Route(DEFAULT_ROUTE, read_chat(DEFAULT_CHAT_ID, chat)) if chat else None
    mentions = _usual_mentions(given)
    path = given.get("AEGIS_ROUTES_FILE")
    if not path:
        return Routing(default=default, mentions=mentions)
    top = read_yaml("AEGIS_ROUTES_FILE", Path(path))
    return _routing(top, timezone, default, mentions)


def _usual_mentions(given: Mapping[str, str]) -> tuple[MentionRule, ...]:
    """`*` (or nothing) is every severity, `none` is no severity."""
    text = (given.get("AEGIS_MENTION_ALL") or "*").strip()
    if text.lower() == "none":
        return (MentionRule(NOBODY),)
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not names or ("*" in names and len(names) > 1):
        message = f"AEGIS_MENTION_ALL: must be *, none or severities with commas, is {text!r}"
        raise ConfigurationError(message)
    everybody = Mention(everybody=True)
    return (MentionRule(everybody, () if names == ("*",) else names),)


def _routing(
    top: Place, timezone: ZoneInfo, default: Route | None, usual: tuple[MentionRule, ...]
) -> Routing:
    fields = top.fields("timezone", "mentions", "routes", "default")
    zone = _timezone(fields["timezone"]) if "timezone" in fields else timezone
    routes = []
    names = {DEFAULT_ROUTE}
    for number, one in enumerate(fields["routes"].items() if "routes" in fields else [], start=1):
        route = _route(one, f"route {number}", zone)
        if route.name in names:
            raise one.wrong(f"a second route named {route.name!r}")
        names.add(route.name)
        routes.append(route)
    if "default" in fields:
        default = _default(fields["default"], zone)
    mentions = _mentions(fields["mentions"]) if "mentions" in fields else usual
    return Routing(tuple(routes), default, mentions)


def _route(place: Place, unnamed: str, zone: ZoneInfo) -> Route:
    fields = place.fields("name", "matchers", "chat", "continue", "mentions", "quiet_hours")
    if "chat" not in fields:
        raise place.wrong("chat is missing")
    return Route(
        name=fields["name"].text() if "name" in fields else unnamed,
        chat_id=_chat(fields["chat"]),
        matchers=_matchers(fields["matchers"]) if "matchers" in fields else (),
        goes_on="continue" in fields and fields["continue"].flag(),
        mentions=_mentions(fields["mentions"]) if "mentions" in fields else (),
        quiet=_quiet(fields["quiet_hours"], zone) if "quiet_hours" in fields else (),
    )


def _default(place: Place, zone: ZoneInfo) -> Route:
    fields = place.fields("chat", "mentions", "quiet_hours")
    if "chat" not in fields:
        raise place.wrong("chat is missing")
    return Route(
        name=DEFAULT_ROUTE,
        chat_id=_chat(fields["chat"]),
        mentions=_mentions(fields["mentions"]) if "mentions" in fields else (),
        quiet=_quiet(fields["quiet_hours"], zone) if "quiet_hours" in fields else (),
    )


def _chat(place: Place) -> str:
    """Empty for the word none."""
    text = place.text()
    if text == "none":
        return ""
    if not CHAT.fullmatch(text):
        raise place.wrong(f"{text!r} is neither the id of a chat such as oc_… nor none")
    return text


def _matchers(place: Place) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    for one in place.items():
        try:
            found += read_matchers(one.text())
        except ValueError as error:
            raise one.wrong(str(error)) from None
    return tuple(found)


def _mentions(place: Place) -> tuple[MentionRule, ...]:
    return tuple(_mention_rule(one) for one in place.items())


def _mention_rule(place: Place) -> MentionRule:
    fields = place.fields("severities", "mention")
    if "mention" not in fields:
        raise place.wrong("mention is missing: all, none or a list of open ids")
    severities = _words(fields["severities"]) if "severities" in fields else ()
    return MentionRule(_mention(fields["mention"]), severities)


def _mention(place: Place) -> Mention:
    names = [one.text() for one in place.items()]
    if names == ["all"]:
        return Mention(everybody=True)
    if names == ["none"]:
        return NOBODY
    for name in names:
        if not _OPEN_ID.fullmatch(name):
            raise place.wrong(f"{name!r} is neither all nor none nor an open id such as ou_…")
    if not 1 <= len(names) <= MOST_PEOPLE:
        raise place.wrong(f"must name 1 to {MOST_PEOPLE} people")
    return Mention(people=tuple(dict.fromkeys(names)))


def _quiet(place: Place, zone: ZoneInfo) -> tuple[QuietHours, ...]:
    return tuple(_quiet_hours(one, zone) for one in place.items())


def _quiet_hours(place: Place, zone: ZoneInfo) -> QuietHours:
    fields = place.fields("days", "from", "to", "timezone", "break_through")
    for name in ("from", "to"):
        if name not in fields:
            raise place.wrong(f"{name} is missing")
    _check_length(fields["from"], fields["to"])
    through = fields.get("break_through")
    return QuietHours(
        days=_days(fields["days"]) if "days" in fields else tuple(range(7)),
        start=_time(fields["from"]),
        until=_time(fields["to"]),
        timezone=_timezone(fields["timezone"]) if "timezone" in fields else zone,
        breaking_through=None if through is None else _words(through, empty="none"),
    )


def _check_length(start: Place, until: Place) -> None:
    """Equal times may be meant as never or as always, so only 00:00 to 24:00 is a day."""
    if _END_OF_DAY.fullmatch(start.text()):
        raise start.wrong("from cannot be 24:00; write 00:00, or the next day among days")
    if _time(start) == _time(until) and not _END_OF_DAY.fullmatch(until.text()):
        raise until.wrong("to is the same as from; a whole day is from 00:00 to 24:00")


def _days(place: Place) -> tuple[int, ...]:
    found: set[int] = set()
    for one in place.items():
        first, dash, last = (part.strip().lower()[:3] for part in one.text().partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise one.wrong(f"{one.text()!r} is none of {', '.join(DAYS)}, nor a range of them")
        start, end = DAYS.index(first), DAYS.index(last if dash else first)
        found.update(day % 7 for day in range(start, end + 1 + (7 if end < start else 0)))
    return tuple(sorted(found))


def _time(place: Place) -> time:
    text = place.text()
    found = _TIME.fullmatch(text)
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 0)
    if hour > 24 or (hour == 24 and minute):
        raise place.wrong(f"{text!r} is no time such as 22:00")
    return time(hour % 24, minute)


def _timezone(place: Place) -> ZoneInfo:
    try:
        return ZoneInfo(place.text())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise place.wrong(f"{place.text()!r} is no IANA time zone") from None


def _words(place: Place, empty: str = "") -> tuple[str, ...]:
    """Severities in lower case; the word `empty` alone is none of them."""
    found = tuple(one.text().lower() for one in place.items())
    return () if empty and found == (empty,) else found
