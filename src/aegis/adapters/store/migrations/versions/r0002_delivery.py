"""What delivering must remember: turns and pace of a chat, what may be there twice, lost cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "chat",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_chat"),
    )
    op.add_column(
        "message", sa.Column("fallback", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    for table, column in (("message", "unsure"), ("message", "doubtful"), ("card", "gone")):
        op.add_column(
            table, sa.Column(column, sa.Boolean(), server_default=sa.false(), nullable=False)
        )
