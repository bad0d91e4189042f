"""The tools of one question: asked within limits, never raising, the same thing once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from aegis.agent.tools.shown import shown, visible
from aegis.agent.tools.tool import Arguments, Result, Tool, fault
from aegis.model.errors import InvalidRequest, SourceError

MOST_CALLS = 12
CALL_S = 20.0
ALL_CALLS_S = 60.0
LONGEST_ARGUMENTS = 8192

Raw = str | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands where a tool has nobody to ask: `why` names the setting that would mend it."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool by name, and its arguments as a model wrote them (JSON text) or as they are."""

    name: str
    arguments: Raw


@dataclass(slots=True)
class Toolbox:
    """Made anew for each question. At most MOST_CALLS calls and ALL_CALLS_S seconds.

    A call whose arguments mean what an earlier one's meant gets that one's result and costs
    nothing.
    """

    tools: Mapping[str, Tool[Any]]
    unavailable: Mapping[str, Unavailable]
    most_calls: int = MOST_CALLS
    call_s: float = CALL_S
    all_calls_s: float = ALL_CALLS_S
    asked: int = 0
    spent_s: float = 0.0
    _known: dict[str, Result] = field(default_factory=dict)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    @staticmethod
    def of(tools: Sequence[Tool[Any] | Unavailable]) -> Toolbox:
        return Toolbox(
            {one.name: one for one in tools if isinstance(one, Tool)},
            {one.name: one for one in tools if isinstance(one, Unavailable)},
        )

    async def call_all(self, calls: Sequence[Call]) -> tuple[Result, ...]:
        """Results in the order asked, whichever comes first."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.call(one.name, one.arguments)) for one in calls]
        return tuple(task.result() for task in tasks)

    async def call(self, name: str, raw: Raw) -> Result:
        """The tool's result; whatever goes wrong is a result with `error` and `message`."""
        return cast("Result", visible(await self._result(name, raw)))

    async def _result(self, name: str, raw: Raw) -> Result:
        tool = self.tools.get(name)
        if tool is None:
            return self._no_such_tool(name)
        given = _read(tool, raw)
        if not isinstance(given, Arguments):
            return given
        key = f"{name} {given.model_dump_json()}"
        async with self._turns.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is None:
                known = await self._ask(tool, given)
                if known.get("error") != "limit_reached":
                    self._known[key] = known
            return known

    async def _ask(self, tool: Tool[Any], given: Arguments) -> Result:
        if self.asked >= self.most_calls:
            message = f"a question may make {self.most_calls} tool calls; answer from what is known"
            return fault("limit_reached", message, tool=tool.name)
        left_s = min(self.call_s, self.all_calls_s - self.spent_s)
        if left_s <= 0:
            message = f"tools may take {self.all_calls_s:g} s a question; answer from what is known"
            return fault("limit_reached", message, tool=tool.name)
        self.asked += 1
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(left_s):
                return await _told(tool, given)
        except TimeoutError:
            message = f"no answer within {left_s:.3g} s; ask for less"
            return fault(tool.failure, message, **tool.echo(given))
        finally:
            self.spent_s += loop.time() - began

    def _no_such_tool(self, name: str) -> Result:
        lacking = self.unavailable.get(name)
        if lacking is not None:
            return fault("not_configured", lacking.why, tool=name)
        known = sorted({*self.tools, *self.unavailable})
        return fault("unknown_tool", f"there is no tool {shown(name, 64)!r}", tools=known)


async def _told(tool: Tool[Any], given: Arguments) -> Result:
    try:
        return await tool.call(given)
    except InvalidRequest as error:
        return fault("invalid_arguments", str(error), **tool.echo(given))
    except SourceError as error:
        return fault(tool.failure, shown(str(error)), **tool.echo(given))


def _read(tool: Tool[Any], raw: Raw) -> Arguments | Result:
    """The typed arguments, or an error that says which is wrong. Never a guess."""
    fields: object = raw
    if isinstance(raw, str):
        if len(raw) > LONGEST_ARGUMENTS:
            message = f"longer than {LONGEST_ARGUMENTS} characters"
            return fault("invalid_arguments", message, tool=tool.name)
        try:
            fields = json.loads(raw)
        except (ValueError, RecursionError) as error:
            message = f"the arguments are not JSON: {error}"
            return fault("invalid_arguments", message, tool=tool.name, arguments_raw=shown(raw))
    if not isinstance(fields, Mapping):
        message = "the arguments must be a JSON object"
        return fault("invalid_arguments", message, tool=tool.name, arguments_raw=shown(str(raw)))
    try:
        read: Arguments = tool.arguments.model_validate(fields)
    except ValidationError as error:
        wrong = [
            {"field": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        message = "; ".join(f"{one['field']}: {one['message']}" for one in wrong)
        return fault("invalid_arguments", message, tool=tool.name, details=wrong)
    return read
