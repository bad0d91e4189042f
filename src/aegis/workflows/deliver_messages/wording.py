"""The sentences of messages, in both languages."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aegis.model.delivery import Known
from aegis.model.episode import Episode, History
from aegis.model.severity import Severity
from aegis.model.text import Text

MARKS: dict[Severity, str] = {
    Severity.CRITICAL: "🔴",
    Severity.MAJOR: "🟠",
    Severity.WARNING: "🟡",
    Severity.UNKNOWN: "🟣",
    Severity.INFO: "🔵",
    Severity.NONE: "⚪",
}
RESOLVED_MARK = "✅"
UNNAMED = Text("（未命名告警）", "(alert without a name)")
NO_SEVERITY = Text("无级别", "no severity")
MORE_FIRING = Text("其余未恢复的告警", "More that are firing")
RESOLVED_PART = Text("已恢复", "Resolved")
DETAILS = Text("详情", "Details")
LABELS = Text("标签", "Labels")
ALL_ALERTS = Text("全部告警", "All alerts")
SILENT_HOURS = Text("静默时段汇总", "Quiet hours digest")
NOTHING_KNOWN = Text("没有可以显示的告警", "No alert to show")

_ODD = timedelta(days=1)
_FIRST_YEAR = 2000


def since_of(episode: Episode) -> datetime:
    """When it began; a time nobody can mean (year 1, the far future) gives way to ours."""
    at = episode.starts_at
    return at if at.year >= _FIRST_YEAR and at <= episode.first_seen + _ODD else episode.first_seen


def end_of(episode: Episode) -> datetime | None:
    """None while it is open; a time nobody can mean gives way to when we last heard of it."""
    at = episode.resolved_at
    if at is None or (at.year >= _FIRST_YEAR and at <= episode.last_seen + _ODD):
        return at
    return episode.last_seen


def clock(moment: datetime, now: datetime, timezone: ZoneInfo) -> str:
    """`14:02`, with the day where it is another one, with the year where that is another one."""
    local, today = moment.astimezone(timezone), now.astimezone(timezone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def length_of_time(minutes: float) -> Text:
    """Two units at most."""
    whole = max(0, int(minutes))
    if whole < 1:
        return Text("1 分钟以内", "under 1 min")
    days, rest = divmod(whole, 1440)
    hours, left = divmod(rest, 60)
    if days:
        extra = Text(f" {hours} 小时", f" {hours} h") if hours else Text("", "")
        return Text(f"{days} 天{extra.zh}", f"{days} d{extra.en}")
    if hours:
        extra = Text(f" {left} 分钟", f" {left} min") if left else Text("", "")
        return Text(f"{hours} 小时{extra.zh}", f"{hours} h{extra.en}")
    return Text(f"{left} 分钟", f"{left} min")


def lasting(episode: Episode, now: datetime, timezone: ZoneInfo) -> Text:
    """Since when and how long, or when it was resolved and how long it lasted."""
    start, end = since_of(episode), end_of(episode)
    took = length_of_time(((end or now) - start).total_seconds() / 60)
    if end is None:
        at = clock(start, now, timezone)
        return Text(f"{at} 起（{took.zh}）", f"since {at} ({took.en})")
    at = clock(end, now, timezone)
    return Text(f"{at} 恢复（历时 {took.zh}）", f"resolved {at}, lasted {took.en}")


def repeats(history: History) -> Text | None:
    """How often in the last seven days; None the first time."""
    if history.episodes < 2:
        return None
    zh, en = f"本周第 {history.episodes} 次", f"{_ordinal(history.episodes)} time this week"
    if history.last_minutes is None:
        return Text(zh, en)
    took = length_of_time(history.last_minutes)
    return Text(f"{zh}，上次 {took.zh}", f"{en}, last {took.en}")


def counted(firing: int, resolved: int) -> Text:
    if firing and resolved:
        return Text(
            f"{firing} 条未恢复，{resolved} 条已恢复", f"{firing} firing, {resolved} resolved"
        )
    if firing:
        return Text(f"{firing} 条未恢复", f"{firing} firing")
    if resolved == 1:
        return Text("已恢复", "resolved")
    return Text(f"{resolved} 条全部恢复", f"all {resolved} resolved")


def conclusion(shown: tuple[Known, ...], worst: str, now: datetime, timezone: ZoneInfo) -> Text:
    """How many, how bad, since when."""
    firing = [one.episode for one in shown if one.episode.is_open]
    counts = counted(len(firing), len(shown) - len(firing))
    if not firing:
        ended = max((end_of(one.episode) or now for one in shown), default=now)
        at = clock(ended, now, timezone)
        return Text(f"**{counts.zh}** · {at}", f"**{counts.en}** · {at}")
    start = min(since_of(one) for one in firing)
    at = clock(start, now, timezone)
    took = length_of_time((now - start).total_seconds() / 60)
    return Text(
        f"**{counts.zh}** · 最高级别 {worst} · {at} 起（{took.zh}）",
        f"**{counts.en}** · worst: {worst} · since {at} ({took.en})",
    )


def left_out(count: int) -> Text:
    return Text(f"另有 {count} 条未列出", f"+{count} more not listed here")


def earlier(count: int) -> Text:
    """Episodes of alerts that are shown with their newest one."""
    return Text(f"另有 {count} 次较早的触发", f"+{count} earlier episodes of these")


def look_up(command: str) -> Text:
    return Text(f"查看全部：{command}", f"see all: {command}")


def data_loss(count: int) -> Text:
    return Text(
        f"⚠️ 数据丢失：Alertmanager 截断了 {count} 条告警，这里看不到它们（请设置 max_alerts: 0）",
        f"⚠️ Data loss: Alertmanager cut off {count} alerts, which cannot be seen here "
        "(set max_alerts: 0)",
    )


def in_groups(groups: int, firing: int, resolved: int) -> Text:
    counts = counted(firing, resolved)
    return Text(f"{groups} 组告警：{counts.zh}", f"{groups} alert groups: {counts.en}")


def storm(groups: int, firing: int, resolved: int) -> Text:
    counts = counted(firing, resolved)
    return Text(f"告警风暴：{groups} 组，{counts.zh}", f"Alert storm: {groups} groups, {counts.en}")


def news(again: int, firing: int, what: str) -> Text:
    """Title of a reply: what has come to a card that is there already."""
    if again and again == firing:
        return Text(f"再次触发：{what}", f"Firing again: {what}")
    return Text(f"新增 {firing} 条告警：{what}", f"{firing} new: {what}")


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"
