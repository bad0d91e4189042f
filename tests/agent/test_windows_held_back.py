"""Questions as people type them, written down before the reader of windows existed.

They are the held-back half: its first score, before anything was tuned, was 64 of 66. One of
the two misses was the reader's (the hour that occurs twice in Berlin), one was a sum done
wrong in the row (Beijing time in New York). New phrases go to the other tables.
"""

from __future__ import annotations

import pytest

from tests.agent.windows import Row, expected, shown, understood

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"

ROWS = [
    # Clock times
    Row("昨天晚上 23 点 checkout 为什么报错？", "point 11-03 22:45 > 11-03 23:15"),
    Row("why did checkout fail last night at 23:00?", "point 11-03 22:45 > 11-03 23:15"),
    Row("前天下午三点左右支付超时", "point 11-02 14:45 > 11-02 15:15"),
    Row("上周五晚上8点订单服务怎么了", "point 10-30 19:45 > 10-30 20:15"),
    Row("凌晨两点的告警是什么原因", "point 11-04 01:45 > 11-04 02:15"),
    Row("what happened at 23:00", "point 11-03 22:45 > 11-03 23:15"),
    Row("at 9:40am the api returned 502s, why?", "point 11-04 09:25 > 11-04 09:55"),
    Row("昨晚十一点半 502 很多", "point 11-03 23:15 > 11-03 23:45"),
    Row("昨晚一点多开始慢", "lookback 11-04 01:00 > 11-04 10:00"),
    Row("昨晚12点数据库怎么了", "point 11-03 23:45 > 11-04 00:15"),
    Row("errors on Friday at 6pm", "point 10-30 17:45 > 10-30 18:15"),
    Row("11月2日 10:15 发生了什么", "point 11-02 10:00 > 11-02 10:30"),
    Row("2026-11-02 10:15 p99 突增到 3s", "point 11-02 10:00 > 11-02 10:30"),
    Row("spike at 2026-11-02T10:15:00Z", "point 11-02 18:00 > 11-02 18:30"),
    Row(
        "2026-11-02T10:15:30.123+01:00 trace failed",
        "point 2026-11-02T17:00:30.123 > 2026-11-02T17:30:30.123",
    ),
    Row("incident on Nov 2 at 10:15", "point 11-02 10:00 > 11-02 10:30"),
    Row(
        "yesterday checkout was slow around 23:00",
        "point 11-03 22:45 > 11-03 23:15",
        "2026-11-04 23:30",
    ),
    Row("今天９点１５分为什么报警", "point 11-04 09:00 > 11-04 09:30"),
    Row("what broke at noon yesterday?", "point 11-03 11:45 > 11-03 12:15"),
    Row("half past nine this morning orders dropped", "point 11-04 09:15 > 11-04 09:45"),
    # Ranges
    Row("10:00~10:15 订单失败", "range 11-03 10:00 > 11-03 10:15", "2026-11-04 09:00"),
    Row("今天上午8点到8点半 cart 慢", "range 11-04 08:00 > 11-04 08:30"),
    Row("between 9am and 9:30am checkout was down", "range 11-04 09:00 > 11-04 09:30"),
    Row("23:50~00:10 有一波超时", "range 11-03 23:50 > 11-04 00:10"),
    Row("errors from 22:40 to 23:10 yesterday", "range 11-03 22:40 > 11-03 23:10"),
    Row("昨天下午3点到5点之间", "range 11-03 15:00 > 11-03 17:00"),
    Row("昨晚10点到凌晨2点", "range 11-03 22:00 > 11-04 02:00"),
    Row("2026-11-02 10:15 - 2026-11-02 10:45", "range 11-02 10:15 > 11-02 10:45"),
    Row("从昨天 23:30 到今天 00:30", "range 11-03 23:30 > 11-04 00:30"),
    Row("9-9:30am latency", "range 11-04 09:00 > 11-04 09:30"),
    Row("10：00－10：15 之间 5xx", "range 11-03 10:00 > 11-03 10:15", "2026-11-04 08:00"),
    Row("between 14:00 and 14:30 UTC", "range 11-03 22:00 > 11-03 22:30"),
    # Looking back
    Row("最近 2 小时 checkout 为什么慢", "lookback 11-04 08:00 > 11-04 10:00"),
    Row("errors in the last 45 minutes", "lookback 11-04 09:15 > 11-04 10:00"),
    Row("过去半小时有多少 5xx", "lookback 11-04 09:30 > 11-04 10:00"),
    Row("近一个半小时的错误日志", "lookback 11-04 08:30 > 11-04 10:00"),
    Row("since 22:40 payments time out", "lookback 11-03 22:40 > 11-04 10:00"),
    Row("从 22:40 开始支付超时", "lookback 11-03 22:40 > 11-04 10:00"),
    Row("slow since yesterday evening", "lookback 11-03 18:00 > 11-04 10:00"),
    Row("the past hour", "lookback 11-04 09:00 > 11-04 10:00"),
    Row("昨天 22:40 以来错误增多", "lookback 11-03 22:40 > 11-04 10:00"),
    Row("last 24h error rate", "lookback 11-03 10:00 > 11-04 10:00"),
    # Ago
    Row("半小时前发布之后就挂了", "point 11-04 09:15 > 11-04 09:45"),
    Row("two hours ago the site was down", "point 11-04 07:30 > 11-04 08:30"),
    Row("10 分钟前 cart 报错", "point 11-04 09:35 > 11-04 10:00"),
    Row("it started 20 minutes ago", "lookback 11-04 09:40 > 11-04 10:00"),
    # Named stretches
    Row("刚才怎么了", "vague 11-04 09:45 > 11-04 10:00"),
    Row("did this morning's deploy break checkout?", "vague 11-04 06:00 > 11-04 10:00"),
    Row("昨天晚上 checkout 为什么慢", "vague 11-03 18:00 > 11-04 06:00"),
    Row("what went wrong yesterday?", "vague 11-03 00:00 > 11-04 00:00"),
    Row("上周五下午网关怎么了", "vague 10-30 12:00 > 10-30 18:00"),
    Row("checkout is failing right now", "vague 11-04 09:45 > 11-04 10:00"),
    # No time at all
    Row("why is checkout slow?", None),
    Row("24 个实例里有 3 个 502", None),
    Row("10.0.0.1:8080 returned error 500 on 3 pods, v1.2.3", None),
    Row("p99 大于 3 秒, 比昨天慢", None),
    Row("trace 4bf92f3577b34da6a3ce929d0e0e4736 为什么失败", None),
    Row("checkout 有点慢，快一点就好了", None),
    Row("restart loop, exit code 137, 12 restarts", None),
    Row("will it break tomorrow at 9:00?", None),
    # Clocks that are changed, and other zones
    Row("at 02:30", "point 03-29 03:15 > 03-29 03:45", "2026-03-29 12:00", BERLIN),
    Row(
        "02:10~02:50",
        "range 2026-10-25T02:10+02:00 > 2026-10-25T02:50+01:00",
        "2026-10-25 12:00",
        BERLIN,
    ),
    Row("yesterday", "vague 2026-11-01 00:00 > 2026-11-02 00:00", "2026-11-02 10:00", NEW_YORK),
    Row("last 2 hours", "lookback 03-08 00:30 > 03-08 03:30", "2026-03-08 03:30", NEW_YORK),
    Row("at 23:00 Beijing time", "point 11-03 09:45 > 11-03 10:15", "2026-11-03 12:00", NEW_YORK),
    Row("last night at 11pm", "point 03-07 22:45 > 03-07 23:15", "2026-03-08 09:00", NEW_YORK),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_question_nobody_tuned_on_is_read_as_meant(row: Row) -> None:
    assert shown(understood(row)) == expected(row)
