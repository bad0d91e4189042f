"""Times as people type them in a hurry, asked on a Wednesday at ten in the morning in Shanghai."""

from __future__ import annotations

import pytest

from tests.agent.windows import Row, expected, shown, understood

ROWS = [
    # A range that touches its day is no offset from UTC: only ISO 8601 writes one like that.
    Row("今天9:00-9:15之间的502", "range 11-04 09:00 > 11-04 09:15"),
    Row("昨天10:00-11:00", "range 11-03 10:00 > 11-03 11:00"),
    Row("昨晚10:00-12:00", "range 11-03 22:00 > 11-04 00:00"),
    Row("11月3日10:00-12:00", "range 11-03 10:00 > 11-03 12:00"),
    Row("周一10:00-10:15", "range 11-02 10:00 > 11-02 10:15"),
    Row("2026-11-03T10:00:00-05:00", "point 11-03 22:45 > 11-03 23:15"),
    Row("2026-11-03T10:00-05:00", "point 11-03 22:45 > 11-03 23:15"),
    Row("晚8点支付失败", "point 11-03 19:45 > 11-03 20:15"),
    Row("晚11点半", "point 11-03 23:15 > 11-03 23:45"),
    Row("晚8点半到9点", "range 11-03 20:30 > 11-03 21:00"),
    Row("早8点", "point 11-04 07:45 > 11-04 08:15"),
    Row("早7点到晚9点", "range 11-04 07:00 > 11-04 10:00"),
    Row("最晚9点恢复", "point 11-04 08:45 > 11-04 09:15"),
    Row("比平时晚10分钟", None),
    Row("早高峰支付很慢", "vague 11-04 06:00 > 11-04 10:00"),
    Row("昨天晚高峰", "vague 11-03 17:00 > 11-03 20:00"),
    Row("昨天午高峰", "vague 11-03 11:00 > 11-03 14:00"),
    Row("9:00 -> 9:15", "range 11-04 09:00 > 11-04 09:15"),
    Row("9:00 → 9:15", "range 11-04 09:00 > 11-04 09:15"),
    Row("9:00 => 9:15", "range 11-04 09:00 > 11-04 09:15"),
    Row("9:00...9:15", "range 11-04 09:00 > 11-04 09:15"),
    Row("checkout -> payment 9:00", "point 11-04 08:45 > 11-04 09:15"),
    Row("9 点 ~ 9 点 15", "range 11-04 09:00 > 11-04 09:15"),
    Row("23 点 15 左右", "point 11-03 23:00 > 11-03 23:30"),
    Row("9 点 15 个 pod 重启", "point 11-04 08:45 > 11-04 09:15"),
    Row("9点10分到20分", "range 11-04 09:10 > 11-04 09:20"),
    Row("9:10到20分", "range 11-04 09:10 > 11-04 09:20"),
    Row("昨晚十点十分到二十分", "range 11-03 22:10 > 11-03 22:20"),
    Row("9点20分到10分", "point 11-04 09:05 > 11-04 09:35"),
    Row("checkout broke at nine thirty", "point 11-04 09:15 > 11-04 09:45"),
    Row("two forty-five pm yesterday", "point 11-03 14:30 > 11-03 15:00"),
    Row("ten thirty pods restart", None),
    Row("9:00 开始报错，持续了 20 分钟", "range 11-04 09:00 > 11-04 09:20"),
    Row("格林威治时间1点", "point 11-04 08:45 > 11-04 09:15"),
    Row("双十一零点下单失败", "point 2025-11-10 23:45 > 2025-11-11 00:15"),
    Row("双12", "vague 2025-12-12 00:00 > 2025-12-13 00:00"),
    Row("五十五点", None),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_means(row: Row) -> None:
    assert shown(understood(row)) == expected(row)
