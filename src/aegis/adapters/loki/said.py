"""What people are told about lines that were not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aegis.adapters.loki.selector import LABEL_KEY, TEMPLATE
from aegis.adapters.loki.severity import KindName
from aegis.model.errors import SourceError
from aegis.model.evidence import EvidenceGap
from aegis.model.text import Text

_MOST_SERVICES = 5
_KINDS: dict[KindName | None, Text] = {
    "levelled": Text("错误级别的日志", "lines with an error level"),
    "worded": Text("含错误字样的日志", "other lines with an error word"),
    "rest": Text("其余日志", "all other lines"),
    None: Text("日志", "the log lines"),
}


def sampled(
    read: Mapping[KindName | None, tuple[int, float]], thinned: Sequence[tuple[str, float]]
) -> EvidenceGap:
    """`read` are lines read and lines there, by kind; `thinned` the services left in part."""
    lines, total = sum(one for one, _ in read.values()), sum(one for _, one in read.values())
    zh = "；".join(f"{_KINDS[kind].zh} {of:,.0f} 行读取 {n:,} 行" for kind, (n, of) in read.items())
    en = "; ".join(f"{n:,} of {of:,.0f} {_KINDS[kind].en}" for kind, (n, of) in read.items())
    shown = thinned[:_MOST_SERVICES]
    names = ", ".join(f"{name} 1/{1 / share:.0f}" for name, share in shown)
    more = len(thinned) - len(shown)
    return EvidenceGap(
        "logs",
        "sampled",
        None,
        Text(
            f"日志过多：约 {total:,.0f} 行中读取了 {lines:,} 行（{zh}）。每个服务在各时段的抽样"
            f"比例相同，同一 trace 的日志一起保留；最低比例：{names}"
            + (f"，另有 {more} 个服务。" if more > 0 else "。"),
            f"Too many log lines: {lines:,} of about {total:,.0f} were read ({en}). The rate of "
            f"a service is the same throughout, lines of one trace stay together; lowest rates: "
            f"{names}" + (f" and {more} more services." if more > 0 else "."),
        ),
    )


def not_read(kind: KindName | None, why: SourceError) -> EvidenceGap:
    name = _KINDS[kind]
    return EvidenceGap(
        "logs",
        "unavailable",
        None,
        Text(f"{name.zh}未能完整读取，已略去：{why}。", f"Left out {name.en}: {why}."),
    )


def too_loud(service: str, size: int) -> EvidenceGap:
    mib = size / 1024 / 1024
    return EvidenceGap(
        "logs",
        "unavailable",
        service,
        Text(
            f"{service} 的日志有 {mib:,.0f} MiB，为保护 Loki 未读取。",
            f"The logs of {service} are {mib:,.0f} MiB; they were not read, to spare Loki.",
        ),
    )


def too_much(size: int) -> str:
    gib = size / 1024**3
    return f"Loki would have to read {gib:,.0f} GiB; ask for less time, or narrow {TEMPLATE}"


def first_lines(read: int, there: int, parts: int) -> EvidenceGap:
    return EvidenceGap(
        "logs",
        "sampled",
        None,
        Text(
            f"约有 {there:,} 行符合条件，读取了 {read:,} 行：{parts} 个相等时段各自最早的几行。",
            f"About {there:,} lines match, {read:,} were read: the first ones of each of "
            f"{parts} equal parts of the time.",
        ),
    )


def nobody(service: str, label: str) -> EvidenceGap:
    return EvidenceGap(
        "logs",
        "no_data",
        service,
        Text(
            f"没有日志流属于服务 {service}（标签 {label}）：list_services 列出有哪些。",
            f"No stream is of the service {service} (label {label}); list_services names those "
            "there are.",
        ),
    )


def unlabelled(label: str, other: str, loudest: str, size: int) -> EvidenceGap:
    kib = size / 1024
    return EvidenceGap(
        "logs",
        "no_data",
        None,
        Text(
            f"没有标签 {label} 的日志流（{kib:,.0f} KiB，例如 {other}={loudest!r}）未读取；"
            f"如有需要，请把 {LABEL_KEY} 设为 {other}。",
            f"Streams without the label {label} ({kib:,.0f} KiB, such as {other}={loudest!r}) "
            f"were not read; if they matter, set {LABEL_KEY} to {other}.",
        ),
    )
