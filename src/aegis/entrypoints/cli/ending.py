"""How a command ends: with its exit code, and one line on stderr for what went wrong."""

from __future__ import annotations

import re
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from aegis.entrypoints.cli.options import USAGE, exit_code, printable
from aegis.model.errors import AegisError

INTERRUPTED = 130


def run(app: typer.Typer) -> NoReturn:
    """Run the command line of this process and leave."""
    try:
        code = app(prog_name="aegis", standalone_mode=False)
    except AegisError as error:
        _leave(" ".join(str(error).split()), exit_code(error))
    except TyperException as error:
        _leave(_wrong_usage(error), USAGE)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    sys.exit(code)


def _leave(said: str, code: int) -> NoReturn:
    if said:
        typer.echo(f"error: {printable(said)}", err=True)
    sys.exit(code)


def _wrong_usage(error: TyperException) -> str:
    """What is wrong with the command line, and where its right use is told.

    Empty where the help itself was shown, because nothing was asked for.
    """
    said = " ".join(error.format_message().split()).rstrip(".")
    said = re.sub(r"^Invalid value for '?(.+?)'?: (?:Value error, )?", r"\1: ", said)
    context = getattr(error, "ctx", None)
    return f"{said}; see {context.command_path} --help" if said and context else said
