"""The nursery and its analysts: processes that each do one job and end.

The nursery has the imports done and waits on a socket for the ends of others; for each it
forks an analyst, which reads a job from there (one line of JSON) and answers with events
(a line each). It has never computed anything, so it has no threads that a fork would lose.
An analyst ends with its job, or as soon as the other side hangs up.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from aegis import bootstrap
from aegis.bootstrap.live import Troubles, analyze_live, verify_live
from aegis.bootstrap.messages import notice_of
from aegis.entrypoints.answer_json import answer_json
from aegis.entrypoints.citations import checked_json, citations_of, reach_of
from aegis.entrypoints.http.backend_troubles import EVENT
from aegis.model.backend import BACKENDS, BackendName, Trouble
from aegis.model.errors import AegisError, ConfigurationError, InvalidCase, InvalidRequest
from aegis.model.telemetry import TimeWindow
from aegis.settings import read_settings

NOTICE = "notice"
"""In the last event of a job that asks for it: the answer as a message to a chat."""

Tell = Callable[[Mapping[str, object]], None]


def main(control_fd: int) -> None:
    """Fork an analyst for every socket that comes, until the server is gone.

    Stdout belongs to nobody here: what prints goes to stderr.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the server decides when we end
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for an analyst
    os.dup2(2, 1)
    control = socket.socket(fileno=control_fd)
    while True:
        message, sockets, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            _work(socket.socket(fileno=sockets[0]))
            return
        os.close(sockets[0])


def _work(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as jobs:
        line = jobs.readline()
        if not line:
            return
        threading.Thread(target=_end_when_alone, args=(connection,), daemon=True).start()

        def tell(event: Mapping[str, object]) -> None:
            try:
                connection.sendall(json.dumps(event, ensure_ascii=False).encode() + b"\n")
            except ConnectionError:
                os._exit(0)

        run(json.loads(line), tell)


def _end_when_alone(connection: socket.socket) -> None:
    """Nobody takes the answer any more: stop computing at once, wherever that is."""
    connection.recv(1)
    os._exit(0)


def run(job: Mapping[str, Any], tell: Tell) -> None:
    """One job; its last event is `final` or `error`."""
    jobs = {"analyze": _analyze, "verify": _verify}
    try:
        answer = jobs[job["job"]](job, tell)
    except AegisError as error:
        tell({"event": "error", **_problem(error, job)})
    else:
        tell({"event": "final", **answer})


def _analyze(job: Mapping[str, Any], tell: Tell) -> Mapping[str, object]:
    window, minutes = job["window"], job["last_minutes"]
    when: TimeWindow | bootstrap.LastMinutes | None = None
    if window is not None:
        when = TimeWindow(*(datetime.fromisoformat(moment) for moment in window))
    elif minutes is not None:
        when = bootstrap.LastMinutes(minutes)
    zone = ZoneInfo(job["timezone"])
    asked = bootstrap.Asked(job["description"], job["language"], zone, when)
    progress, settings = Progress(tell), read_settings()
    if job["cases"] is None:
        analysis = analyze_live(settings, asked, progress, troubles=_troubles(job, tell))
    else:
        analysis = bootstrap.analyze_recorded(Path(job["cases"]), asked, progress)
    answer = answer_json(analysis, settings.addresses) | {"session_id": job["session_id"]}
    return answer | ({NOTICE: asdict(notice_of(settings, analysis))} if job["notify"] else {})


def _verify(job: Mapping[str, Any], tell: Tell) -> Mapping[str, object]:
    citations = citations_of(job, ZoneInfo(job["timezone"]))
    if job["cases"] is None:
        checked = verify_live(read_settings(), citations, reach_of(job), _troubles(job, tell))
    else:
        checked = bootstrap.verify_recorded(Path(job["cases"]), citations)
    return {"results": checked_json(citations, checked)}


def _troubles(job: Mapping[str, Any], tell: Tell) -> Troubles:
    """What earlier analysts have met; what this one meets is told at once."""

    def hears(name: BackendName, met: Trouble) -> None:
        met_there = {"failures": met.failures, "rest_s": met.rest_s}
        tell({"event": EVENT, "backend": name, **met_there})

    told = job["troubles"]
    known = {
        name: Trouble(told[name]["failures"], told[name]["rest_s"])
        for name in BACKENDS
        if name in told
    }
    return Troubles(known, hears)


def _problem(error: AegisError, job: Mapping[str, Any]) -> dict[str, object]:
    """Status, code and sentence. A window is told by the field it came from."""
    if isinstance(error, InvalidRequest):
        given = job.get("window") is not None or job.get("last_minutes") is not None
        asked = "time_range" if given else "description"
        where = asked if error.field == "window" else error.field
        message = str(error).removeprefix(f"{error.field}: ")
        return _told(400, "invalid_request", where, message)
    if isinstance(error, InvalidCase):
        # The folder is part of what was asked about; its place on our disk is not.
        file = Path(error.file).name
        where = f"{file}: {error.field}" if error.field else file
        message = str(error).removeprefix(error.file).strip(": ")
        return _told(400, "invalid_case", where, message.removeprefix(f"{error.field}: "))
    if isinstance(error, ConfigurationError):
        return _told(500, "internal_error", "settings", str(error))
    return _told(503, "source_unavailable", "source", str(error))


def _told(status: int, code: str, where: str, message: str) -> dict[str, object]:
    details = [{"field": where, "message": message}]
    return {"status": status, "error": code, "message": f"{where}: {message}", "details": details}


@dataclass(slots=True)
class Progress:
    """Passes on what happens, as it happens."""

    tell: Tell
    began_s: dict[str, float] = field(default_factory=dict)

    def thought(self, text: str) -> None:
        self.tell({"event": "agent_thought", "text": text})

    def started(self, tool: str, tool_input: str) -> None:
        self.began_s[tool] = perf_counter()
        self.tell({"event": "tool_start", "tool": tool, "tool_input": tool_input})

    def ended(self, step: bootstrap.Step) -> None:
        took_s = round(perf_counter() - self.began_s[step.tool], 4)
        self.tell({"event": "tool_end", "tool": step.tool, "seconds": took_s})
        seen = {"tool": step.tool, "observation": step.observation}
        self.tell({"event": "agent_observation", **seen})
