"""Loads lark-oapi, and keeps what it would print to itself."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from typing import Any

from aegis.model.errors import ConfigurationError

INSTALL = 'pip install "aegis-sre[feishu]"'
LOGGER = "Lark"

_SECRET = re.compile(
    r"(?i)((?:access_key|ticket|app_?secret|[a-z_]*access_token|authorization)[\"']?\s*[=:]\s*"
    r"[\"']?(?:bearer\s+)?|bearer\s+)[^\s\"'&,}\]]+"
)


def load() -> Any:
    """The module `lark_oapi`; ConfigurationError where it is not installed.

    The import takes seconds and 170 MB, and keeps the event loop of its thread: only the thread
    that will use the SDK may call this, while no loop runs in it. The loop that the import makes
    for a long connection is closed: whoever opens one sets `lark_oapi.ws.client.loop` to its own.
    """
    first = "lark_oapi" not in sys.modules
    try:
        import lark_oapi  # type: ignore[import-untyped]
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != "lark_oapi":
            raise ConfigurationError(f"Feishu: {error.name} is missing; {INSTALL}") from error
        raise ConfigurationError(f"Feishu needs lark-oapi: {INSTALL}") from error
    quiet()
    if first:
        lark_oapi.ws.client.loop.close()
        asyncio.set_event_loop(None)
    return lark_oapi


def quiet() -> None:
    """The SDK prints to stdout, a second time through the root logger, and tells secrets."""
    logger = logging.getLogger(LOGGER)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(logging.NullHandler())
    if not any(isinstance(one, _Redacting) for one in logger.filters):
        logger.addFilter(_Redacting())


class _Redacting(logging.Filter):
    """Lets warnings and errors pass, without what must not be told.

    The SDK sets the level of its logger again for each client, so the level is no protection.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        record.msg = without_secrets(record.getMessage())
        record.args = None
        record.exc_info = None
        record.exc_text = None
        return True


def without_secrets(text: str) -> str:
    """What follows the name of a secret, in a URL, a header or JSON, becomes `***`."""
    return _SECRET.sub(r"\1***", text)
