"""Flows of this process that nobody runs any more, though the database says they are under way.

A database that goes away while a flow ends takes with it the word that it ended. Its partition
would wait for it until the next launch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

LOOK_EVERY_S = 2.5

_log = structlog.get_logger()


class Orphans:
    """Puts back what two looks found without anybody who runs it: a flow that was just taken
    from its queue begins soon after.

    `pending` are the ids that the database has as this process's.
    """

    def __init__(
        self, pending: Callable[[], Collection[str]], put_back: Callable[[Sequence[str]], None]
    ) -> None:
        self._pending = pending
        self._put_back = put_back
        self._running: set[str] = set()
        self._suspects: set[str] = set()

    @contextmanager
    def running(self, workflow_id: str) -> Iterator[None]:
        """While somebody runs it."""
        self._running.add(workflow_id)
        try:
            yield
        finally:
            self._running.discard(workflow_id)

    def watch(self, stop: threading.Event) -> None:
        """Until `stop`."""
        while not stop.wait(LOOK_EVERY_S):
            try:
                self.look()
            except SQLAlchemyError as error:
                _log.warning("orphans_not_looked_for", error=type(error).__name__)
                self._suspects = set()

    def look(self) -> None:
        lost = set(self._pending()) - self._running
        found = sorted(lost & self._suspects)
        self._suspects = lost.difference(found)
        if found:
            self._put_back(found)
            _log.warning("orphans_put_back", workflows=len(found))
