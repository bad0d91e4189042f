"""Loads lark-oapi, and keeps what it would print to itself."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aegis.model.errors import ConfigurationError
from aegis.observability.logs import HIDDEN

INSTALL = 'pip install "aegis-sre[feishu]"'
LOGGER = "Lark"
_MOST_SAID = 200
_BROKEN = (
    ImportError,
    AttributeError,
    ArithmeticError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What importing a package raises that fits neither itself nor what it stands on."""

_SECRET = re.compile(
    r"(?i)((?:access_key|ticket|app_?secret|[a-z_]*access_token|authorization)[\"']?\s*[=:]\s*"
    r"[\"']?(?:bearer\s+)?|bearer\s+)[^\s\"'&,}\]]+"
)


def load() -> Any:
    """The module `lark_oapi`; ConfigurationError where it is not installed, or is broken.

    The import takes seconds and 170 MB, and keeps the event loop of its thread: only the thread
    that will use the SDK may call this, while no loop runs in it. The loop that the import makes
    for a long connection is closed: whoever opens one sets `lark_oapi.ws.client.loop` to its own.
    """
    try:
        with _loop_to_keep():
            import lark_oapi  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        if error.name == "lark_oapi":
            raise ConfigurationError(f"Feishu needs lark-oapi: {INSTALL}") from error
        raise ConfigurationError(f"Feishu: {error.name} is missing; {INSTALL}") from error
    except _BROKEN as error:
        said = " ".join(str(error).split())[:_MOST_SAID]
        raise ConfigurationError(
            f"Feishu: lark-oapi is installed but cannot be loaded ({type(error).__name__}: "
            f"{said}); install it again ({INSTALL}) and restart Aegis"
        ) from error
    quiet()
    return lark_oapi


@contextmanager
def _loop_to_keep() -> Iterator[None]:
    """What the first import finds and keeps; it is of no use to anybody."""
    if "lark_oapi" in sys.modules:
        yield
        return
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


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
    """What follows the name of a secret, in a URL, a header or JSON, is taken out."""
    return _SECRET.sub(rf"\1{HIDDEN}", text)
