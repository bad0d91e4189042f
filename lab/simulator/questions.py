"""What an engineer types: in Chinese or English, naming a service, a symptom, both or nothing."""

from __future__ import annotations

import numpy as np

from aegis.model.telemetry import Alarm

BOTH = {
    "latency": (
        "why is {service} slow?",
        "{service} p99 is way up, what happened?",
        "latency of {service} looks bad, root cause?",
        "{service} 为什么变慢了？",
        "{service} 响应时间飙升，帮忙看下原因",
        "{service} 延迟很高，怎么回事？",
    ),
    "errors": (
        "why is {service} failing?",
        "{service} is throwing errors, why?",
        "lots of 5xx from {service}",
        "{service} 为什么一直报错？",
        "{service} 错误率升高，查一下根因",
        "{service} 大量 5xx，怎么回事？",
    ),
    None: (
        "what is wrong with {service}?",
        "is {service} ok?",
        "customers complain about {service}, please check",
        "{service} 出了什么问题？",
        "{service} 好像不太对劲，帮忙看看",
    ),
}
SYMPTOM = {
    "latency": (
        "why is everything so slow?",
        "the site is slow",
        "系统好慢，怎么回事？",
        "页面打开很慢",
    ),
    "errors": (
        "why do we see so many errors?",
        "customers get errors",
        "为什么这么多报错？",
        "用户下单失败",
    ),
}
NOTHING = (
    "what is going on?",
    "what broke?",
    "anything wrong right now?",
    "发生了什么？",
    "现在系统有什么问题吗？",
    "帮忙看下刚才的告警",
)
MISSING = (
    "some results of {service} are incomplete, why?",
    "{service} 的数据不全，为什么？",
    "work seems to get lost behind {service}",
)
LATE = (
    "things from {service} arrive very late",
    "{service} 处理积压了，怎么回事？",
    "why is {service} so far behind?",
)


def draw_question(rng: np.random.Generator, alarm: Alarm | None, harm: str | None) -> str:
    """A question that fits what is felt; `harm` of the fault, None where nothing is wrong."""
    service = None if alarm is None else alarm.service
    kind = None if alarm is None else alarm.kind
    form = float(rng.random())
    choices: tuple[str, ...] = NOTHING
    if service is not None and form < 0.65:
        special = {"silent": MISSING, "late": LATE}.get(harm or "")
        choices = special if special and form < 0.5 else BOTH[kind]
    elif kind is not None and form < 0.85:
        choices = SYMPTOM[kind]
    text = choices[int(rng.integers(len(choices)))]
    return text.format(service=service)
