"""The first words of a message, also seen where it is only announced."""

from __future__ import annotations

from aegis.model.delivery import Known
from aegis.workflows.deliver_messages import lines, wording
from aegis.workflows.deliver_messages.planning import Plan
from aegis.workflows.deliver_messages.voice import Voice, latest, mark_of


def card_title(one: Plan, voice: Voice) -> str:
    """Not yet harmless."""
    newest = latest(one.shown)
    firing = tuple(known for known in newest if known.episode.is_open)
    ended = len(newest) - len(firing)
    mark = mark_of(newest[0]) if newest else wording.RESOLVED_MARK
    if one.occasion == "digest":
        counts = voice.say(wording.counted(len(firing), ended))
        return f"🌙 {voice.say(wording.SILENT_HOURS)}: {counts}"
    if one.occasion == "storm":
        return f"{mark} {voice.say(wording.storm(len(one.groups), len(firing), ended))}"
    if one.occasion == "groups":
        return f"{mark} {voice.say(wording.in_groups(len(one.groups), len(firing), ended))}"
    if not newest:
        return f"{mark} {dict(one.groups[0].labels).get('alertname', '')}"
    what = _what(firing or newest, voice)
    if not firing:
        return f"{mark} {voice.say(wording.RESOLVED_PART)}: {what}"
    return f"{mark} {what}" + (f" ({len(firing)})" if len(firing) > 1 else "")


def news_title(one: Plan, voice: Voice) -> str:
    """Of a reply; not yet harmless."""
    newest = latest(one.fresh)
    again = len(set(one.again))
    return f"{mark_of(newest[0])} " + voice.say(
        wording.news(again, len(newest), _what(newest, voice))
    )


def _what(shown: tuple[Known, ...], voice: Voice) -> str:
    return lines.headline(shown[0], voice) if len(shown) == 1 else lines.names_of(shown, voice)
