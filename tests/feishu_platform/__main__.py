"""`python -m tests.feishu_platform`: the platform as a process of its own, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from tests.feishu_platform.control import Controlled
from tests.feishu_platform.platform import APP_ID, APP_SECRET, Platform
from tests.feishu_platform.running import listening


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.feishu_platform", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="one JSON line for each request is added here")
    parser.add_argument("--chat", action="append", default=[], help="a chat the bot is in")
    given = parser.parse_args()
    chats = tuple(given.chat) or ("oc_demo",)
    asyncio.run(_run(Platform(chats, given.log), chats, given.port))


async def _run(platform: Platform, chats: tuple[str, ...], port: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with listening(platform, port, Controlled(platform).respond):
        lines = (
            f"AEGIS_FEISHU_BASE_URL={platform.url}",
            f"FEISHU_APP_ID={APP_ID}",
            f"FEISHU_APP_SECRET={APP_SECRET}",
            f"FEISHU_DEFAULT_CHAT_ID={chats[0]}",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    main()
