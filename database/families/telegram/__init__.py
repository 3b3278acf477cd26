"""What is remembered of Telegram: sessions, sources, and the messages and files of their channels."""
