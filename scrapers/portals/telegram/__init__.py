"""Telegram: files of channels, over Telegram's own protocol."""

from scrapers.core.stated import Portal

# Telethon takes longer to import than all else, so these are imported where a session is connected alone.
WITHOUT_SPIDERS = frozenset(
    {
        *("asking", "attachments", "channels", "client", "dialogs", "resolving", "scanning", "signing", "transfers"),
        *("unpacking", "using", "writing"),
    }
)
PORTAL = Portal(word="telegram", name="Telegram", family="messaging", time_zone="UTC", locale="en_GB")
