"""What another process may do to a platform: look, break it, move its clock on.

GET  /_platform/messages          every message, with versions, pings and thread
GET  /_platform/requests          every request with its code
GET  /_platform/complaints
POST /_platform/faults            {"kind": "reset", "times": null, …}: see faults.Fault
POST /_platform/heal
POST /_platform/clock             {"advance_s": 3600}
POST /_platform/tokens            takes back every token
POST /_platform/chats/ID          {"admits_bot": false, …}: see chats.Chat; made where new
POST /_platform/messages/ID       {"recalled": true} or {"gone": true}
    POST /_platform/say               {"text": "…", "chat_id": "…", "to_bot": true}
    POST /_platform/click             {"message_id": "…", "value": {}}
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tests.feishu_platform.answers import Refusal, success
from tests.feishu_platform.chats import Chat, Held
from tests.feishu_platform.faults import Fault
from tests.feishu_platform.platform import Platform
from tests.feishu_platform.wire import Answer, Request, parts_of


class Controlled:
    """A platform whose tests are in another process."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def respond(self, request: Request) -> Answer:
        match parts_of(request.path):
            case ["_platform", *rest]:
                try:
                    return self._control(request, rest)
                except Refusal as refusal:
                    return refusal.answer()
                except (ValueError, TypeError, KeyError) as error:
                    return Refusal(1, repr(error)).answer()
            case _:
                return await self.platform.respond(request)

    def _control(self, request: Request, rest: list[str]) -> Answer:
        platform, memory = self.platform, self.platform.memory
        body = request.json() if request.body else {}
        match request.method, rest:
            case "GET", ["messages"]:
                return success({"items": [_message(one) for one in platform.messages]})
            case "GET", ["requests"]:
                items = [
                    {"at": one.at, "method": one.method, "path": one.path, "code": one.code,
                     "fault": one.fault, "body": one.body.decode("utf-8", "replace")}
                    for one in platform.seen
                ]  # fmt: skip
                return success({"items": items})
            case "GET", ["complaints"]:
                return success({"items": memory.complaints})
            case "POST", ["faults"]:
                platform.fail(Fault(**body))
            case "POST", ["heal"]:
                platform.heal()
            case "POST", ["clock"]:
                platform.clock.advance(float(body["advance_s"]))
            case "POST", ["tokens"]:
                platform.tokens.invalidate()
            case "POST", ["chats", chat_id]:
                chat = memory.chats.setdefault(chat_id, Chat(chat_id))
                _set(chat, body)
            case "POST", ["messages", message_id]:
                _set(memory.messages[message_id], body)
            case "POST", ["say"]:
                platform.say(**body)
            case "POST", ["click"]:
                platform.click(**body)
            case _:
                raise Refusal(404, f"no such control: {request.method} {request.path}", 404)
        return success({})


def _set(thing: Chat | Held, flags: dict[str, Any]) -> None:
    for name, value in flags.items():
        if not isinstance(getattr(thing, name), bool):
            raise ValueError(f"{name} is no switch")
        setattr(thing, name, bool(value))


def _message(held: Held) -> dict[str, Any]:
    return asdict(held) | {"pings": sorted(held.pings)}
