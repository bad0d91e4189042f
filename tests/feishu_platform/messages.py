"""The routes under /open-apis/im/v1."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.feishu_platform.answers import (
    BAD_FIELD,
    BAD_REQUEST,
    GONE,
    NOT_IN_CHAT,
    RECALLED,
    TOO_OLD,
    Refusal,
    bad_card,
    only,
    success,
    text_field,
)
from tests.feishu_platform.cardkit import CardKit
from tests.feishu_platform.chats import Chat, Held, Memory
from tests.feishu_platform.clock import PlatformClock
from tests.feishu_platform.contents import EVERYBODY, Content, read_content
from tests.feishu_platform.limits import Limits
from tests.feishu_platform.wire import Answer, Request

HOUR_S = 3600.0
UPDATED_WITHIN_S = 14 * 24 * HOUR_S
LONGEST_UUID = 50
UNAVAILABLE = 230013
WAITS_FOR_CLICK = 11310


class Messages:
    """Sending, answering, replacing, reading."""

    def __init__(
        self, memory: Memory, clock: PlatformClock, limits: Limits, cardkit: CardKit
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._limits = limits
        self._cardkit = cardkit
        self._numbers = itertools.count(1)
        self._uuids: dict[str, tuple[float, str, bytes]] = {}

    def create(self, request: Request) -> Answer:
        if request.query != {"receive_id_type": "chat_id"}:
            raise Refusal(BAD_FIELD, "field validation failed: receive_id_type")
        body = only(request.json(), {"receive_id", "msg_type", "content", "uuid"})
        if (before := self._sent_before(body, request.body)) is not None:
            return _shown(before)
        chat = self._chat(text_field(body, "receive_id"))
        return _shown(self._keep(chat, body, request))

    def reply(self, request: Request, message_id: str) -> Answer:
        body = only(request.json(), {"content", "msg_type", "reply_in_thread", "uuid"})
        if (before := self._sent_before(body, request.body)) is not None:
            return _shown(before)
        parent = self._held(message_id)
        chat = self._chat(parent.chat_id)
        threaded = body.get("reply_in_thread") is True
        if threaded and not parent.thread_id:
            parent.thread_id = f"omt_{parent.message_id[3:]}"
        sent = self._keep(chat, body, request, parent.message_id)
        sent.thread_id = parent.thread_id if threaded else ""
        return _shown(sent)

    def patch(self, request: Request, message_id: str) -> Answer:
        body = only(request.json(), {"content"})
        held = self._held(message_id)
        if held.kind != "interactive":
            raise Refusal(BAD_REQUEST, "invalid request parameter, ext=message is not a card")
        if self._clock.now() - held.at > UPDATED_WITHIN_S:
            raise Refusal(TOO_OLD, "Message can only be modified within 14 days after sending.")
        self._chat(held.chat_id)
        content = self._content("interactive", body.get("content"), request)
        if held.waits_for_click:
            raise bad_card(WAITS_FOR_CLICK, "the card is waiting for the answer of a callback")
        self._limits.patch(message_id)
        held.versions.append(content.value)
        return success({})

    def get(self, message_id: str) -> Answer:
        held = self._memory.messages.get(message_id)
        if held is None or held.gone:
            raise Refusal(GONE, "The message does not exist.")
        people = sorted(held.pings - {EVERYBODY})
        item = _item(held) | {
            "mentions": [
                {"key": f"@_user_{place}", "id": one, "id_type": "open_id", "name": one}
                for place, one in enumerate(people, start=1)
            ]
        }
        return success({"items": [item]})

    def is_in_chat(self, chat_id: str) -> Answer:
        chat = self._memory.chats.get(chat_id)
        return success({"is_in_chat": chat is not None and chat.admits_bot})

    def _keep(
        self, chat: Chat, body: dict[str, Any], request: Request, parent_id: str = ""
    ) -> Held:
        kind = text_field(body, "msg_type")
        content = self._content(kind, body.get("content"), request)
        self._limits.send(chat.chat_id)
        if content.card_id is not None:
            self._cardkit.use(content.card_id)
        pings = content.pings
        if EVERYBODY in pings and not chat.everybody:
            pings -= {EVERYBODY}
        held = Held(
            f"om_{next(self._numbers):08d}",
            chat.chat_id,
            kind,
            [content.value],
            pings,
            str(body.get("uuid", "")),
            self._clock.now(),
            parent_id,
            card_id=content.card_id,
        )
        self._memory.messages[held.message_id] = held
        if held.uuid:
            self._uuids[held.uuid] = (held.at, held.message_id, request.body)
        return held

    def _content(self, kind: str, content: object, request: Request) -> Content:
        read = read_content(kind, content, len(request.body), set(self._memory.images))
        if read.dead:
            self._memory.complaints.append(f"{read.dead} mentions that wake nobody: {content}")
        return read

    def _sent_before(self, body: dict[str, Any], raw: bytes) -> Held | None:
        uuid = body.get("uuid", "")
        if not isinstance(uuid, str) or len(uuid) > LONGEST_UUID:
            raise Refusal(BAD_FIELD, "field validation failed: uuid, max len is 50")
        at, message_id, first = self._uuids.get(uuid, (0.0, "", b""))
        if not message_id or self._clock.now() - at > HOUR_S:
            return None
        if raw != first:
            self._memory.complaints.append(f"uuid {uuid} came again with another body")
        return self._memory.messages[message_id]

    def _chat(self, chat_id: str) -> Chat:
        chat = self._memory.chats.get(chat_id)
        if chat is None:
            raise Refusal(BAD_REQUEST, "invalid request parameter, ext=invalid receive_id.")
        if not chat.admits_bot:
            raise Refusal(NOT_IN_CHAT, "Bot/User can NOT be out of the chat.")
        if not chat.available:
            raise Refusal(UNAVAILABLE, "Bot has NO availability to this user.")
        return chat

    def _held(self, message_id: str) -> Held:
        held = self._memory.messages.get(message_id)
        if held is None:
            raise Refusal(BAD_REQUEST, "invalid request parameter, ext=invalid message_id")
        if held.gone:
            raise Refusal(GONE, "The message does not exist.")
        if held.recalled:
            raise Refusal(RECALLED, "The message was withdrawn.")
        return held


def _item(held: Held) -> dict[str, Any]:
    return {
        "message_id": held.message_id,
        "root_id": held.parent_id,
        "parent_id": held.parent_id,
        "thread_id": held.thread_id,
        "msg_type": held.kind,
        "create_time": str(int(held.at * 1000)),
        "chat_id": held.chat_id,
        "deleted": held.recalled,
        "updated": len(held.versions) > 1,
        "sender": {"id": "cli_stand_in", "id_type": "app_id", "sender_type": "app"},
        "body": {"content": json.dumps(held.content, ensure_ascii=False)},
    }


def _shown(held: Held) -> Answer:
    return success(_item(held))
