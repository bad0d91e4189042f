"""`python -m lab simulate --seed N --cases K OUT`: the laboratory's commands."""

from __future__ import annotations

import typer

from lab.simulator.__main__ import simulate

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(simulate)


@app.callback()
def lab() -> None:
    """Worlds to break: they make incidents with a known cause."""


if __name__ == "__main__":
    app()
