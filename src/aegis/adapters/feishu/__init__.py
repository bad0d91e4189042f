"""Feishu and Lark: messages to chats, through the official SDK."""
