"""A shop of five services, computed and not drawn: front > cart > store, front > pay > bank.

Twenty minutes before and five in the window. In the window the store runs hot, answers
slowly and refuses some orders; cart and front suffer, pay and the bank do not. Pay was
changed a minute before, which has nothing to do with it. The bank writes no spans and no logs.
"""

from __future__ import annotations

from collections.abc import Mapping

from aegis.model.incident import Observations
from aegis.model.telemetry import Alarm, Change, LogLine, Series, Span
from tests.engine.telemetry import line, logs, moment, observations, series, span, spans, window

START_S = 1200
ASKED = window(START_S, START_S + 300)
ROLES = ("front", "cart", "store", "pay", "bank")


def shop(names: Mapping[str, str] | None = None, *, backwards: bool = False) -> Observations:
    """What is seen of the shop; `names` renames services, `backwards` reverses what has order."""
    called = dict(zip(ROLES, ROLES, strict=True)) | dict(names or {})
    metrics, rows, lines = _metrics(called), _spans(called), _logs(called)
    services = [called[role] for role in ROLES]
    calls = [(called[a], called[b]) for a, b in (("front", "cart"), ("cart", "store"))]
    calls += [(called["front"], called["pay"]), (called["pay"], called["bank"])]
    if backwards:
        for ordered in (metrics, rows, lines, services, calls):
            ordered.reverse()
    return observations(
        ASKED,
        metrics=metrics,
        spans=spans(rows),
        logs=logs(lines),
        services=services,
        calls=calls,
        changes=[Change(called["pay"], moment(START_S - 60), "deploy", "v2")],
        alarm=Alarm(called["front"], "latency"),
        extent=window(0, START_S + 300),
    )


def _metrics(called: Mapping[str, str]) -> list[Series]:
    found = []
    for place, role in enumerate(("front", "cart", "store", "pay")):
        slower = {"front": 0.2, "cart": 0.12, "store": 0.06}.get(role, 0.0)
        hotter = 6.0 if role == "store" else 0.0
        seconds = range(0, START_S + 300, 30)
        noise = [(7 * (index + 3 * place)) % 11 / 11 for index in range(len(seconds))]
        found.append(
            series(
                called[role],
                "cpu_usage_percent",
                [
                    30 + 4 * wave + hotter * (s >= START_S)
                    for s, wave in zip(seconds, noise, strict=True)
                ],
                step_s=30,
            )
        )
        found.append(
            series(
                called[role],
                "request_latency_p95_seconds",
                [
                    0.05 * (4 - place) + 0.01 * wave + slower * (s >= START_S)
                    for s, wave in zip(seconds, noise, strict=True)
                ],
                step_s=30,
            )
        )
    return found


def _spans(called: Mapping[str, str]) -> list[Span]:
    rows = []
    for number in range(300):
        time, trace = number * 5.0, f"{number:06d}"
        slow = 5.0 if time >= START_S else 0.0
        wave = number % 7
        for place, (role, parent, operation, ms) in enumerate(
            (
                ("front", "", "GET /", 60 + slow),
                ("cart", "0", "read", 40 + slow),
                ("store", "1", "select", 20 + slow),
                ("pay", "0", "quote", 8.0),
                ("pay", "3", "POST bank", 5.0),
            )
        ):
            rows.append(
                span(
                    trace,
                    str(place),
                    parent,
                    called[role],
                    operation,
                    start_s=time + place / 1000,
                    ms=ms + wave,
                    error=bool(slow) and role == "store" and number % 15 == 0,
                )
            )
    return rows


def _logs(called: Mapping[str, str]) -> list[LogLine]:
    lines = []
    for number in range(300):
        time, trace = number * 5.0, f"{number:06d}"
        lines.append(line(time, called["store"], f"order {number} read", "INFO", trace, "2"))
        if time >= START_S and number % 15 == 0:
            body = f"order {number} refused: too many"
            lines.append(line(time + 0.1, called["store"], body, "ERROR", trace, "2"))
        if number % 2:
            lines.append(line(time, called["pay"], "quoted", "INFO", trace, "3"))
    return lines
