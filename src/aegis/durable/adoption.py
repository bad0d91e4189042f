"""Replicas on PostgreSQL: each shows that it lives, and takes over the work of one that does not.

A replica holds a session lock under its name for as long as its process lives; PostgreSQL lets
it go when the connection ends. A lock that can be taken twice, some seconds apart, belonged to a
dead replica. Twice, because after a restart of PostgreSQL every replica is without its lock for
a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from aegis.durable.database import CONNECT_TIMEOUT_S

LOOK_EVERY_S = 2.5
"""Two looks, and then the queue's own poll: a dead replica's work goes on within 10 s."""
_NAMESPACE = 0x0AE615

_log = structlog.get_logger()


class Replica:
    """This replica's sign of life, and its eye on the others.

    `pending_of` names the replicas that have work under way, each with the ids of it;
    `adopt` puts these ids back in their queues.
    """

    def __init__(
        self,
        url: sa.URL,
        name: str,
        pending: Callable[[], dict[str, list[str]]],
        adopt: Callable[[list[str]], None],
    ) -> None:
        self.name = name
        self._engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            poolclass=sa.pool.NullPool,
            connect_args={
                "application_name": f"aegis-replica {name}",
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 "
                "-c tcp_keepalives_count=3 -c statement_timeout=10000",
            },
        )
        self._pending = pending
        self._adopt = adopt
        self._stop = threading.Event()
        self._suspects: set[str] = set()
        self._thread = threading.Thread(target=self._watch, name="aegis-replica", daemon=True)
        self._connection: sa.Connection | None = None

    def start(self) -> None:
        """Raises SQLAlchemyError where the database cannot be reached."""
        self._show_life()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._stop.set()
        self._thread.join(timeout_s)
        self._leave()
        self._engine.dispose()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self._show_life()
                self._look()
            except SQLAlchemyError as error:
                _log.warning("replica_watch_failed", error=type(error).__name__)
                self._suspects.clear()
                self._leave()

    def _show_life(self) -> None:
        """Hold the lock; a connection that was lost lost it too."""
        if self._connection is not None:
            self._connection.execute(sa.text("SELECT 1"))
            return
        self._connection = self._engine.connect()
        if not self._try_lock(self.name):
            _log.warning("replica_lock_taken", replica=self.name)
            self._leave()

    def _look(self) -> None:
        pending = self._pending()
        others = set(pending) - {self.name}
        free = {name for name in others if self._looks_dead(name)}
        for name in sorted(free & self._suspects):
            self._take_over(name)
        self._suspects = free

    def _looks_dead(self, name: str) -> bool:
        if not self._try_lock(name):
            return False
        self._unlock(name)
        return True

    def _take_over(self, name: str) -> None:
        if not self._try_lock(name):
            return
        try:
            # Read again under the lock: another replica may have been quicker.
            ids = self._pending().get(name, [])
            if ids:
                self._adopt(ids)
                _log.warning("replica_work_adopted", replica=name, workflows=len(ids))
        finally:
            self._unlock(name)

    def _try_lock(self, name: str) -> bool:
        return bool(self._call("pg_try_advisory_lock", name))

    def _unlock(self, name: str) -> None:
        self._call("pg_advisory_unlock", name)

    def _call(self, function: str, name: str) -> bool:
        if self._connection is None:
            return False
        call = getattr(sa.func, function)(_NAMESPACE, sa.func.hashtext(name))
        return bool(self._connection.execute(sa.select(call)).scalar())

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
