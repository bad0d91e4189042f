"""What runs inside a forked child: the broken module, and pytest plugins."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import pickle
import sys
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from _typeshed import TraceFunction

    from lab.mutation.mutants import Mutant

Line = tuple[str, int]


@dataclass(slots=True)
class Baseline:
    """What the unbroken tests did: lines each test ran, its seconds, and modules imported."""

    seconds: float = 0.0
    lines: dict[str, frozenset[Line]] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    def order_for(self, mutant: Mutant) -> list[str] | None:
        """All tests: those that run the changed lines first, and the quick ones of them first.

        The others follow, because a test may use a result that another one cached. None where
        no test runs the lines. What works at import is near to every test of its module.
        """
        path = str(mutant.path.resolve())
        changed = {(path, line) for line in mutant.statement}
        if mutant.at_import:
            reaches = {t: any(file == path for file, _ in run) for t, run in self.lines.items()}
        else:
            reaches = {test: not changed.isdisjoint(run) for test, run in self.lines.items()}
            if not any(reaches.values()):
                return None
        return sorted(reaches, key=lambda test: (not reaches[test], self.durations[test], test))


class BaselineRecorder:
    """A pytest plugin that fills a Baseline and writes it to a file at the end."""

    def __init__(self, folder: Path, result: Path) -> None:
        self._prefix = str(folder)
        self._result = result
        self._baseline = Baseline()
        self._by_fixture: dict[int, set[Line]] = {}
        self._sink: set[Line] = set()
        self._began = time.monotonic()

    def _trace(self, frame: FrameType, event: str, arg: object) -> TraceFunction | None:
        name = frame.f_code.co_filename
        if not name.startswith(self._prefix):
            return None

        def on_line(frame: FrameType, event: str, arg: object) -> TraceFunction | None:
            self._sink.add((name, frame.f_lineno))
            return on_line

        return on_line

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._sink = set()
        began = time.monotonic()
        previous = sys.gettrace()
        sys.settrace(self._trace)
        threading.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(previous)
            threading.settrace(None)
            lines = self._sink.union(*self._lines_of_fixtures(item))
            self._baseline.lines[item.nodeid] = frozenset(lines)
            self._baseline.durations[item.nodeid] = time.monotonic() - began

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object]
    ) -> Generator[None, object, object]:
        """A fixture shared by several tests runs once, but all of them stand on its lines."""
        outer, self._sink = self._sink, set()
        try:
            return (yield)
        finally:
            self._by_fixture.setdefault(id(fixturedef), set()).update(self._sink)
            self._sink = outer | self._sink

    def _lines_of_fixtures(self, item: pytest.Item) -> Iterable[set[Line]]:
        info = getattr(item, "_fixtureinfo", None)
        for definitions in getattr(info, "name2fixturedefs", {}).values():
            for definition in definitions:
                yield self._by_fixture.get(id(definition), set())

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._baseline.seconds = time.monotonic() - self._began
        self._baseline.modules = tuple(sys.modules)
        self._result.write_bytes(pickle.dumps(self._baseline))


class InOrder:
    """A pytest plugin that runs the tests in the given order; the others last."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._ranks = {test: rank for rank, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._ranks.get(item.nodeid, len(self._ranks)))


class FirstFiles:
    """A pytest plugin that collects no other test files than those of the given tests."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._files = {test.partition("::")[0] for test in tests}

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        if collection_path.suffix != ".py":
            return None
        name = collection_path.relative_to(config.rootpath).as_posix()
        return None if name in self._files else True


def hurry_hypothesis() -> None:
    """A first counterexample is enough, and the same ones each time."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "mutation", phases=phases, deadline=None, database=None, derandomize=True
    )
    settings.load_profile("mutation")


def install_mutant(module: str, path: Path, code: CodeType) -> None:
    """Make `import module` run `code` instead of what the file holds."""
    sys.meta_path.insert(0, _Finder(module, path, code))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, path: Path, code: CodeType) -> None:
        self._module = module
        self._path = path
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        loader = _Loader(fullname, str(self._path), self._code)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._mutant_code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._mutant_code
