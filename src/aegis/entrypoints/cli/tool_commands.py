"""`aegis tools`: what a model may ask, asked by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from aegis.entrypoints.cli.options import (
    EPILOG,
    INVALID,
    UNREADABLE,
    USAGE,
    AsJson,
    console,
    print_json,
)
from aegis.settings import read_settings

tools_app = typer.Typer(
    help="The tools a model may use, to run by hand.", no_args_is_help=True, epilog=EPILOG
)
_NOT_ASKED_RIGHT = ("invalid", "unknown", "unsupported")


@tools_app.command("list", epilog=EPILOG)
def list_tools(as_json: AsJson = False) -> None:
    """Every tool with its arguments."""
    from aegis.bootstrap.tools import describe_tools

    tools = describe_tools()
    if as_json:
        print_json({"tools": tools})
        return
    for tool in tools:
        console().print(f"[bold]{tool['name']}[/]  {tool['description']}")
        for name, told in _arguments(tool):
            console().print(f"    {name}  {told}", markup=False, style="dim")


@tools_app.command("call", epilog=EPILOG)
def call_tool(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A tool, as `list` names it.")],
    argument: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="An argument; again for more. Lists: a,b."),
    ] = None,
    case: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A recorded incident; else the configured backends."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask one tool, on running backends or on a case. The result is JSON either way."""
    from aegis.bootstrap import tools

    arguments, settings = _given(argument or ()), read_settings()
    if case is not None:
        result = tools.call_recorded(case, settings.timezone, name, arguments)
    else:
        result = tools.call_live(settings, name, arguments)
    if as_json:
        print_json(dict(result))
    else:
        console().print_json(json.dumps(result, ensure_ascii=False))
    if "error" in result:
        raise typer.Exit(_exit_code(str(result["error"])))


def _given(pairs: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in found:
            told = f"{pair[:60]!r} is not name=value, or the name came twice"
            raise typer.BadParameter(told, param_hint="--argument")
        found[name] = value
    return found


def _exit_code(error: str) -> int:
    if error == "not_configured":
        return USAGE
    return INVALID if error.startswith(_NOT_ASKED_RIGHT) else UNREADABLE


def _arguments(tool: Mapping[str, object]) -> list[tuple[str, str]]:
    schema = tool["arguments"]
    fields = schema.get("properties") if isinstance(schema, dict) else None
    needed = schema.get("required", []) if isinstance(schema, dict) else []
    found = []
    for name, field in (fields or {}).items():
        default = "needed" if name in needed else f"default {json.dumps(field.get('default'))}"
        told = field.get("description")
        found.append((name, f"({default})" + (f" {told}" if told else "")))
    return found
