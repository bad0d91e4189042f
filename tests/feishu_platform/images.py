"""Uploading an image."""

from __future__ import annotations

import email.parser
import email.policy

from tests.feishu_platform.answers import BAD_FIELD, Refusal, success
from tests.feishu_platform.chats import Memory
from tests.feishu_platform.wire import Answer, Request

LARGEST_IMAGE = 10 * 1024 * 1024
TOO_LARGE = 234006
EMPTY = 234010


def upload(memory: Memory, request: Request) -> Answer:
    """`image_type` is `message`; an image may be sent once it has a key."""
    parts = _parts(request)
    if set(parts) != {"image_type", "image"} or parts["image_type"] != b"message":
        raise Refusal(BAD_FIELD, "field validation failed: image_type, image")
    image = parts["image"]
    if len(image) > LARGEST_IMAGE:
        raise Refusal(TOO_LARGE, "The file size exceed the max value.")
    if not image:
        raise Refusal(EMPTY, "File's size can't be 0.")
    key = f"img_v3_{len(memory.images) + 1:04d}"
    memory.images[key] = image
    return success({"image_key": key})


def _parts(request: Request) -> dict[str, bytes]:
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(head + request.body)
    found: dict[str, bytes] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        found[str(name)] = payload if isinstance(payload, bytes) else b""
    return found
