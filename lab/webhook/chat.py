"""The chat that hears of a storm: a stand-in for Feishu that notes when each message came."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHAT = "oc_bench"
MOST_A_SECOND = 4
QUIET_FOR_S = 25.0
"""Longer than a sweep and a wait between two attempts: what is silent so long has said it all."""
LONGEST_S = 240.0
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the chat was told. `most_a_second` is of any second, not of those of a clock."""

    messages: int
    updates: int
    most_a_second: int
    first_after_s: float

    def as_json(self) -> dict[str, object]:
        return {
            "messages": self.messages,
            "updates": self.updates,
            "most_a_second": self.most_a_second,
            "first_after_s": round(self.first_after_s, 1),
        }


@dataclass(frozen=True, slots=True)
class Chat:
    """`settings` are what Aegis needs to write to it."""

    url: str
    settings: Mapping[str, str]

    def taken(self) -> list[dict[str, Any]]:
        """Requests about messages that were taken, in order."""
        with urllib.request.urlopen(f"{self.url}/_platform/requests", timeout=10) as answer:  # noqa: S310
            seen = json.load(answer)["data"]["items"]
        return [one for one in seen if one["code"] == 0 and "/im/v1/messages" in one["path"]]

    def told(self, since: int, began: float) -> Told:
        """Of all after the first `since`, once there is silence."""
        taken, changed, give_up = self.taken()[since:], time.monotonic(), began + LONGEST_S
        while time.monotonic() - changed < QUIET_FOR_S and time.monotonic() < give_up:
            time.sleep(0.5)
            now = self.taken()[since:]
            if len(now) != len(taken):
                taken, changed = now, time.monotonic()
        times = [float(one["at"]) for one in taken]
        updates = sum(one["method"] == "PATCH" for one in taken)
        after_s = times[0] - times[-1] + changed - began if times else float("inf")
        return Told(len(times) - updates, updates, most_a_second(times), after_s)


def most_a_second(times: Sequence[float]) -> int:
    """Of any second, not only of those of the clock."""
    ordered = sorted(times)
    most = first = 0
    for place, moment in enumerate(ordered):
        while moment - ordered[first] >= 1:
            first += 1
        most = max(most, place - first + 1)
    return most


@contextmanager
def chat(folder: Path) -> Iterator[Chat]:
    command = [sys.executable, "-m", "tests.feishu_platform", "--chat", CHAT]
    said = folder / "feishu"
    with (
        said.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL) as process,  # noqa: S603
    ):
        try:
            settings = _settings(process, said)
            yield Chat(settings["AEGIS_FEISHU_BASE_URL"], settings)
        finally:
            process.terminate()


def _settings(process: subprocess.Popen[bytes], said: Path) -> dict[str, str]:
    """The lines in which the stand-in says how it is reached."""
    give_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up and process.poll() is None:
        lines = [line.split("=", 1) for line in said.read_text().splitlines() if "=" in line]
        if "FEISHU_DEFAULT_CHAT_ID" in (line[0] for line in lines):
            return {line[0]: line[1] for line in lines}
        time.sleep(0.05)
    raise RuntimeError("the stand-in for Feishu did not start")
