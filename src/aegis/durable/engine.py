"""The only module that knows DBOS: flows in queues, their steps, recovery and retention.

What bites in DBOS 3.4, and is cured here or in database.py: it sets no WAL and no full
synchronisation on SQLite, and calls functions that an old SQLite does not know; the default
version of an application is a hash of its source, which strands what is under way; threads are
unbounded; the serializer is pickle; a client waits for ever for a database that is down; nothing
is ever deleted; nobody adopts what a dead replica left, nor what ended while the database was
away.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import structlog
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus
from sqlalchemy.exc import SQLAlchemyError

from aegis.durable.adoption import Replica
from aegis.durable.database import SCHEMA, engine_url, is_sqlite, open_engine
from aegis.durable.orphans import Orphans
from aegis.model.errors import AegisError, StoreUnavailable
from aegis.ports import Clock
from aegis.ports.delivery import Json, Steps

APPLICATION = "aegis"
VERSION = "1"
"""Of the flows' steps: raised only where a flow under way could not go on with the new code."""
POLL_S = 0.1
THREADS = 16
ENQUEUE_DEADLINE_S = 5.0
KEPT_FOR = timedelta(days=1)
CLEAN_EVERY_S = 600.0
DESTROYED_WITHIN_S = 4.0
_CLEANED_AT_ONCE = 500
_STOP_POLL_S = 0.2
_ACTIVE = ("ENQUEUED", "PENDING", "DELAYED")
_ALONE = "local"
"""The name of the one process on SQLite: what it left, its successor finds under its own name."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Flow:
    """What is run for an id and a payload, once to its end, over crashes and replicas.

    Flows of one partition run one after the other. After a crash a flow begins anew, with the
    results of the steps it had finished; so what it does beside its steps must depend on them
    alone. An error it raises ends it.
    """

    name: str
    run: Callable[[Mapping[str, Json], Steps], Awaitable[None]]


class Durable:
    """One a process. `launch` and `shutdown` block and belong on a thread without event loop."""

    def __init__(self, db_url: str, flows: Sequence[Flow], clock: Clock) -> None:
        """ConfigurationError where `db_url` cannot hold durable work."""
        self._url = engine_url(db_url)
        self._flows = flows
        self._clock = clock
        self._alone = is_sqlite(self._url)
        self.replica = _ALONE if self._alone else f"aegis-{uuid.uuid4().hex[:12]}"
        self._stopping = threading.Event()
        self._engine = open_engine(self._url, clock)
        self._client_engine = open_engine(self._url, clock, connections=2)
        self._client: DBOSClient | None = None
        self._callers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="aegis-enqueue")
        self._watcher: Replica | None = None
        self._cleaner = threading.Thread(target=self._clean, name="aegis-retention", daemon=True)
        self._orphans = Orphans(lambda: _pending_work().get(self.replica, ()), _put_back)
        self._seeker = threading.Thread(
            target=self._orphans.watch, args=(self._stopping,), name="aegis-orphans", daemon=True
        )

    def launch(self) -> None:
        """StoreUnavailable where the database is. On SQLite the caller holds its lock."""
        _log_as_json()
        try:
            self._launch()
        except SQLAlchemyError as error:
            self.shutdown(1)
            raise StoreUnavailable(
                f"AEGIS_DB_URL: durable tables: {type(error).__name__}"
            ) from None

    def _launch(self) -> None:
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_engine": self._engine,
                "dbos_system_schema": SCHEMA,
                "application_version": VERSION,
                "executor_id": self.replica,
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": THREADS,
                "use_listen_notify": False,
                "log_level": "WARNING",
            }
        )
        for flow in self._flows:
            DBOS.workflow(name=flow.name, max_recovery_attempts=None)(self._workflow(flow))
        DBOS.launch()
        for flow in self._flows:
            DBOS.register_queue(flow.name, partition_concurrency=1, polling_interval_sec=POLL_S)
        self._client = DBOSClient(
            system_database_engine=self._client_engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )
        if not self._alone:
            self._watcher = Replica(self._url, self.replica, _pending_work, _put_back)
            self._watcher.start()
        self._cleaner.start()
        self._seeker.start()

    def _workflow(self, flow: Flow) -> Callable[[dict[str, Json]], Awaitable[None]]:
        async def run(payload: dict[str, Json]) -> None:
            with self._orphans.running(str(DBOS.workflow_id)):
                await flow.run(payload, _DurableSteps(self._stopping))

        run.__qualname__ = run.__name__ = flow.name
        return run

    async def enqueue(
        self, flow: str, workflow_id: str, partition: str, payload: Mapping[str, Json]
    ) -> None:
        """Nothing happens where `workflow_id` is known already. StoreUnavailable within 5 s."""
        options: EnqueueOptions = {
            "workflow_name": flow,
            "queue_name": flow,
            "workflow_id": workflow_id,
            "queue_partition_key": partition,
        }
        client = self._launched()
        await self._call(lambda: client.enqueue(options, dict(payload)))

    async def is_over(self, workflow_id: str) -> bool:
        """Did it end, well or badly? False where it waits, runs or is unknown."""
        client = self._launched()
        found = await self._call(
            lambda: client.list_workflows(
                workflow_ids=[workflow_id], load_input=False, load_output=False
            )
        )
        return any(one.status not in _ACTIVE for one in cast("list[WorkflowStatus]", found))

    def shutdown(self, deadline_s: float) -> None:
        """Let running flows come to a halt; what is not done goes on after the next launch.

        Returns soon after the deadline, also where the database is down: then the engine's
        threads wait for it until the process ends.
        """
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.stop(1.0)
        self._callers.shutdown(wait=False, cancel_futures=True)
        ending = threading.Thread(
            target=self._destroy, args=(deadline_s,), name="aegis-durable-end", daemon=True
        )
        ending.start()
        ending.join(deadline_s + DESTROYED_WITHIN_S)
        if ending.is_alive():
            _log.warning("durable_engine_does_not_end")

    def _destroy(self, deadline_s: float) -> None:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=max(1, int(deadline_s)))
        if self._client is not None:
            self._client.destroy()
        self._engine.dispose()
        self._client_engine.dispose()

    def _launched(self) -> DBOSClient:
        if self._client is None or self._stopping.is_set():
            raise StoreUnavailable("durable work is not launched")
        return self._client

    async def _call(self, asked: Callable[[], object]) -> object:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ENQUEUE_DEADLINE_S):
                return await loop.run_in_executor(self._callers, asked)
        except TimeoutError:
            raise StoreUnavailable("AEGIS_DB_URL: durable tables: no answer in time") from None
        except SQLAlchemyError as error:
            raise StoreUnavailable(
                f"AEGIS_DB_URL: durable tables: {type(error).__name__}"
            ) from None

    def _clean(self) -> None:
        """Nobody else removes what is over."""
        while not self._stopping.wait(CLEAN_EVERY_S):
            try:
                remove_old(self._clock)
            except SQLAlchemyError as error:
                _log.warning("durable_cleaning_failed", error=type(error).__name__)


def remove_old(clock: Clock) -> int:
    """Delete what ended longer than KEPT_FOR ago; how many that was."""
    removed = 0
    before = (clock.now() - KEPT_FOR).isoformat()
    while True:
        old = DBOS.list_workflows(
            completed_before=before,
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            limit=_CLEANED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if not old:
            return removed
        DBOS.delete_workflows([one.workflow_id for one in old])
        removed += len(old)


class _DurableSteps:
    """The port `Steps` inside a workflow of DBOS."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    async def run(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        async def step() -> Json:
            return await work()

        return await DBOS.run_step_async({"name": name}, step)

    async def sleep(self, seconds: float) -> None:
        sleeping = asyncio.create_task(DBOS.sleep_async(seconds))
        while not sleeping.done() and not self.stopping:
            await asyncio.wait({sleeping}, timeout=_STOP_POLL_S)
        sleeping.cancel()


def _pending_work() -> dict[str, list[str]]:
    """The ids under way, by replica."""
    found: dict[str, list[str]] = {}
    for one in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False):
        if one.executor_id:
            found.setdefault(one.executor_id, []).append(one.workflow_id)
    return found


def _put_back(ids: Sequence[str]) -> None:
    for one in DBOS.list_workflows(workflow_ids=list(ids), load_input=False, load_output=False):
        DBOS.resume_workflow(one.workflow_id, queue_name=one.queue_name)


class _JsonLog(logging.Handler):
    """What the engine says becomes one JSON line like everything else."""

    def emit(self, record: logging.LogRecord) -> None:
        why = _what_failed(record.exc_info[1]) if record.exc_info else {}
        _log.log(record.levelno, "durable_engine", said=record.getMessage(), **why)


def _what_failed(error: BaseException | None) -> dict[str, str]:
    """What and where. Texts of others may quote an alert, so only ours are told."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    told = f": {error}" if isinstance(error, AegisError) else ""
    return {"error": f"{type(error).__name__}{told}", "at": at}


def _log_as_json() -> None:
    logger = logging.getLogger("dbos")
    logger.propagate = False
    if not any(isinstance(one, _JsonLog) for one in logger.handlers):
        logger.handlers = [_JsonLog()]
