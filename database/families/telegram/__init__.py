"""What is remembered of Telegram: sessions and logins, sources, messages and their files."""
