"""Examines the database of alerts for `aegis doctor`: nothing in it is changed or made."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from aegis.adapters.store.database import Database
from aegis.adapters.store.ids import SortableIds
from aegis.adapters.store.migrating import shape
from aegis.adapters.store.outbox import StoredOutbox
from aegis.model.errors import StoreUnavailable
from aegis.model.health import BackendHealth, Condition, Finding, State
from aegis.model.text import Text
from aegis.ports import Clock

PATIENCE_S = 5.0
LATE_AFTER = timedelta(minutes=2)
"""What is due is told within seconds; later something is in the way."""
_LARGE_BYTES = 5_000_000_000
_MEGABYTE = 1_000_000


class Examination:
    """Findings, kept even where the time runs out in the middle."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.findings: list[Finding] = []
        self.condition: Condition = "no_answer"

    def health(self) -> BackendHealth:
        address = self._database.address
        return BackendHealth("database", address, self.condition, tuple(self.findings))

    def note(self, name: str, state: State, zh: str, en: str) -> None:
        self.findings.append(Finding(name, state, Text(zh, en)))

    def look(self) -> bool:
        """Blocks. False where there is nothing to count in; never raises for what is wrong."""
        if not self._database.is_there:
            self._note_not_made()
            return False
        try:
            return self._look()
        except StoreUnavailable as error:
            self.condition = "no_answer"
            self.note("reachable", "fail", f"不能访问：{error}", f"cannot be reached: {error}")
            return False

    async def count(self) -> None:
        """What is due and was not told."""
        now = self._clock.now()
        outbox = StoredOutbox(self._database, SortableIds(self._clock))
        try:
            found = await outbox.backlog(now)
        except StoreUnavailable as error:
            self.note("backlog", "fail", f"不能读取：{error}", f"cannot be read: {error}")
            return
        if found.oldest is None:
            self.note("backlog", "ok", "没有待发送的消息", "nothing waits to be told")
        else:
            age = max(timedelta(), now - found.oldest)
            minutes = int(age.total_seconds() // 60)
            zh = f"{found.waiting} 条待发送，最早的已等 {minutes} 分钟"
            en = f"{found.waiting} wait to be told, the oldest for {minutes} min"
            late = age > LATE_AFTER
            more = Text("；见 aegis alerts undelivered", "; see aegis alerts undelivered")
            state: State = "warn" if late else "ok"
            self.note("backlog", state, zh + more.zh * late, en + more.en * late)
        if found.refused:
            zh = f"{found.refused} 条消息被拒绝；见 aegis alerts undelivered"
            en = f"{found.refused} messages were refused; see aegis alerts undelivered"
            self.note("refused", "warn", zh, en)

    def _look(self) -> bool:
        found = shape(self._database)
        self.condition = "answers"
        self.note("reachable", "ok", "可以访问", "can be reached")
        if found.is_newer:
            zh = f"表结构 {found.current} 来自更新版本的 Aegis；请升级 Aegis"
            en = f"a newer Aegis wrote its shape {found.current}; upgrade Aegis"
            self.note("schema", "fail", zh, en)
        elif found.current is None:
            zh, en = "还没有表；aegis serve 会建立", "no tables yet: aegis serve makes them"
            self.note("schema", "ok", zh, en)
        elif not found.is_current:
            zh = f"表结构是 {found.current}，需要 {found.newest}：aegis serve 启动时会升级"
            en = f"its shape is {found.current}, not {found.newest}: aegis serve upgrades it"
            self.note("schema", "warn", zh, en)
        else:
            self.note("schema", "ok", f"{found.current}，最新", f"{found.current}, current")
        if found.current is not None:
            self._note_writable()
        self._note_size()
        return found.is_current

    def _note_writable(self) -> None:
        try:
            with self._database.writing(PATIENCE_S) as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = '' WHERE 1 = 0"))
        except StoreUnavailable as error:
            self.note("writable", "fail", f"不能写入：{error}", f"cannot be written: {error}")
        else:
            self.note("writable", "ok", "可以写入", "can be written")

    def _note_size(self) -> None:
        size = self._size()
        said = f"{size / _MEGABYTE:,.1f} MB"
        if size < _LARGE_BYTES:
            self.note("size", "ok", said, said)
            return
        names = "AEGIS_ALERT_RETENTION_DAYS, AEGIS_ALERT_BODIES_MB"
        self.note("size", "warn", f"{said}，很大；见 {names}", f"{said} is large; see {names}")

    def _size(self) -> int:
        file = self._database.file
        if file is not None:
            beside = (file, file.with_name(f"{file.name}-wal"))
            return sum(one.stat().st_size for one in beside if one.is_file())
        with self._database.reading() as connection:
            asked = text("SELECT pg_database_size(current_database())")
            return int(connection.execute(asked).scalar_one())

    def _note_not_made(self) -> None:
        """A site that only asks questions needs none."""
        self.condition = "answers"
        file = self._database.file
        folder = _nearest(file.parent) if file is not None else None
        if folder is not None and not os.access(folder, os.W_OK | os.X_OK):
            self.condition = "wrong_setting"
            names = "AEGIS_DATA_DIR or AEGIS_DB_URL"
            zh, en = f"{folder} 不能写入；请改 {names}", f"{folder} cannot be written; set {names}"
            self.note("writable", "fail", zh, en)
            return
        self.note(
            "schema", "ok", "还没有；aegis serve 会建立", "not there yet: aegis serve makes it"
        )


def _nearest(folder: Path) -> Path:
    """The first folder on the way up that is there."""
    return next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
