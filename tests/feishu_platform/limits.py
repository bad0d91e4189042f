"""How often something may be done."""

from __future__ import annotations

from collections import defaultdict, deque

from tests.feishu_platform.answers import API_RATE, SEND_RATE, Refusal
from tests.feishu_platform.clock import PlatformClock

SENDS_A_SECOND_AND_CHAT = 5
PATCHES_A_SECOND_AND_MESSAGE = 5
CARD_OPERATIONS_A_SECOND = 10
CALLS_A_SECOND_AND_API = 50
CALLS_A_MINUTE_AND_API = 1000


class Limits:
    """Windows that slide with the platform's clock."""

    def __init__(self, clock: PlatformClock) -> None:
        self._clock = clock
        self._times: dict[tuple[str, float], deque[float]] = defaultdict(deque)

    def send(self, chat_id: str) -> None:
        if not self._fits(f"send {chat_id}", SENDS_A_SECOND_AND_CHAT, 1.0):
            raise Refusal(SEND_RATE, "This operation triggers the frequency limit.")

    def patch(self, message_id: str) -> None:
        if not self._fits(f"patch {message_id}", PATCHES_A_SECOND_AND_MESSAGE, 1.0):
            raise Refusal(SEND_RATE, "This operation triggers the frequency limit.")

    def card(self, card_id: str) -> None:
        if not self._fits(f"card {card_id}", CARD_OPERATIONS_A_SECOND, 1.0):
            raise too_many_calls(1)

    def call(self, api: str) -> None:
        if not self._fits(api, CALLS_A_SECOND_AND_API, 1.0):
            raise too_many_calls(1)
        if not self._fits(api, CALLS_A_MINUTE_AND_API, 60.0):
            raise too_many_calls(60)

    def _fits(self, what: str, most: int, seconds: float) -> bool:
        now, times = self._clock.now(), self._times[what, seconds]
        while times and times[0] <= now - seconds:
            times.popleft()
        if len(times) >= most:
            return False
        times.append(now)
        return True


def too_many_calls(reset_s: int) -> Refusal:
    headers = {"x-ogw-ratelimit-reset": str(reset_s), "x-ogw-ratelimit-limit": "50"}
    return Refusal(API_RATE, "request trigger frequency limit", 429, headers)
