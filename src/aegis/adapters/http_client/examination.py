"""The part of an examination that is the same for every backend: does it answer, and how."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from aegis.adapters.http_client.budget import Asked
from aegis.adapters.http_client.client import BackendClient
from aegis.model.errors import InvalidRequest, SourceError, SourceRejected, SourceUnavailable
from aegis.model.health import BackendHealth, Condition, Finding, State
from aegis.model.telemetry import TimeWindow
from aegis.model.text import Text
from aegis.ports import Clock

Read = TypeVar("Read")

LOOKED_AT = timedelta(minutes=15)
SLOW_S = 2.0
MOST_SKEW_S = 5.0
REFUSED = (401, 403)


@dataclass(slots=True)
class Examination:
    """Findings about one backend, kept even where the time runs out in the middle."""

    client: BackendClient
    clock: Clock
    findings: list[Finding] = field(default_factory=list)
    condition: Condition = "no_answer"

    def note(self, name: str, state: State, zh: str, en: str) -> None:
        self.findings.append(Finding(name, state, Text(zh, en)))

    def health(self) -> BackendHealth:
        config = self.client.config
        return BackendHealth(config.name, config.base_url, self.condition, tuple(self.findings))

    def last_minutes(self) -> TimeWindow:
        now = self.clock.now()
        return TimeWindow(now - LOOKED_AT, now)

    async def reached(self, first: Awaitable[Read]) -> Read:
        """What a first read gave that needs whatever all others need.

        Notes whether the backend can be reached, takes the credentials and has our time;
        SourceError, noted already, where it cannot be asked.
        """
        before = self.clock.now()
        try:
            read = await first
        except SourceError as error:
            self._note_refusal(error)
            raise
        self.condition = "answers"
        self.note("reachable", "ok", "可以访问", "can be reached")
        self._note_credentials()
        self._note_clock(before)
        return read

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """What fails inside is a finding, and the examination goes on."""
        try:
            yield
        except (SourceError, InvalidRequest) as error:
            self.note(name, "fail", f"没有读到：{error}", f"could not be read: {error}")

    @contextmanager
    def sample_query(self) -> Iterator[None]:
        """A query whose time is worth knowing."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        except (SourceError, InvalidRequest) as error:
            self.note("sample_query", "fail", f"查询失败：{error}", f"failed: {error}")
            return
        took_s = loop.time() - began
        if took_s > SLOW_S:
            limit = self.client.config.setting("timeout_s")
            self.note(
                "sample_query",
                "warn",
                f"很慢：{took_s:.1f} s；Aegis 会少查一些。{limit} 是等待上限",
                f"slow: {took_s:.1f} s; Aegis will ask for less. {limit} is how long it waits",
            )
        else:
            took = f"{took_s * 1000:.0f} ms"
            self.note("sample_query", "ok", took, took)

    def _log(self) -> list[Asked]:
        name = self.client.config.name
        return [one for one in self.client.budget.log if one.request.backend == name]

    def _note_refusal(self, error: SourceError) -> None:
        log = self._log()
        if not log and isinstance(error, SourceRejected):
            self.condition = "wrong_setting"
            self.note("settings", "fail", str(error), str(error))
            return
        status = log[-1].status if log else None
        if status is None or isinstance(error, SourceUnavailable):
            self.note("reachable", "fail", f"没有应答：{error}", f"no answer: {error}")
            return
        self.note("reachable", "ok", "可以访问", "can be reached")
        if status in REFUSED:
            self.note("credentials", "fail", f"被拒绝：{error}", f"refused: {error}")
        else:
            self.note("api", "fail", f"不是要找的接口：{error}", f"not the API: {error}")

    def _note_credentials(self) -> None:
        config = self.client.config
        if config.username is not None:
            given = config.setting("username")
        elif config.bearer_token is not None:
            given = config.setting("bearer_token")
        elif config.bearer_token_file is not None:
            given = config.setting("bearer_token_file")
        else:
            self.note("credentials", "ok", "不需要", "none needed")
            return
        self.note("credentials", "ok", f"接受了 {given}", f"{given} is accepted")

    def _note_clock(self, before: datetime) -> None:
        dated = self._log()[-1].dated
        if dated is None:
            self.note("clock", "ok", "服务器没有告知时间", "the server does not tell its time")
            return
        skew_s = _skew_s(dated, before, self.clock.now())
        if abs(skew_s) <= MOST_SKEW_S:
            self.note("clock", "ok", "与本机一致", "agrees with ours")
            return
        way = Text("快", "ahead of") if skew_s > 0 else Text("慢", "behind")
        self.note(
            "clock",
            "warn",
            f"比本机{way.zh} {abs(skew_s):.0f} s；时间窗口会错位，请在两边同步时钟（NTP）",
            f"{abs(skew_s):.0f} s {way.en} ours; windows will be off, set both clocks by NTP",
        )


def _skew_s(dated: datetime, before: datetime, after: datetime) -> float:
    """Seconds the server is ahead at least: its time is cut to the second, ours lies between."""
    if dated > after:
        return (dated - after).total_seconds()
    earliest = before - timedelta(seconds=1)
    return (dated - earliest).total_seconds() if dated < earliest else 0.0
