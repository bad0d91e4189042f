"""What a reader of Jaeger's spans must know about what is not among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aegis.adapters.http_client.answers import one_line
from aegis.adapters.jaeger.cohorts import Cohorts
from aegis.model.errors import SourceError
from aegis.model.evidence import EvidenceGap
from aegis.model.text import Text

NAMED = 8


@dataclass(frozen=True, slots=True)
class Notes:
    """`traces` were read in `slices` of the window of which `failures` gave nothing.

    `share` is of the traces recorded where something was given; `unsearched` are services
    that no search would show.
    """

    traces: int
    slices: int
    share: float
    malformed: int
    failures: Sequence[SourceError]
    unsearched: Sequence[str]
    cohorts: Cohorts

    def gaps(self) -> tuple[EvidenceGap, ...]:
        found = []
        if self.share < 1:
            found.append(EvidenceGap("traces", "sampled", None, self._sampled()))
        if self.unsearched:
            found.append(EvidenceGap("traces", "sampled", None, self._unsearched()))
        if self.failures:
            found.append(EvidenceGap("traces", "unavailable", None, self._failed()))
        if self.malformed:
            count = self.malformed
            told = Text(
                f"有 {count:,} 个 span 的 ID 或时间无法读取，已略去。",
                f"{count:,} spans were left out: their ids or times cannot be read.",
            )
            found.append(EvidenceGap("traces", "unavailable", None, told))
        return tuple(found)

    def _sampled(self) -> Text:
        percent = 100 * self.share
        failed, slow = self.cohorts.count("failed"), self.cohorts.count("slow")
        zh = (
            f"调用链过多：读取了 {self.traces:,} 条（估计约占 {percent:.0f}%），"
            f"从 {self.slices} 个时段中各取最新写入的一批"
        )
        en = (
            f"Too many traces: {self.traces:,} were read (an estimated {percent:.0f} %), "
            f"the newest of each of {self.slices} parts of the time"
        )
        if failed or slow:
            zh += f"；另外专门补充了 {failed} 条失败的和 {slow} 条缓慢的，因此它们占比偏高"
            en += f"; {failed} failed and {slow} slow ones were added, so such are overrepresented"
        return Text(f"{zh}。", f"{en}.")

    def _unsearched(self) -> Text:
        names = ", ".join(one_line(name) for name in self.unsearched[:NAMED])
        more = len(self.unsearched) - NAMED
        return Text(
            f"没有搜索经过这些服务的调用链：{names}"
            + (f" 等共 {more + NAMED} 个" if more > 0 else "")
            + "。",
            f"Traces through these services were not searched for: {names}"
            + (f" and {more} more" if more > 0 else "")
            + ".",
        )

    def _failed(self) -> Text:
        count, why = len(self.failures), str(self.failures[0])
        return Text(
            f"{self.slices} 个时段中有 {count} 个的调用链没有读到：{why}。",
            f"The traces of {count} of {self.slices} parts of the time did not come: {why}.",
        )
