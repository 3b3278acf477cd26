"""Tables of what channels hold: messages, and the files in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, UtcDateTime, text_enum, utc_now


class MediaKind(StrEnum):
    """What a file is, as its sender's program says."""

    DOCUMENT = "document"
    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    ANIMATION = "animation"
    STICKER = "sticker"
    MEMBER = "member"  # of an archive


class FileState(StrEnum):
    """What has become of a file."""

    WANTED = "wanted"  # it is fetched next
    STORED = "stored"
    SKIPPED = "skipped"  # `reason` says why
    FAILED = "failed"  # tried again at `next_try_at`; None: no more


class ChannelMessage(Base):
    """A message of a channel. Service messages have no row."""

    __tablename__ = "channel_messages"
    __table_args__ = (UniqueConstraint("source_id", "message_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    edited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: never, or only what readers add to it
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was found to be gone
    sender_id: Mapped[int | None] = mapped_column(BigInteger)  # None: the channel itself
    album_id: Mapped[int | None] = mapped_column(BigInteger)  # the same in all messages of an album
    topic_id: Mapped[int | None] = mapped_column(BigInteger)  # None: the channel is no forum
    is_forward: Mapped[bool] = mapped_column(default=False, server_default=false())
    text: Mapped[str | None] = mapped_column(Encrypted)  # None: there is none, or it is not kept

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<ChannelMessage {self.id}>"


class ChannelFile(Base):
    """
    A file in a message, or a member of an archive that was unpacked.

    A document that several messages hold has a row for each of them and is stored once: `file_id` is the same.
    """

    __tablename__ = "channel_files"
    __table_args__ = (
        UniqueConstraint("source_id", "message_id", "document_id", "member"),
        Index(None, "source_id", "state"),
        Index(None, "source_id", "document_id"),
        Index(None, "source_id", "sha256"),  # the same content is stored once
        Index(None, "file_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(BigInteger)
    document_id: Mapped[int] = mapped_column(BigInteger)  # Telegram's own, of a photo that of the photo
    member: Mapped[str] = mapped_column(String(500), default="", server_default="")  # path in the archive; "": the file
    kind: Mapped[MediaKind] = mapped_column(text_enum(MediaKind))
    name: Mapped[str | None] = mapped_column(String(300))  # as its sender calls it; None: it has none
    extension: Mapped[str] = mapped_column(String(20), default="", server_default="")  # in lower case, without dot
    media_type: Mapped[str | None] = mapped_column(String(200))  # as its sender says
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sha256: Mapped[str | None] = mapped_column(String(64))  # None until stored
    state: Mapped[FileState] = mapped_column(text_enum(FileState))
    reason: Mapped[str | None] = mapped_column(String(50))  # why it is skipped: a word of `filters.Reason`
    message: Mapped[str | None] = mapped_column(Text)  # one sentence on what failed last
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")  # that failed
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"))  # None until stored
    stored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<ChannelFile {self.id}>"
