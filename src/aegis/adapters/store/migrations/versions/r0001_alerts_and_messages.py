"""Alerts that arrive, messages that leave, changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _bodies()
    _alerts()
    _changes()
    _leaving()
    _outbox()


def _bodies() -> None:
    op.create_table(
        "webhook_body",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("receiver", sa.String(length=256), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_bytes", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("truncated", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_body"),
    )
    op.create_index("ix_webhook_body_received_at", "webhook_body", ["received_at"])
    op.create_table(
        "quarantine",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("webhook_body_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_body_id"],
            ["webhook_body.id"],
            name="fk_quarantine_webhook_body_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
    )
    op.create_index("ix_quarantine_body", "quarantine", ["webhook_body_id"])


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_starts_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_ends_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("rounds_gone", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_alert"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "episode",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("alertname", sa.String(length=256), nullable=False),
        sa.Column("severity", sa.String(length=64), nullable=False),
        sa.Column("group_key", sa.String(length=512), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "number", name="pk_episode"),
    )
    op.create_index("ix_episode_group", "episode", ["group_key", "first_seen"])
    op.create_index("ix_episode_newest", "episode", ["first_seen", "fingerprint", "number"])


def _changes() -> None:
    op.create_table(
        "change",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("service", sa.String(length=256), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
    )
    op.create_index("ix_change_received_at", "change", ["received_at"])
    op.create_index("ix_change_time", "change", ["time"])


def _leaving() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=128), nullable=False),
        sa.Column("platform_id", sa.String(length=128), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_card"),
    )
    op.create_index("ix_card_open", "card", ["chat_id", "closed_at"])
    op.create_table(
        "card_group",
        sa.Column("card_id", sa.String(length=32), nullable=False),
        sa.Column("group_key", sa.String(length=512), nullable=False),
        sa.Column("chat_id", sa.String(length=128), nullable=False),
        sa.Column("group_labels", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name="fk_card_group_card_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("card_id", "group_key", name="pk_card_group"),
    )
    op.create_index("ix_card_group_chat", "card_group", ["chat_id", "group_key"])
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=128), nullable=False),
        sa.Column("card_id", sa.String(length=32), nullable=True),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("uuid", sa.String(length=50), nullable=False),
        sa.Column("target", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("first_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("platform_id", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=16), server_default=sa.text("'ready'"), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name="fk_message_card_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("uuid", name="uq_message_uuid"),
    )
    op.create_index("ix_message_card", "message", ["card_id"])
    op.create_index("ix_message_created", "message", ["created_at"])
    op.create_index("ix_message_pace", "message", ["chat_id", "sent_at"])
    op.create_index("ix_message_work", "message", ["state", "chat_id", "id"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=128), nullable=False),
        sa.Column("group_key", sa.String(length=512), nullable=False),
        sa.Column("group_labels", sa.Text(), nullable=False),
        sa.Column("truncated", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.Column(
            "state", sa.String(length=16), server_default=sa.text("'waiting'"), nullable=False
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_outbox_message_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_created", "outbox", ["created_at"])
    op.create_index("ix_outbox_message", "outbox", ["message_id"])
    op.create_index("ix_outbox_work", "outbox", ["state", "chat_id", "id"])
    op.create_table(
        "outbox_item",
        sa.Column("outbox_id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("transition", sa.String(length=16), nullable=False),
        sa.Column("chat_id", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name="fk_outbox_item_outbox_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "outbox_id", "fingerprint", "episode", "transition", name="pk_outbox_item"
        ),
        sa.UniqueConstraint(
            "fingerprint", "episode", "transition", "chat_id", name="uq_outbox_item_once"
        ),
        sqlite_with_rowid=False,
    )
