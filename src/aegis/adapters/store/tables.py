"""Every table. A change here needs a migration: a test compares the two.

No index holds text from users at full length: PostgreSQL refuses index entries over 2,700
bytes. What ten thousand alerts write at once has few indexes. Ids of rows that are worked off
in order are time-sortable text (ids.py).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from aegis.adapters.store.columns import LabelText, Moment

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

webhook_body = Table(
    "webhook_body",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("received_at", Moment, nullable=False, index=True),
    Column("receiver", String(256), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("stored_bytes", Integer, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("truncated", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Each call as it came; `body` is compressed by zlib, and last: what is before it reads fast."""

alert = Table(
    "alert",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("episode", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("closed_starts_at", Moment),
    Column("closed_ends_at", Moment),
    Column("last_seen", Moment, nullable=False),
    Column("rounds_gone", Integer),
    sqlite_with_rowid=False,
)
"""The state machine of each alert: model.lifecycle. `rounds_gone` counts the reconciliations in
which Alertmanager had it no longer; null until it had it, for it may be another's."""

episode = Table(
    "episode",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("labels", LabelText, nullable=False),
    Column("annotations", LabelText, nullable=False),
    Column("alertname", String(256), nullable=False),
    Column("severity", String(64), nullable=False),
    Column("group_key", String(512), nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("resolved_at", Moment),
    Index("ix_episode_newest", "first_seen", "fingerprint", "number"),
    Index("ix_episode_group", "group_key", "first_seen"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("webhook_body_id", ForeignKey("webhook_body.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Index("ix_quarantine_body", "webhook_body_id"),
)
"""Items that are no alerts. `raw` is the beginning of one; all of it is in the body."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("chat_id", String(128), nullable=False),
    Column("group_key", String(512), nullable=False),
    Column("group_labels", LabelText, nullable=False),
    Column("truncated", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("not_before", Moment),
    Column("message_id", ForeignKey("message.id")),
    Column("state", String(16), nullable=False, server_default=text("'waiting'")),
    Index("ix_outbox_work", "state", "chat_id", "id"),
    Index("ix_outbox_created", "created_at"),
    Index("ix_outbox_message", "message_id"),
)
"""What one call has to tell one chat: this row is the truth, every wake-up only a hint.

`state` is 'waiting' until a stored message covers it, then 'covered'.
"""

outbox_item = Table(
    "outbox_item",
    metadata,
    Column(
        "outbox_id", ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column("fingerprint", String(16), primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("transition", String(16), primary_key=True),
    Column("chat_id", String(128), nullable=False),
    UniqueConstraint("fingerprint", "episode", "transition", "chat_id", name="uq_outbox_item_once"),
    sqlite_with_rowid=False,
)
"""One transition to tell. The constraint is what makes it once, whoever writes.

The key comes first, because SQLite 3.40 checks columns between those of a key wrongly.
"""

message = Table(
    "message",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("chat_id", String(128), nullable=False),
    Column("card_id", ForeignKey("card.id")),
    Column("operation", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("uuid", String(50), nullable=False, unique=True),
    Column("target", String(128)),
    Column("created_at", Moment, nullable=False),
    Column("first_attempt_at", Moment),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("sent_at", Moment),
    Column("platform_id", String(128)),
    Column("state", String(16), nullable=False, server_default=text("'ready'")),
    Column("code", Integer),
    Column("error", Text),
    Column("fallback", Text, nullable=False, server_default=text("''")),
    Column("unsure", Boolean, nullable=False, server_default=false()),
    Column("doubtful", Boolean, nullable=False, server_default=false()),
    Index("ix_message_work", "state", "chat_id", "id"),
    Index("ix_message_pace", "chat_id", "sent_at"),
    Index("ix_message_created", "created_at"),
    Index("ix_message_card", "card_id"),
)
"""What is sent, as it was stored before: 'ready', then 'sent' or 'refused'; or 'withdrawn',
where its rows went back to waiting. `unsure`: an attempt may have arrived. `doubtful`: it was
sent again after the platform had forgotten its uuid, so it may be in the chat twice.
"""

card = Table(
    "card",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("chat_id", String(128), nullable=False),
    Column("platform_id", String(128)),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("gone", Boolean, nullable=False, server_default=false()),
    Index("ix_card_open", "chat_id", "closed_at"),
)

"""`gone`: the platform has no card that can be updated: recalled, or sent as plain text."""

card_group = Table(
    "card_group",
    metadata,
    Column("card_id", ForeignKey("card.id", ondelete="CASCADE"), primary_key=True),
    Column("group_key", String(512), primary_key=True),
    Column("chat_id", String(128), nullable=False),
    Column("group_labels", LabelText, nullable=False),
    Index("ix_card_group_chat", "chat_id", "group_key"),
)
"""Which groups a card shows."""

chat = Table(
    "chat",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
    Column("attempted_at", Moment),
)
"""`turn` counts the turns of delivering that have begun. `attempted_at` is when something was
last sent there or tried, by any replica: the pace of a chat is kept by it.
"""

change = Table(
    "change",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("service", String(256), nullable=False),
    Column("time", Moment, nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("received_at", Moment, nullable=False, index=True),
)
"""Deploys and changes that somebody told us of. `id` is what makes one known twice."""
