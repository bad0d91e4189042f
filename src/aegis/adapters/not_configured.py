"""Stands where a backend has no address: it answers nothing, and says which setting gives one."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.model.backend import BackendName, setting
from aegis.model.evidence import EvidenceGap, Source
from aegis.model.telemetry import LogTable, Matrix, SpanTable, TimeWindow
from aegis.model.text import Text

_HOLDS: dict[BackendName, tuple[Source, Text]] = {
    "prometheus": ("metrics", Text("指标", "metrics")),
    "jaeger": ("traces", Text("调用链", "traces")),
    "loki": ("logs", Text("日志", "logs")),
}


@dataclass(frozen=True, slots=True)
class NotConfigured:
    """The source of metrics, traces or logs that `backend` would be."""

    backend: BackendName

    @property
    def gap(self) -> EvidenceGap:
        source, kind = _HOLDS[self.backend]
        name = setting(self.backend, "base_url")
        said = Text(f"没有配置{kind.zh}来源：请设置 {name}。", f"No {kind.en}: {name} is not set.")
        return EvidenceGap(source, "not_configured", None, said)

    async def read_metrics(self, window: TimeWindow) -> tuple[Matrix, tuple[EvidenceGap, ...]]:
        return Matrix(), (self.gap,)

    async def read_spans(self, window: TimeWindow) -> tuple[SpanTable, tuple[EvidenceGap, ...]]:
        return SpanTable.empty(), (self.gap,)

    async def read_logs(self, window: TimeWindow) -> tuple[LogTable, tuple[EvidenceGap, ...]]:
        return LogTable.empty(), (self.gap,)
