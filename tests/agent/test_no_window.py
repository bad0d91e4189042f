"""Numbers and words that are no times, and times that have not come: no window at all."""

from __future__ import annotations

import pytest

from tests.agent.windows import Row, understood

NO_TIMES = [
    "最近一次发布后变慢",
    "since 9 pods died",
    "last minute change broke it",
    "last 3 deploys",
    "timeout within 30s",
    "requests hang for 30 seconds",
    "may 3 pods restart",
    "sat in queue",
    "slower than yesterday",
    "三点五秒",
    "慢了一点",
    "有两点疑问",
    "第一点",
    "5 点建议",
    "百分之五",
    "10:1",
    "sha256:1234",
    "fe80::1",
    "00:1b:44:11:3a:b7",
    "redis:6379",
    "10.0.0.1:23:59",
    "image v2026.11.02",
    "build-2026-11-02",
    "25:00",
    "10:60",
    "error 10:15:99",
    "HTTP 503 at /api/orders",
    "cpu at 20 percent",
    "memory at 12",
    "port 2222",
    "3/4 replicas",
    "good morning, why is checkout slow",
    "晚上好",
    "08:59:60",
    "trace 00f067aa0ba902b7",
    "周报服务",
    "上周期任务",
    "分时数据",
    "同时报错",
    "lots of 502s on checkout",
    "p99 and p99.9 of cart",
    "5xx on the gateway",
    "error 500 on 3 pods",
    "24 个实例",
    "",
    " \n\t",
    "load average 10-11",
    "retry 3 to 5 times",
    "between 10 and 20 pods restart",
    "from frontend to cart",
    "the 5th try",
    "the 3rd replica",
    "before yesterday",
    "commit 1a2b3c4 at line 15",
    "node-12:30 and svc.10:15",
    "500m cpu, 90m memory, 2h ttl",
    "为什么支付服务报错？",
]
NOT_YET = [
    "tonight",
    "this evening",
    "明天 9 点",
    "下周一会不会挂",
    "next Monday",
    "next week",
    "下周",
    "after next Tuesday",
    "今天下午三点",
    "today at 15:00",
    "since 2026-11-05",
    "2027-01-01 10:00~11:00",
    "in 10 minutes",
]
NO_SUCH_DAY = ["2026-02-30 10:15", "2026-13-45", "9999-12-31", "0000-01-01 00:00"]


@pytest.mark.parametrize("said", NO_TIMES)
def test_a_number_that_is_no_time_is_not_read_as_one(said: str) -> None:
    assert understood(Row(said, None)) is None


@pytest.mark.parametrize("said", NOT_YET)
def test_a_time_that_has_not_come_is_no_window(said: str) -> None:
    assert understood(Row(said, None)) is None


@pytest.mark.parametrize("said", NO_SUCH_DAY)
def test_a_day_that_does_not_exist_is_no_window(said: str) -> None:
    assert understood(Row(said, None)) is None
