"""What is worth knowing about routes that are valid."""

from __future__ import annotations

from collections.abc import Iterator

from aegis.model.health import Finding
from aegis.model.routing import Routing
from aegis.model.text import Text

ROUTES_FILE = "AEGIS_ROUTES_FILE"


def route_findings(routing: Routing) -> tuple[Finding, ...]:
    """Empty where alerts are told to nobody because no chat is named at all."""
    if not routing.routes and routing.default is None:
        return ()
    chats = {route.chat_id for route in routing.everywhere if route.chat_id}
    count = len(routing.routes)
    said = Text(
        f"{count} 条路由，{len(chats)} 个群" if count else "没有路由，全部告警发到默认群",
        f"{count} routes to {len(chats)} chats" if count else "no routes: all to the default chat",
    )
    return (Finding(ROUTES_FILE, "ok", said), *_warnings(routing))


def _warnings(routing: Routing) -> Iterator[Finding]:
    taking_all: str | None = None
    for route in routing.routes:
        if taking_all is not None:
            yield _warning(
                f"路由 {route.name} 永远不会用到：{taking_all} 匹配全部告警",
                f"route {route.name} is never reached: {taking_all} takes every alert",
            )
        elif not route.matchers and not route.goes_on:
            taking_all = route.name
    if taking_all is None and routing.default is None:
        yield _warning(
            "没有默认群：没有路由匹配的告警不会通知任何人；"
            "请设置 default 或 FEISHU_DEFAULT_CHAT_ID",
            "no default chat: alerts that no route takes are told to nobody; "
            "set default or FEISHU_DEFAULT_CHAT_ID",
        )


def _warning(zh: str, en: str) -> Finding:
    return Finding(ROUTES_FILE, "warn", Text(zh, en))
