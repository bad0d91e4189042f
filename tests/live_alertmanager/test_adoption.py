"""Replicas on PostgreSQL: the work of a dead one goes on, that of a living one is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

WORKER = (sys.executable, "-m", "tests.live_alertmanager.durable_worker")
ADOPTED_WITHIN_S = 10.0


@contextmanager
def replica(
    db_url: str, notes: Path, hold_s: float, *names: str
) -> Iterator[subprocess.Popen[bytes]]:
    command = [*WORKER, db_url, str(notes), str(hold_s), *names]
    with notes.with_suffix(".log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
    try:
        until(lambda: f"ready {process.pid}" in said(notes), 30)
        yield process
    finally:
        process.kill()
        process.wait()


def said(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


def until(condition: Callable[[], bool], within_s: float) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, "waited in vain"
        time.sleep(0.05)
    return time.monotonic() - began


def test_the_work_of_a_killed_replica_goes_on_within_ten_seconds(
    db_url: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    with ExitStack() as stack:
        dies = stack.enter_context(replica(db_url, notes, 300, "a-1", "b-1"))
        until(lambda: sum(one.startswith("holds") for one in said(notes)) == 2, 10)
        lives = stack.enter_context(replica(db_url, notes, 0))
        time.sleep(6)
        assert f"holds a-1 {lives.pid}" not in said(notes), "took the work of a living replica"
        os.kill(dies.pid, signal.SIGKILL)
        wanted = {f"done a-1 {lives.pid}", f"done b-1 {lives.pid}"}
        took = until(lambda: wanted <= set(said(notes)), ADOPTED_WITHIN_S)
    sys.stdout.write(f"adopted after {took:.1f} s\n")
    assert sum(one.startswith("first a-1") for one in said(notes)) == 1


def test_replicas_whose_connections_break_for_a_moment_keep_their_work(
    db_url: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    with ExitStack() as stack:
        one = stack.enter_context(replica(db_url, notes, 12, "a-1"))
        until(lambda: f"holds a-1 {one.pid}" in said(notes), 10)
        stack.enter_context(replica(db_url, notes, 12))
        with psycopg.connect(db_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        until(lambda: f"done a-1 {one.pid}" in said(notes), 20)
        time.sleep(3)
    assert sum(line.startswith("holds a-1") for line in said(notes)) == 1


def test_one_partition_runs_on_one_replica_at_a_time(db_url: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with ExitStack() as stack:
        stack.enter_context(replica(db_url, notes, 0.3))
        stack.enter_context(replica(db_url, notes, 0.3, *(f"a-{n:03d}" for n in range(10))))
        until(lambda: sum(one.startswith("done") for one in said(notes)) == 10, 30)
    order = [one.split()[:2] for one in said(notes) if one.startswith(("holds", "done"))]
    expected = [[word, f"a-{n:03d}"] for n in range(10) for word in ("holds", "done")]
    assert order == expected
