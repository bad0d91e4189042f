"""Examines Feishu for `aegis doctor`: the SDK, the app, its bot, the chats it writes to."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.adapters.feishu.sender import FeishuSender
from aegis.model.errors import ConfigurationError, DeliveryError
from aegis.model.health import BackendHealth, Condition, Finding, State
from aegis.model.text import Text

MOST_CHATS = 20
WRONG_APP = frozenset({10003, 10014})


class Examination:
    """Findings, kept even where the time runs out in the middle."""

    def __init__(self, sender: FeishuSender, more_chats: Sequence[str] = ()) -> None:
        """`more_chats` are those that routes lead to, beside those of the sender's settings."""
        self._sender = sender
        self._more_chats = more_chats
        self.findings: list[Finding] = []
        self.condition: Condition = "no_answer"

    def health(self) -> BackendHealth:
        address = self._sender.config.base_url
        return BackendHealth("feishu", address, self.condition, tuple(self.findings))

    def note(self, name: str, state: State, zh: str, en: str) -> None:
        self.findings.append(Finding(name, state, Text(zh, en)))

    async def examine(self) -> None:
        """Never raises for what is wrong there."""
        try:
            await self._sender.start()
            bot = await self._sender.bot_open_id()
        except ConfigurationError as error:
            self.condition = "wrong_setting"
            self.note("settings", "fail", str(error), str(error))
            return
        except DeliveryError as error:
            self._note_refusal(error)
            return
        self.condition = "answers"
        self._note_reached()
        self.note("bot", "ok", f"机器人 {bot}", f"the bot is {bot}")
        await self._look_at_chats()

    def _note_reached(self) -> None:
        self.note("reachable", "ok", "可以访问", "can be reached")
        given = "FEISHU_APP_SECRET"
        self.note("credentials", "ok", f"接受了 {given}", f"{given} is accepted")

    def _note_refusal(self, error: DeliveryError) -> None:
        if error.code is None:
            hint = "AEGIS_FEISHU_BASE_URL"
            zh, en = f"没有应答：{error}；{hint} 对吗？", f"no answer: {error}; is {hint} right?"
            self.note("reachable", "fail", zh, en)
            return
        if error.code in WRONG_APP:
            self.condition = "wrong_setting"
            self.note("reachable", "ok", "可以访问", "can be reached")
            self.note("credentials", "fail", f"被拒绝：{error}", f"refused: {error}")
            return
        self.condition = "answers"
        self._note_reached()
        self.note("bot", "fail", f"机器人不可用：{error}", f"the bot cannot be used: {error}")

    async def _look_at_chats(self) -> None:
        config = self._sender.config
        if config.default_chat_id is None and not self._more_chats:
            name = "FEISHU_DEFAULT_CHAT_ID"
            zh = f"没有设置 {name}：没有路由的告警只存储，不发送"
            en = f"{name} is not set: alerts without a route are stored and told to nobody"
            self.note("chat", "warn", zh, en)
        chats = list(dict.fromkeys((*config.chats, *self._more_chats)))
        for chat in chats[:MOST_CHATS]:
            await self._look_at(chat)
        if len(chats) > MOST_CHATS:
            left = len(chats) - MOST_CHATS
            self.note("chat", "warn", f"另有 {left} 个群没有查看", f"{left} more not looked at")

    async def _look_at(self, chat: str) -> None:
        try:
            inside = await self._sender.is_in_chat(chat)
        except DeliveryError as error:
            zh = f"不知道机器人是否在 {chat} 里：{error}；需要权限 im:chat:readonly"
            en = f"whether the bot is in {chat} is unknown: {error}; it needs im:chat:readonly"
            self.note("chat", "warn", zh, en)
            return
        if inside:
            self.note("chat", "ok", f"机器人在 {chat} 里", f"the bot is in {chat}")
            return
        zh = f"机器人不在 {chat} 里：在群设置的“群机器人”里添加它，或改正群的 ID"
        en = f"the bot is not in {chat}: add it in the group's settings, Bots, or correct the id"
        self.note("chat", "fail", zh, en)
