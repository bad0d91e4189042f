"""What can go wrong on the way to Feishu and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, get_args

from tests.feishu_platform.answers import Refusal
from tests.feishu_platform.limits import too_many_calls
from tests.feishu_platform.wire import GATEWAY_PAGE, Answer, Request

FaultKind = Literal["gateway", "hang", "reset", "half", "rate", "code", "empty", "odd", "redirect"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


@dataclass
class Fault:
    """Befalls the next `times` requests whose path contains `path`; None: all of them.

    `after` lets the request take effect first: only its answer is lost. `status` is that of
    gateway pages and of codes, `code` and `message` those of Feishu's answer, `reset_s` what a
    rate limit asks to wait; what hangs ends after `hang_s` without an answer.
    """

    kind: FaultKind
    times: int | None = 1
    path: str = "/open-apis/"
    method: str = ""
    after: bool = False
    status: int = 502
    code: int = 0
    message: str = "made up"
    reset_s: int = 1
    hang_s: float = 600.0

    def befalls(self, request: Request) -> bool:
        if self.times == 0 or self.path not in request.path:
            return False
        if self.method and self.method != request.method:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self, real: Answer | None) -> Answer:
        """What comes back; `real` is what would have, where the request took effect."""
        sent = real or Answer(200, json.dumps({"code": 0, "msg": "", "data": {}}).encode())
        match self.kind:
            case "gateway":
                return Answer(self.status, GATEWAY_PAGE, content_type="text/html")
            case "empty":
                return Answer(self.status, b"")
            case "odd":
                return Answer(200, b'["neither", "code", "nor", "data"]')
            case "redirect":
                return Answer(307, b"{}", {"Location": "/open-apis/elsewhere"})
            case "rate":
                return too_many_calls(self.reset_s).answer()
            case "code":
                return Refusal(self.code, self.message, self.status).answer()
            case "hang" | "reset" | "half":
                return replace(sent, ending=self.kind, hang_s=self.hang_s)
