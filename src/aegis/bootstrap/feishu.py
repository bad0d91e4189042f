"""Writing to Feishu with what the settings say."""

from __future__ import annotations

from uuid import uuid4

from aegis.adapters.feishu.greeting import greeting
from aegis.adapters.feishu.sender import FeishuSender
from aegis.adapters.system_clock import SystemClock
from aegis.bootstrap.running import run_to_end
from aegis.model.errors import ConfigurationError
from aegis.model.message import Message
from aegis.model.text import Language
from aegis.settings import Settings


def feishu_sender(settings: Settings) -> FeishuSender:
    """Not started yet; ConfigurationError where no app is set up."""
    if settings.feishu is None:
        message = "FEISHU_APP_ID and FEISHU_APP_SECRET: set them to those of your app"
        raise ConfigurationError(message)
    return FeishuSender(settings.feishu, SystemClock())


def send_test(settings: Settings, chat: str | None, language: Language) -> tuple[str, str]:
    """(chat, platform's id) of a small card that wakes nobody; a DeliveryError where it failed."""
    sender = feishu_sender(settings)
    chat_id = chat or sender.config.default_chat_id
    if not chat_id:
        raise ConfigurationError("FEISHU_DEFAULT_CHAT_ID: set it, or name a chat with --chat")
    content = greeting(language, SystemClock().now(), settings.timezone)
    uuid = uuid4().hex
    message = Message(uuid, chat_id, "create", "interactive", content, uuid)

    async def send() -> str:
        try:
            await sender.start()
            return await sender.send(message)
        finally:
            sender.close()

    return chat_id, run_to_end(send())
