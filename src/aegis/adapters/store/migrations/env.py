"""Alembic runs this file; migrating.py hands it the connection."""

from __future__ import annotations

from alembic import context

from aegis.adapters.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite too: we begin its transactions ourselves
)
context.run_migrations()
