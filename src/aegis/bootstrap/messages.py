"""How messages are to look, from the settings, and what a call or an answer would tell."""

from __future__ import annotations

from aegis.adapters.system_clock import SystemClock
from aegis.model.message import Notice
from aegis.model.text import Language
from aegis.settings import Settings
from aegis.workflows.analyze_incident import Analysis, listed_causes
from aegis.workflows.deliver_messages.answer_card import answer_notice
from aegis.workflows.deliver_messages.answer_lines import Told
from aegis.workflows.deliver_messages.preview import Preview, preview
from aegis.workflows.deliver_messages.style import Style
from aegis.workflows.receive_alerts.reading import read_webhook


def message_style(settings: Settings, language: Language | None = None) -> Style:
    return Style(
        language=language or settings.language,
        timezone=settings.timezone,
        public_url=settings.public_url,
        link_hosts=settings.link_hosts,
        routing=settings.routing,
    )


def preview_body(
    settings: Settings, body: bytes, language: Language
) -> tuple[tuple[Preview, ...], tuple[str, ...]]:
    """What it would tell if it came now to an empty store, and why items are no alerts."""
    now = SystemClock().now()
    webhook = read_webhook(body, now, settings.replica_labels)
    reasons = tuple(one.reason for one in webhook.quarantined)
    return preview(webhook, message_style(settings, language), now), reasons


def notice_of(settings: Settings, analysis: Analysis) -> Notice:
    """An answer as a message to a chat, in the language of the question."""
    diagnosis = analysis.diagnosis
    told = Told(
        question=analysis.question.text,
        window=diagnosis.window if diagnosis.onset is None else diagnosis.onset.asked,
        diagnosis=diagnosis,
        answer=analysis.answer,
        causes=listed_causes(diagnosis),
        addresses=settings.addresses,
    )
    return answer_notice(told, message_style(settings))
