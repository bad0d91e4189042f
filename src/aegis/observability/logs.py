"""Log lines as JSON, ours and those of every library, without a secret in any of them."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog

LEAST_SECRET = 4
"""Shorter ones would blot out ordinary words; no platform issues such."""
HIDDEN = "[hidden]"
_IN_ADDRESSES = re.compile(
    r"(?i)\b((?:access_key|ticket|token|secret|password|app_secret|api_key)=)[^&\s\"\\]+"
)
_CREDENTIALS = re.compile(r"(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{4,}")
_BETWEEN = re.compile(r"(?i)(://[^/\s:@\"]*:)[^/\s\"]+@")
_CHATTY = ("httpx", "httpcore", "urllib3", "websockets", "alembic", "dbos", "Lark")


def configure_logs(secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """One JSON object a line on stderr, with a static event name and fields.

    None of `secrets` leaves in any line, whoever writes it; nor do credentials in addresses
    and headers. Lines of libraries come as `event` with their `logger`, from WARNING on for
    those that tell of every request.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    hide = Hiding(secrets)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=repr),
                hide,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


class Hiding:
    """The last step of a log line: takes out what must not be in it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {one for one in secrets if len(one) >= LEAST_SECRET}
        written = {json.dumps(one, ensure_ascii=False)[1:-1] for one in found}
        # The longest first: one secret may be a part of another.
        self._secrets = sorted(found | written, key=lambda one: (-len(one), one))

    def __call__(self, logger: object, name: str, line: structlog.typing.EventDict | str) -> str:
        return self.out_of(str(line))

    def out_of(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _IN_ADDRESSES.sub(rf"\1{HIDDEN}", text)
        text = _CREDENTIALS.sub(rf"\1 {HIDDEN}", text)
        return _BETWEEN.sub(rf"\1{HIDDEN}@", text)
