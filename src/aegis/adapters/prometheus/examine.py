"""Can this Prometheus be asked, and does what it holds mean something to the catalog?"""

from __future__ import annotations

from collections.abc import Sequence

from aegis.adapters.http_client.answers import one_line
from aegis.adapters.http_client.examination import Examination
from aegis.adapters.http_client.routes import Route
from aegis.adapters.prometheus.answers import data_of
from aegis.adapters.prometheus.api import BUILDINFO, NOT_THERE, PrometheusApi
from aegis.adapters.prometheus.asking import leaves
from aegis.adapters.prometheus.catalog import Catalog
from aegis.adapters.prometheus.discovery import Discovered, discover
from aegis.adapters.prometheus.flavour import flavour_of
from aegis.adapters.prometheus.governor import rate_window_s
from aegis.adapters.prometheus.metrics import PrometheusMetrics
from aegis.adapters.prometheus.plan import Plan, plan
from aegis.adapters.prometheus.unseen import GOLDEN
from aegis.model.telemetry import Series, TimeWindow
from aegis.model.text import Text

RUNTIMEINFO = Route("GET", "/api/v1/status/runtimeinfo")
SAMPLE = "count(up)"
MOST_NAMED = 8
MOST_GAPS = 8
_WORDS = {
    "traffic": Text("流量", "traffic"),
    "errors": Text("错误", "errors"),
    "latency": Text("延迟", "latency"),
}


async def examine(examination: Examination, catalog: Catalog) -> None:
    """Notes its findings. SourceError, noted already, where it cannot be asked."""
    window = examination.last_minutes()
    api = PrometheusApi(examination.client)
    await examination.reached(api.instant("vector(1)", window.end))
    await _version(examination)
    await _retention(examination)
    with examination.sample_query():
        await api.instant(SAMPLE, window.end)
    with examination.trying("metrics"), leaves():
        found = await discover(api, catalog, window)
        planned = plan(found.inventory, catalog, rate_window_s(found.slowest_s))
        _note_metrics(examination, found)
        if found.inventory.metrics:
            _note_conventions(examination, planned)
            await _signals(examination, catalog, planned, window)


async def _version(examination: Examination) -> None:
    with examination.trying("version"):
        answer = await examination.client.ask(BUILDINFO, expected=NOT_THERE)
        data = data_of(answer)[0] if answer.status == 200 else {}
        told = data if isinstance(data, dict) else {}
        flavour = flavour_of(told)
        version = one_line(str(told.get("version", "")))
        if flavour.program == "unknown":
            examination.note("version", "ok", "没有告知", "not told")
        else:
            is_own = flavour.version is not None  # VictoriaMetrics gives another program's
            said = f"{flavour.program} {version}".strip() if is_own else flavour.program
            examination.note("version", "ok", said, said)


async def _retention(examination: Examination) -> None:
    with examination.trying("retention"):
        answer = await examination.client.ask(RUNTIMEINFO, expected=NOT_THERE)
        data = data_of(answer)[0] if answer.status == 200 else {}
        told = data.get("storageRetention") if isinstance(data, dict) else None
        if isinstance(told, str) and told:
            examination.note("retention", "ok", one_line(told), one_line(told))


def _note_metrics(examination: Examination, found: Discovered) -> None:
    known = len(found.inventory.metrics)
    if found.names == 0:
        examination.note(
            "metrics",
            "warn",
            "最近 15 分钟没有任何指标；PROMETHEUS_BASE_URL 指向正确的服务器和租户吗？",
            "none in the last 15 minutes; does PROMETHEUS_BASE_URL lead to the right server "
            "and AEGIS_PROMETHEUS_TENANT_ID name the right tenant?",
        )
    elif known == 0:
        examination.note(
            "metrics",
            "warn",
            f"{found.names} 个指标名，信号目录一个都不认识；请用 AEGIS_SIGNALS_FILE 补充",
            f"{found.names} names, none of which the signal catalog knows; "
            "extend it with AEGIS_SIGNALS_FILE",
        )
    else:
        examination.note(
            "metrics",
            "ok",
            f"{found.names} 个指标名，其中 {known} 个被信号目录认识；采样间隔 {found.interval_s} s",
            f"{found.names} names, {known} of them known to the signal catalog; "
            f"a sample every {found.interval_s} s",
        )


def _note_conventions(examination: Examination, planned: Plan) -> None:
    used = [*(one.convention for one in planned.queries)]
    used += [one.convention for one in planned.changes]
    names = sorted({name for joined in used for name in joined.split(" or ")})
    told = ", ".join(names)
    if names:
        examination.note("conventions", "ok", told, told)
    else:
        examination.note(
            "conventions",
            "warn",
            "认识一些指标名，但没有一种约定齐全；请用 AEGIS_SIGNALS_FILE 补充",
            "some names are known, but no convention is complete; extend with AEGIS_SIGNALS_FILE",
        )


async def _signals(
    examination: Examination, catalog: Catalog, planned: Plan, window: TimeWindow
) -> None:
    """Reads as an analysis would: what it does not see, an analysis does not."""
    matrix, gaps = await PrometheusMetrics(examination.client, catalog).read_metrics(window)
    signals = {query.series_name: query.signal for query in planned.queries}
    for signal in GOLDEN:
        _note_signal(examination, signal, [s for s in matrix.series if signals[s.name] == signal])
    for gap in gaps[:MOST_GAPS]:
        examination.note("unseen", "warn", gap.statement.zh, gap.statement.en)


def _note_signal(examination: Examination, signal: str, series: Sequence[Series]) -> None:
    services = sorted({one.service for one in series})
    word = _WORDS[signal]
    if not services:
        examination.note(
            signal,
            "warn",
            f"没有服务有{word.zh}指标；请用 AEGIS_SIGNALS_FILE 补充",
            f"no service has a metric for {word.en}; extend the catalog with AEGIS_SIGNALS_FILE",
        )
        return
    told = ", ".join(one_line(name) for name in services[:MOST_NAMED])
    rest = ", …" if len(services) > MOST_NAMED else ""
    examination.note(
        signal,
        "ok",
        f"{len(services)} 个服务：{told}{rest}",
        f"{len(services)} services: {told}{rest}",
    )
