"""Queries of `scrapy export records` for channels: each row with the name of its source. Texts stay encrypted, and are left out."""

from __future__ import annotations

from sqlalchemy import select

from database.models.messaging import ChannelFile, ChannelMessage
from database.models.telegram import Source
from scrapers.core.exports import Records


def channel_messages() -> Records:
    """Messages of channels, by the time at which they were sent; without their text, which stays encrypted."""
    names = ("message_id", "sent_at", "edited_at", "deleted_at", "sender_id", "album_id", "topic_id", "is_forward")
    query = (
        select(ChannelMessage.id, Source.name.label("source"), Source.channel_title.label("channel"))
        .add_columns(*(getattr(ChannelMessage, name) for name in names))
        .select_from(ChannelMessage)
        .join(Source, Source.id == ChannelMessage.source_id)
    )
    return Records(query, ChannelMessage.sent_at)


def channel_files() -> Records:
    """Files in messages of channels, skipped and failed ones too, by the time at which they were sent."""
    names = ("message_id", "document_id", "member", "kind", "name", "extension", "media_type", "size", "sent_at")
    more = ("sha256", "state", "reason", "message", "attempts", "stored_at")
    query = (
        select(ChannelFile.id, Source.name.label("source"), Source.channel_title.label("channel"))
        .add_columns(*(getattr(ChannelFile, name) for name in (*names, *more)))
        .add_columns(ChannelFile.run_id.label("run"), ChannelFile.file_id.label("file"))
        .select_from(ChannelFile)
        .join(Source, Source.id == ChannelFile.source_id)
    )
    return Records(query, ChannelFile.sent_at)
