"""Tenant tokens: two hours each, and a new one only when the old one is nearly over."""

from __future__ import annotations

from dataclasses import dataclass

from tests.feishu_platform.answers import TOKEN_INVALID, Refusal, only, success, text_field
from tests.feishu_platform.clock import PlatformClock
from tests.feishu_platform.wire import Answer, Request

LIFE_S = 7200
RENEWED_BELOW_S = 1800
WRONG_SECRET = 10014


@dataclass
class Issued:
    """`invalid` once a test takes it back."""

    token: str
    until: float
    invalid: bool = False


class Tokens:
    """`stubborn` hands out a token that was taken back, as if nothing had happened.

    `ending` is added to every token, `told_life_s` told in place of its life.
    """

    def __init__(self, clock: PlatformClock, app_id: str, app_secret: str) -> None:
        self._clock = clock
        self.app_id = app_id
        self.app_secret = app_secret
        self.issued: list[Issued] = []
        self.stubborn = False
        self.ending = ""
        self.told_life_s: int | None = None

    def issue(self, request: Request) -> Answer:
        body = only(request.json(), {"app_id", "app_secret"})
        given = text_field(body, "app_id"), text_field(body, "app_secret")
        if given != (self.app_id, self.app_secret):
            raise Refusal(WRONG_SECRET, "app secret invalid", 200)
        now = self._clock.now()
        last = self.issued[-1] if self.issued else None
        usable = last is not None and (not last.invalid or self.stubborn)
        if last is None or not usable or last.until - now < RENEWED_BELOW_S:
            last = Issued(f"t-{len(self.issued) + 1:04d}-{'secret' * 4}{self.ending}", now + LIFE_S)
            self.issued.append(last)
        life_s = int(last.until - now) if self.told_life_s is None else self.told_life_s
        return success(tenant_access_token=last.token, expire=life_s)

    def check(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        now = self._clock.now()
        if not any(
            one.token == given and not one.invalid and one.until > now for one in self.issued
        ):
            text = "Invalid access token for authorization. Please make a test attempt."
            raise Refusal(TOKEN_INVALID, text)

    def invalidate(self) -> None:
        """Nothing issued so far is taken any more."""
        for one in self.issued:
            one.invalid = True
