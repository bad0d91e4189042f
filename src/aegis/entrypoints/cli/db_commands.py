"""`aegis db …`: the database that alerts are kept in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.entrypoints.cli.options import (
    EPILOG,
    INVALID,
    AsJson,
    Language_,
    console,
    language_of,
    print_json,
)
from aegis.model.text import Text
from aegis.settings import read_settings

if TYPE_CHECKING:
    from aegis.bootstrap.database import DatabaseStatus

db_app = typer.Typer(
    help="The database that alerts are kept in.", no_args_is_help=True, epilog=EPILOG
)

_IS_CURRENT = Text("{address}：结构 {newest}，是最新的", "{address}: shape {newest}, up to date")
_IS_OLD = Text(
    "{address}：结构 {current}，需要 {newest}；请运行 aegis db upgrade",
    "{address}: shape {current}, needs {newest}; run aegis db upgrade",
)
_IS_NEWER = Text(
    "{address}：结构 {current} 来自更新的 Aegis，本版本最多认得 {newest}；请使用更新的 Aegis",
    "{address}: shape {current} of a newer Aegis, this one knows {newest} at most; use a newer one",
)
_UPGRADED = Text(
    "{address}：结构由 {before} 升级到 {newest}",
    "{address}: upgraded from shape {before} to {newest}",
)
_EMPTY = Text("空", "none")
_COPIED = Text("已备份到 {file}，{size:,} 字节", "copied to {file}, {size:,} bytes")


@db_app.command(epilog=EPILOG)
def status(lang: Language_ = None, as_json: AsJson = False) -> None:
    """Where the database is, and whether its shape is that of this Aegis; exit 3 if not."""
    from aegis.bootstrap import database

    settings = read_settings()
    found = database.status_of(settings)
    if as_json:
        print_json(_status_json(found))
    else:
        old = _IS_NEWER if found.shape.is_newer else _IS_OLD
        said = _IS_CURRENT if found.shape.is_current else old
        _say(said.in_language(language_of(lang, settings.language)), found)
    if not found.shape.is_current:
        raise typer.Exit(INVALID)


@db_app.command(epilog=EPILOG)
def upgrade(lang: Language_ = None, as_json: AsJson = False) -> None:
    """Bring the database to the shape of this Aegis; `aegis serve` does so when it starts."""
    from aegis.bootstrap import database

    settings = read_settings()
    before, found = database.upgrade_database(settings)
    language = language_of(lang, settings.language)
    if as_json:
        print_json({"before": before.current, **_status_json(found)})
    elif before.is_current:
        _say(_IS_CURRENT.in_language(language), found)
    else:
        _say(_UPGRADED.in_language(language), found, before.current or _EMPTY.in_language(language))


@db_app.command(epilog=EPILOG)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; one there is refused.")],
    lang: Language_ = None,
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite database while it is in use; for PostgreSQL it says how."""
    from aegis.bootstrap import database

    settings = read_settings()
    size = database.back_up_database(settings, file)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        said = _COPIED.in_language(language_of(lang, settings.language))
        console().print(said.format(file=file, size=size), markup=False, soft_wrap=True)


def _status_json(found: DatabaseStatus) -> dict[str, object]:
    return {
        "address": found.address,
        "shape": found.shape.current,
        "newest": found.shape.newest,
        "is_current": found.shape.is_current,
        "bytes": found.size_bytes,
    }


def _say(template: str, found: DatabaseStatus, before: str = "") -> None:
    said = template.format(
        address=found.address,
        current=found.shape.current or "-",
        newest=found.shape.newest,
        before=before,
    )
    console().print(said, markup=False, soft_wrap=True)
