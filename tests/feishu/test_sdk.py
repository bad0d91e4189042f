"""Loading lark-oapi: late, in a thread of its own, and clear where it is missing."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from aegis.adapters.feishu.sdk import load
from aegis.adapters.feishu.sdk_thread import SdkThread
from aegis.model.errors import ConfigurationError, DeliveryUnavailable
from tests.feishu.bot import Bot, run

SOURCE = Path(__file__).parents[2] / "src" / "aegis"


def in_a_process(code: str) -> str:
    """What this code prints, in a fresh interpreter."""
    ran = subprocess.run(  # noqa: S603 (our own interpreter)
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_importing_the_sender_does_not_import_the_sdk() -> None:
    modules = "aegis.adapters.feishu.sender, aegis.bootstrap.feishu, aegis.bootstrap.doctor"
    assert in_a_process(f"import {modules}; print('lark_oapi' in sys.modules)") == "False"


def test_without_the_sdk_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lark_oapi", None)
    thread = SdkThread()
    with pytest.raises(ConfigurationError, match=r'pip install "aegis-sre\[feishu\]"'):
        run(thread.start())
    with pytest.raises(ConfigurationError, match=r'pip install "aegis-sre\[feishu\]"'):
        run(thread.start())
    thread.close()


def test_a_missing_part_of_the_sdk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        """An installation of the SDK without what it needs."""

        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if name == "lark_oapi":
                raise ModuleNotFoundError(name, name="requests_toolbelt")

    monkeypatch.delitem(sys.modules, "lark_oapi", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
    with pytest.raises(ConfigurationError, match="requests_toolbelt is missing"):
        load()


def test_imported_where_a_loop_runs_a_long_connection_cannot_start() -> None:
    """Why it is loaded late and in a thread: the import keeps the loop it finds."""
    said = in_a_process(
        "import asyncio, logging, resource\n"
        "async def main():\n"
        "    import lark_oapi\n"
        "    assert lark_oapi.ws.client.loop is asyncio.get_running_loop()\n"
        "    try:\n"
        "        lark_oapi.ws.Client('a', 'b').start()\n"
        "    except RuntimeError as error:\n"
        "        print('no start:', error)\n"
        "    lark = logging.getLogger('Lark')\n"
        "    print('told twice:', bool(lark.handlers and lark.propagate))\n"
        "    print('MB:', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000)\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "asyncio.run(main())\n"
    )
    assert "no start: This event loop is already running" in said
    assert "told twice: True" in said
    assert int(said.rpartition("MB: ")[2]) > 120


def test_the_loop_that_serves_is_not_the_one_that_sends() -> None:
    thread = SdkThread()

    async def where(sdk: Any) -> tuple[asyncio.AbstractEventLoop, str]:
        return asyncio.get_running_loop(), threading.current_thread().name

    async def ask() -> tuple[bool, str]:
        loop, name = await thread.run(where, 60)
        return loop is asyncio.get_running_loop(), name

    assert run(ask()) == (False, "aegis-feishu")
    thread.close()


def test_other_loops_keep_the_client_that_the_sdk_makes_itself() -> None:
    thread = SdkThread()
    run(thread.start())

    async def made() -> type:
        async with load().core.http.transport.httpx.AsyncClient() as client:
            return type(client)

    assert run(made()) is httpx.AsyncClient
    thread.close()


def test_a_load_that_takes_too_long_is_no_reason_to_wait_past_the_deadline() -> None:
    loading = threading.Event()

    def slow() -> Any:
        loading.wait(30)
        return load()

    thread = SdkThread(slow)

    async def never(sdk: Any) -> None:
        raise AssertionError

    with pytest.raises(DeliveryUnavailable, match="not loaded within") as caught:
        run(thread.run(never, 0.05))
    assert not caught.value.may_have_arrived
    loading.set()
    run(thread.start())
    thread.close()


def test_an_sdk_that_breaks_while_it_loads_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda given: told.append(given.exc_type))

    def breaks() -> Any:
        raise AttributeError("another version")

    thread = SdkThread(breaks)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="cannot be loaded"):
            run(thread.start())
    thread.close()
    assert told == [AttributeError]


def test_work_that_misses_its_deadline_is_cancelled() -> None:
    cancelled = threading.Event()
    thread = SdkThread()

    async def endless(sdk: Any) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    run(thread.start())
    with pytest.raises(DeliveryUnavailable, match=r"within 0\.05 s"):
        run(thread.run(endless, 0.05))
    assert cancelled.wait(5)
    thread.close()


@pytest.mark.loopback
def test_work_that_is_given_up_is_cancelled(bot: Bot) -> None:
    cancelled = threading.Event()
    thread = SdkThread()

    async def endless(sdk: Any) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def give_up() -> None:
        task = asyncio.ensure_future(thread.run(endless, 60))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(thread.start())
    run(give_up())
    assert cancelled.wait(5)
    thread.close()


def test_the_module_that_cannot_answer_clicks_is_not_used() -> None:
    """`lark_oapi.channel` drops them; nothing of ours may lean on it."""
    lines = re.compile(r"^\s*(?:import|from) (lark_oapi\S*)", re.MULTILINE)
    used = [
        name
        for path in SOURCE.rglob("*.py")
        for name in lines.findall(path.read_text(encoding="utf-8"))
    ]
    assert used == ["lark_oapi"]
