"""Telegram: files of channels, over Telegram's own protocol."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="telegram", name="Telegram", family="messaging", time_zone="UTC", locale="en_GB")
