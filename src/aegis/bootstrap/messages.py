"""How messages are to look, from the settings, and what a webhook call would tell."""

from __future__ import annotations

from aegis.adapters.system_clock import SystemClock
from aegis.model.text import Language
from aegis.settings import Settings
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
