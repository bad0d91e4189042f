"""Answers of real servers, from the folder `captures`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aegis.adapters.http_client.answers import Answer
from tests.adapters.stand_in import Reply

CAPTURES = Path(__file__).parent / "captures"


def capture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def body_of(found: dict[str, Any]) -> bytes:
    body = found["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def captured_reply(name: str) -> Reply:
    found = capture(name)
    return Reply(found["status"], body_of(found), found["headers"]["Content-Type"])


def captured_answer(name: str) -> Answer:
    found = capture(name)
    kind = found["headers"]["Content-Type"].partition(";")[0]
    return Answer(found["status"], kind, body_of(found), "JAEGER_BASE_URL: http://jaeger")
