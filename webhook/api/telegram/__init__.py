"""The API of Telegram: sessions of a user's accounts, and the channels that they see."""
