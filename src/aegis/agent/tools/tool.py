"""A tool: a name, words that say what it is for, typed arguments, and the asking itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Result = Mapping[str, object]
"""What a tool answers, as JSON; one with the key `error` says why it gives nothing else."""


class Arguments(BaseModel):
    """A misspelt argument would silently ask something else, so unknown ones are refused.

    Numbers may come as text and text as numbers: models mix them up.
    """

    model_config = ConfigDict(
        extra="forbid", coerce_numbers_to_str=True, str_strip_whitespace=True, frozen=True
    )


Given = TypeVar("Given", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Tool(Generic[Given]):
    """`failure` is the error code of a source that does not answer.

    `echo` are the parts of the question that an error repeats. `call` may raise SourceError
    and InvalidRequest: whoever runs tools turns them into results.
    """

    name: str
    description: str
    arguments: type[Given]
    call: Callable[[Given], Awaitable[Result]]
    failure: str
    echo: Callable[[Given], Mapping[str, object]]

    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of the arguments."""
        return self.arguments.model_json_schema()


def fault(code: str, message: str, **more: object) -> dict[str, object]:
    """An error as every tool tells it."""
    return {"error": code, "message": message, **more}
