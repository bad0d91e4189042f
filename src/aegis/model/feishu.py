"""How Feishu, or Lark, is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

FEISHU = "https://open.feishu.cn"
LARK = "https://open.larksuite.com"


@dataclass(frozen=True, slots=True)
class FeishuConfig:
    """An app of one's own with a bot. Secrets stay out of `repr`.

    `base_url` is an origin without a path: the SDK takes no other. `allowed_chats` may be named
    in a request beside `default_chat_id`. `verification_token` and `encrypt_key` are those of
    events that Feishu posts; a long connection needs neither.
    """

    app_id: str
    app_secret: str = field(repr=False)
    base_url: str = FEISHU
    default_chat_id: str | None = None
    allowed_chats: tuple[str, ...] = ()
    verification_token: str | None = field(default=None, repr=False)
    encrypt_key: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may hold."""
        found = (self.app_secret, self.verification_token, self.encrypt_key)
        return tuple(one for one in found if one)

    @property
    def chats(self) -> tuple[str, ...]:
        """Those that a request may name."""
        default = () if self.default_chat_id is None else (self.default_chat_id,)
        return (*default, *self.allowed_chats)

    def may_write_to(self, chat_id: str) -> bool:
        return chat_id in self.chats
