"""A replica with one flow: it notes that it began, holds as long as told, notes that it ended."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from aegis.adapters.system_clock import SystemClock
from aegis.durable.engine import Durable, Flow
from aegis.ports.delivery import Json, Steps


async def main(db_url: str, notes: Path, hold_s: float, given: list[str]) -> None:
    def note(text: str) -> None:
        with notes.open("a") as file:
            file.write(f"{text} {os.getpid()}\n")

    async def work(payload: Mapping[str, Json], steps: Steps) -> None:
        async def first() -> Json:
            note(f"first {payload['name']}")
            return None

        await steps.run("first", first)
        note(f"holds {payload['name']}")
        await asyncio.sleep(hold_s)
        note(f"done {payload['name']}")

    durable = Durable(db_url, [Flow("work", work)], SystemClock())
    await asyncio.to_thread(durable.launch)
    for name in given:
        await durable.enqueue("work", name, name.partition("-")[0], {"name": name})
    note("ready")
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, url, file, hold, *names = sys.argv
    asyncio.run(main(url, Path(file), float(hold), names))
