"""Inserts many rows at the cost of the driver alone: a storm is ten thousand rows in a second."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table

Value = str | int | bool | bytes | None
"""What a driver takes as it is: times are microseconds, labels JSON text."""


def insert_rows(connection: Connection, table: Table, rows: list[tuple[Value, ...]]) -> None:
    """Values in the order of the table's columns, the first ones where there are fewer."""
    if not rows:
        return
    names = [column.name for column in table.columns][: len(rows[0])]
    quoted = ", ".join(f'"{name}"' for name in names)
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join(mark for _ in names)
    statement = f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})'  # noqa: S608
    connection.exec_driver_sql(statement, rows)


def update_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: list[tuple[Value, ...]]
) -> None:
    """Sets the columns `names`; the primary key comes last in each row."""
    if not rows:
        return
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    set_ = ", ".join(f'"{name}" = {mark}' for name in names)
    key = " AND ".join(f'"{column.name}" = {mark}' for column in table.primary_key.columns)
    statement = f'UPDATE "{table.name}" SET {set_} WHERE {key}'  # noqa: S608
    connection.exec_driver_sql(statement, rows)
