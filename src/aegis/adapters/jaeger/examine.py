"""Can this Jaeger be asked, in which dialect, and which services has it seen?"""

from __future__ import annotations

from aegis.adapters.http_client.answers import one_line
from aegis.adapters.http_client.examination import Examination
from aegis.adapters.jaeger.query_api import QueryApi, Search

OWN = ("jaeger", "jaeger-query", "jaeger-collector", "jaeger-all-in-one")
MOST_NAMED = 8


async def examine(examination: Examination) -> None:
    """Notes its findings. SourceError, noted already, where it cannot be asked."""
    api = QueryApi(examination.client)
    services = await examination.reached(api.services())
    dialect = await api.dialect()
    others = [one for one in services if one not in OWN]
    if others:
        told = ", ".join(one_line(one) for one in others[:MOST_NAMED])
        rest = ", …" if len(others) > MOST_NAMED else ""
        said = f"{len(others)}: {told}{rest}"
        examination.note("services", "ok", said, said)
    else:
        examination.note(
            "services",
            "warn",
            "没有服务发送过调用链；JAEGER_BASE_URL 正确吗？服务在上报吗？",
            "none has sent traces; is JAEGER_BASE_URL right, and do services export to it?",
        )
    asked = Search(examination.last_minutes(), 1, (others or services or ("jaeger",))[0])
    with examination.sample_query():
        summaries = await api.summaries(asked)
        _note_dialect(examination, dialect, summarised=summaries is not None)
        found = (await api.search(asked)).rows if summaries is None else summaries
        if others and not found:
            examination.note(
                "traces",
                "warn",
                f"{one_line(others[0])} 最近 15 分钟没有调用链",
                f"{one_line(others[0])} has none in the last 15 minutes",
            )


def _note_dialect(examination: Examination, dialect: str, *, summarised: bool) -> None:
    """Jaeger tells no version; what it offers narrows it down."""
    if dialect == "classic":
        said = ("classic（1.57 之前）", "classic (before 1.57)")
    elif summarised:
        said = ("v3，有摘要（2.19 或更新）", "v3 with summaries (2.19 or later)")
    else:
        said = ("v3，没有摘要（1.57 到 2.18）", "v3 without summaries (1.57 to 2.18)")
    examination.note("version", "ok", *said)
