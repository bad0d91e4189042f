"""Sends messages to Feishu's chats."""

from __future__ import annotations

import io
from typing import Any

from aegis.adapters.feishu.calling import DEADLINE_S, Ask, Caller
from aegis.adapters.feishu.sdk_thread import SdkThread
from aegis.model.errors import (
    ConfigurationError,
    DeliveryRefused,
    DeliveryUnavailable,
    MessageTooLarge,
)
from aegis.model.feishu import FeishuConfig
from aegis.model.message import Message
from aegis.ports import Clock

LARGEST_IMAGE = 10 * 1024 * 1024
LONGEST_UUID = 50


class FeishuSender:
    """A Notifier. The first use loads the SDK, which takes seconds: `start` does it beforehand."""

    def __init__(
        self,
        config: FeishuConfig,
        clock: Clock,
        deadline_s: float = DEADLINE_S,
        thread: SdkThread | None = None,
    ) -> None:
        self.config = config
        self._thread = thread or SdkThread()
        self._caller = Caller(config, clock, self._thread, deadline_s)

    async def start(self) -> None:
        """Loads the SDK; ConfigurationError where it is not installed."""
        await self._thread.start()

    def close(self) -> None:
        """Stops the thread of the SDK; what is under way is cancelled."""
        self._thread.close()

    async def send(self, message: Message) -> str:
        """See ports.Notifier."""
        if message.operation != "create" and message.target is None:
            raise DeliveryRefused(f"{message.operation} without a target")
        if len(message.uuid) > LONGEST_UUID:
            raise DeliveryRefused(f"the uuid is longer than {LONGEST_UUID} characters")
        try:
            answer = await self._caller.call(_asking(message), message.operation, message.content)
        except ConfigurationError as error:
            # No message is to blame for an SDK that cannot be loaded, so none is given up.
            raise DeliveryUnavailable(str(error)) from None
        if message.operation == "update":
            return str(message.target)
        return answer.text("data", "message_id")

    async def upload_image(self, image: bytes) -> str:
        """The key under which a message may show it. PNG, JPEG and the like, up to 10 MB."""
        if len(image) > LARGEST_IMAGE:
            raise MessageTooLarge(f"the image has {len(image)} bytes, over {LARGEST_IMAGE}")

        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            v1 = sdk.api.im.v1
            body = v1.CreateImageRequestBody.builder().image_type("message")
            request = v1.CreateImageRequest.builder().request_body(
                body.image(io.BytesIO(image)).build()
            )
            return await client.im.v1.image.acreate(request.build(), option)

        return (await self._caller.call(ask)).text("data", "image_key")

    async def bot_open_id(self) -> str:
        """The bot's own, by which a mention of it is known."""

        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            request = sdk.BaseRequest.builder().http_method(sdk.HttpMethod.GET)
            request = request.uri("/open-apis/bot/v3/info")
            return await client.arequest(
                request.token_types({sdk.AccessTokenType.TENANT}).build(), option
            )

        return (await self._caller.call(ask)).text("bot", "open_id")

    async def is_in_chat(self, chat_id: str) -> bool:
        async def ask(sdk: Any, client: Any, option: Any) -> Any:
            request = sdk.api.im.v1.IsInChatChatMembersRequest.builder().chat_id(chat_id)
            return await client.im.v1.chat_members.ais_in_chat(request.build(), option)

        return (await self._caller.call(ask)).flag("data", "is_in_chat")


def _asking(message: Message) -> Ask:
    async def create(sdk: Any, client: Any, option: Any) -> Any:
        v1 = sdk.api.im.v1
        body = v1.CreateMessageRequestBody.builder().receive_id(message.chat_id)
        body = body.msg_type(message.kind).content(message.content).uuid(message.uuid)
        request = v1.CreateMessageRequest.builder().receive_id_type("chat_id")
        return await client.im.v1.message.acreate(
            request.request_body(body.build()).build(), option
        )

    async def reply(sdk: Any, client: Any, option: Any) -> Any:
        v1 = sdk.api.im.v1
        body = v1.ReplyMessageRequestBody.builder().content(message.content)
        body = body.msg_type(message.kind).reply_in_thread(True).uuid(message.uuid)
        request = v1.ReplyMessageRequest.builder().message_id(message.target)
        return await client.im.v1.message.areply(request.request_body(body.build()).build(), option)

    async def update(sdk: Any, client: Any, option: Any) -> Any:
        v1 = sdk.api.im.v1
        body = v1.PatchMessageRequestBody.builder().content(message.content).build()
        request = v1.PatchMessageRequest.builder().message_id(message.target)
        return await client.im.v1.message.apatch(request.request_body(body).build(), option)

    return {"create": create, "reply": reply, "update": update}[message.operation]
