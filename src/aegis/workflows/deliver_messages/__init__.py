"""What a chat is told, and the sending of it."""
