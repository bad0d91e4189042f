"""The live adapter as the ports' suite sees it: one question a read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from aegis.adapters.http_client.breaker import CircuitBreaker
from aegis.adapters.http_client.budget import Budget
from aegis.adapters.http_client.client import BackendClient
from aegis.adapters.jaeger.traces import JaegerTraces
from aegis.model.backend import BackendConfig
from aegis.model.evidence import EvidenceGap
from aegis.model.telemetry import SpanTable, TimeWindow

Result = TypeVar("Result")


@dataclass
class ReadingJaeger:
    """`budget` is that of the last question."""

    url: str
    timeout_s: float = 5.0
    suspects: tuple[str, ...] = ()
    deadline_s: float = 20.0
    budget: Budget = field(default_factory=Budget)

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        return await self.asking(lambda traces: traces.read_spans(window))

    async def asking(self, question: Callable[[JaegerTraces], Awaitable[Result]]) -> Result:
        self.budget = Budget()
        config = BackendConfig("jaeger", self.url, timeout_s=self.timeout_s)
        async with BackendClient(config, self.budget, CircuitBreaker()) as client:
            return await question(JaegerTraces(client, self.suspects, self.deadline_s))
