"""Tools are asked within limits, answer with an object whatever happens, and once each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import pytest
from pydantic import Field

from aegis.agent.tools.tool import Arguments, Result, Tool
from aegis.agent.tools.toolbox import Call, Raw, Toolbox, Unavailable
from aegis.model.errors import InvalidRequest, SourceRejected, SourceUnavailable


class Weighing(Arguments):
    what: str
    most: Annotated[int, Field(ge=1)] = 3
    after_s: float = 0.0


@dataclass
class Scales:
    """Answers with what it was asked, after a while; remembers how often."""

    error: Exception | None = None
    seen: list[str] = field(default_factory=list)

    async def weigh(self, given: Weighing) -> Result:
        self.seen.append(given.what)
        await asyncio.sleep(given.after_s)
        if self.error is not None:
            raise self.error
        return {"what": given.what, "most": given.most}

    def box(self, change: Callable[[Toolbox], None] = lambda _: None) -> Toolbox:
        tool = Tool(
            "weigh", "Weigh.", Weighing, self.weigh, "scales_failed", lambda one: {"what": one.what}
        )
        toolbox = Toolbox.of([tool, Unavailable("measure", "RULER_BASE_URL is not set")])
        change(toolbox)
        return toolbox


def ask(toolbox: Toolbox, raw: Raw, name: str = "weigh") -> Result:
    return asyncio.run(toolbox.call(name, raw))


def test_arguments_come_as_json_or_as_they_are() -> None:
    assert ask(Scales().box(), '{"what": "tea", "most": "5"}') == {"what": "tea", "most": 5}
    assert ask(Scales().box(), {"what": 7}) == {"what": "7", "most": 3}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("{what: tea}", "the arguments are not JSON"),
        ("", "the arguments are not JSON"),
        ("[" * 8000, "the arguments are not JSON"),
        ("[1]", "the arguments must be a JSON object"),
        ("null", "the arguments must be a JSON object"),
        ('{"what": "' + "x" * 9000 + '"}', "longer than 8192"),
        ("{}", "what: Field required"),
        ('{"what": "tea", "wat": 1}', "wat: Extra inputs are not permitted"),
        ('{"what": "tea", "most": 0}', "most: Input should be greater than or equal to 1"),
        ('{"what": ["tea"]}', "what: Input should be a valid string"),
    ],
)
def test_arguments_that_cannot_be_read_are_an_error_and_nothing_is_asked(
    raw: str, said: str
) -> None:
    scales = Scales()
    told = ask(scales.box(), raw)
    assert (told["error"], told["tool"]) == ("invalid_arguments", "weigh")
    assert str(told["message"]).startswith(said)
    assert scales.seen == []


def test_a_tool_nobody_has_and_one_nobody_configured_are_told_apart() -> None:
    unknown = ask(Scales().box(), "{}", "rm")
    assert unknown["error"] == "unknown_tool"
    assert unknown["tools"] == ["measure", "weigh"]
    lacking = ask(Scales().box(), "{}", "measure")
    assert lacking == {
        "error": "not_configured",
        "message": "RULER_BASE_URL is not set",
        "tool": "measure",
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SourceUnavailable("down"), "scales_failed"),
        (SourceRejected("HTTP 500 password=hunter2"), "scales_failed"),
        (InvalidRequest("what", "is too heavy"), "invalid_arguments"),
    ],
)
def test_a_source_that_fails_is_an_error_that_repeats_the_question(
    error: Exception, code: str
) -> None:
    told = ask(Scales(error).box(), {"what": "tea"})
    assert (told["error"], told["what"]) == (code, "tea")
    assert "hunter2" not in str(told["message"])


def test_a_bug_is_not_hidden_as_an_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        ask(Scales(ZeroDivisionError()).box(), {"what": "tea"})


def test_equal_questions_are_asked_once_however_they_are_written() -> None:
    scales = Scales()
    toolbox = scales.box()
    calls = [
        Call("weigh", '{"what": "tea", "most": 3}'),
        Call("weigh", {"most": "3", "what": " tea "}),
        Call("weigh", {"what": "tea"}),
        Call("weigh", {"what": "salt"}),
    ]
    results = asyncio.run(toolbox.call_all(calls))
    assert [one["what"] for one in results] == ["tea", "tea", "tea", "salt"]
    assert sorted(scales.seen) == ["salt", "tea"]
    assert toolbox.asked == 2


def test_results_come_in_the_order_asked() -> None:
    toolbox = Scales().box()
    calls = [Call("weigh", {"what": n, "after_s": 0.03 - n / 100}) for n in range(3)]
    results = asyncio.run(toolbox.call_all(calls))
    assert [one["what"] for one in results] == ["0", "1", "2"]


def test_a_question_makes_so_many_calls_and_no_more() -> None:
    scales = Scales()
    toolbox = scales.box(lambda box: setattr(box, "most_calls", 2))

    async def three() -> list[Mapping[str, object]]:
        return [await toolbox.call("weigh", {"what": n}) for n in (1, 2, 3, 1)]

    told = asyncio.run(three())
    assert [one.get("error") for one in told] == [None, None, "limit_reached", None]
    assert scales.seen == ["1", "2"]


def test_a_call_that_takes_too_long_is_broken_off() -> None:
    toolbox = Scales().box(lambda box: setattr(box, "call_s", 0.01))
    told = ask(toolbox, {"what": "lead", "after_s": 5})
    assert (told["error"], told["what"]) == ("scales_failed", "lead")
    assert "no answer within 0.01 s" in str(told["message"])


def test_all_calls_together_have_so_much_time() -> None:
    scales = Scales()
    toolbox = scales.box(lambda box: setattr(box, "all_calls_s", 0.02))

    async def two() -> list[Mapping[str, object]]:
        return [await toolbox.call("weigh", {"what": n, "after_s": 5}) for n in (1, 2)]

    told = asyncio.run(two())
    assert [one["error"] for one in told] == ["scales_failed", "limit_reached"]
    assert scales.seen == ["1"]
