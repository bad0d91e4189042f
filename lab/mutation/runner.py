"""Runs the tests of a package against one mutant after another, each in a forked child.

The parent imports what the tests need from elsewhere (numpy, pytest …) but never the package
itself, so that a child starts warm and loads the broken module as if it were the real one.
"""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import Literal

import pytest

from lab.mutation.child import (
    Baseline,
    BaselineRecorder,
    FirstFiles,
    InOrder,
    hurry_hypothesis,
    install_mutant,
)
from lab.mutation.mutants import Mutant, compile_mutant
from lab.mutation.operators import Operator

Outcome = Literal["killed", "survived", "timeout", "not_run"]
POLL_S = 0.01
NEAREST_TESTS = 12
MEMORY_LIMIT_BYTES = 6 * 1024**3
PYTEST_ARGS = (
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


CRASHED = 70
NOT_A_VERDICT = {CRASHED, int(pytest.ExitCode.NO_TESTS_COLLECTED)}


class BaselineFailed(RuntimeError):
    """The tests fail, or there are none, before anything was broken."""


class ChildFailed(RuntimeError):
    """A child ended before its tests could say anything: nothing was measured."""


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Target:
    """What is broken and what should notice: `package` lies below `source_root`."""

    package: str
    source_root: Path
    tests: Path


def measure_baseline(target: Target) -> Baseline:
    """Run the unbroken tests: which test runs which line, and how long each takes.

    They run twice, the second time untraced and in a warmed child as a mutant would: had the
    forking itself broken a test, every mutant would seem noticed.
    """
    with TemporaryDirectory() as folder:
        result, output = Path(folder, "baseline"), Path(folder, "output")
        recorder = BaselineRecorder(_package_folder(target), result)
        _must_pass(target, [recorder], output)
        baseline: Baseline = pickle.loads(result.read_bytes())  # noqa: S301 (our own child's)
        _warm_up(target, baseline)
        began = time.monotonic()
        _must_pass(target, [], output)
        baseline.seconds = time.monotonic() - began
    return baseline


def _must_pass(target: Target, plugins: list[object], output: Path) -> None:
    _, status = os.waitpid(_fork(lambda: _run_pytest(target, plugins), output), 0)
    if os.waitstatus_to_exitcode(status) != 0:
        tail = "\n".join(output.read_text(errors="replace").splitlines()[-30:])
        raise BaselineFailed(f"{target.tests} must pass before anything is broken:\n{tail}")


def _warm_up(target: Target, baseline: Baseline) -> None:
    """Import what the tests imported, except the package, its siblings and the tests."""
    kept_out = {target.package.partition(".")[0], "tests", "conftest", "__main__"}
    for name in baseline.modules:
        if name.partition(".")[0] in kept_out or name in sys.modules:
            continue
        try:
            importlib.import_module(name)
        except (ImportError, AttributeError, ValueError):
            continue  # made at run time, or by pytest for the tests alone
    gc.collect()
    gc.freeze()


def run_mutants(
    target: Target,
    mutants: Sequence[Mutant],
    operators: Sequence[Operator],
    baseline: Baseline,
    jobs: int,
    deadline_s: float | None = None,
) -> Iterator[Verdict]:
    """Verdicts as they come, `jobs` children at a time.

    A child that takes four times as long as the whole baseline hangs: that counts as noticed.
    After `deadline_s` no new child starts, and what is left comes back as "not_run".
    """
    by_name = {operator.name: operator for operator in operators}
    limit_s = max(5.0, 4 * baseline.seconds)
    began = time.monotonic()
    waiting = list(reversed(mutants))
    running: dict[int, tuple[Mutant, float]] = {}
    try:
        while waiting or running:
            late = deadline_s is not None and time.monotonic() - began > deadline_s
            while waiting and late:
                yield Verdict(waiting.pop(), "not_run", 0.0)
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                order = baseline.order_for(mutant)
                if order is None:
                    yield Verdict(mutant, "survived", 0.0)
                    continue
                code = compile_mutant(mutant, by_name[mutant.operator])
                child = _fork(
                    lambda m=mutant, c=code, o=order: _run_against(target, m, c, o)  # type: ignore[misc]
                )
                running[child] = (mutant, time.monotonic())
            yield from _finished(running, limit_s)
            time.sleep(POLL_S)
    finally:
        for child in running:
            _kill(child)


def _run_against(target: Target, mutant: Mutant, code: CodeType, order: Sequence[str]) -> int:
    """Try the files of the nearest tests first: collecting all of them costs more than a test."""
    install_mutant(mutant.module, mutant.path, code)
    nearest = order[:NEAREST_TESTS]
    failed = _run_pytest(target, [FirstFiles(nearest), InOrder(nearest)], "--tb=no")
    return failed or _run_pytest(target, [InOrder(order)], "--tb=no")


def _finished(running: dict[int, tuple[Mutant, float]], limit_s: float) -> Iterator[Verdict]:
    now = time.monotonic()
    for child, (mutant, started) in list(running.items()):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            del running[child]
            code = os.waitstatus_to_exitcode(status)
            if code in NOT_A_VERDICT:
                raise ChildFailed(f"{mutant.path}:{mutant.line}: no test ran (exit {code})")
            yield Verdict(mutant, "killed" if code else "survived", now - started)
        elif now - started > limit_s:
            del running[child]
            _kill(child)
            yield Verdict(mutant, "timeout", now - started)


def _kill(child: int) -> None:
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _fork(run: Callable[[], int], output: Path | None = None) -> int:
    """The id of a child, leader of its own process group, that runs and exits with the result."""
    child = os.fork()
    if child:
        _lead_own_group(child)
        return child
    code = CRASHED
    try:
        _lead_own_group(0)
        sink = os.open(output or os.devnull, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
        code = run()
    finally:
        os._exit(code)


def _lead_own_group(child: int) -> None:
    """Called on both sides of the fork, so that neither can kill the wrong group."""
    try:
        os.setpgid(child, child)
    except (PermissionError, ProcessLookupError):
        return  # the child has done it already, or is gone


def _run_pytest(target: Target, plugins: list[object], *options: str) -> int:
    sys.path[:0] = [str(target.source_root)]
    hurry_hypothesis()
    return int(pytest.main([*PYTEST_ARGS, *options, str(target.tests)], plugins=plugins))


def _package_folder(target: Target) -> Path:
    return target.source_root.joinpath(*target.package.split(".")).resolve()


def modules_of(target: Target, wanted: str | None) -> list[tuple[str, Path]]:
    """(dotted name, file) of each module of the package; `wanted` names one of them."""
    folder = _package_folder(target)
    root = target.source_root.resolve()
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if wanted is None or name == wanted or name.endswith("." + wanted):
            found.append((name, path))
    return found
