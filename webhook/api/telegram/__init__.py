"""The API of Telegram: sessions, and the sources whose files are fetched."""
