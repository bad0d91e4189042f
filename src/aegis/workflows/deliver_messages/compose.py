"""From what a chat is to be told to the messages that tell it. Pure: same state, same bytes."""

from __future__ import annotations

from aegis.model.delivery import ChatState, Draft
from aegis.workflows.deliver_messages.style import Style


def compose(state: ChatState, style: Style) -> tuple[Draft, ...]:
    """Messages in the order they are to be sent; empty where nothing is due and no card is gone.

    Every due row is covered by exactly one creation or update. For MessageTooLarge call again
    with smaller `most_bytes`.
    """
    raise NotImplementedError
