"""What the routes of sources take and answer. Names are those of the scraper that they take the place of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel, StrictInt

from database.families.watching import Id
from database.models.messaging import FileState, MediaKind
from database.models.telegram import AccessLevel, TargetStore
from scrapers.families.messaging.filters import Filters
from webhook.api.telegram.models import SkipQuery
from webhook.api.telegram.source_fields import (
    Active,
    BotToken,
    ChannelId,
    Cron,
    FileTypes,
    Name,
    SessionWord,
    SourceFilters,
    TargetPath,
    Template,
    Zone,
)
from webhook.documentation import Model


class SourceOptions(BaseModel):
    """What can be said of a source besides its channel and its session."""

    file_types: FileTypes = []
    filters: SourceFilters = Filters()
    target: TargetStore = TargetStore.LOCAL
    target_path: TargetPath = Field(None, description="Folder below the target's own; none: source_<name>.")
    path_template: Template = Field(None, description="Path of a file there; none: as LATCHKEY_SOURCES_PATH says.")
    unpacks: bool = Field(False, strict=True, description="Whether archives are unpacked, each member a file.")
    keeps_texts: bool = Field(False, strict=True, description="Whether texts of messages are kept, encrypted.")
    schedule: Cron = Field(None, description="Cron expression; none: it runs when it is triggered.")
    time_zone: Zone = Field("UTC", description="Of the schedule.")


class Unused(BaseModel):
    """What clients of the scraper send, and the session has: it is taken and not kept."""

    api_id: StrictInt | str | None = Field(None, description="Not used: that of the session is.")
    api_hash: Annotated[str | None, Field(max_length=200)] = Field(
        None, description="Not used: that of the session is."
    )


class NewPrivate(Model, SourceOptions, Unused):
    """A source that is read with a session of the user, who is a member of the channel."""

    name: Name
    session_id: SessionWord = Field(description="Id or name of a session of the user.")
    channel_id: ChannelId
    channel_title: Annotated[str | None, Field(max_length=300)] = Field(None, description="Not used: Telegram's is.")
    join: bool = Field(False, strict=True, description="Whether the account may join the channel of an invitation.")


class NewPublic(Model, SourceOptions, Unused):
    """A source that has a user name: any session can read it."""

    name: Name
    channel_username: ChannelId
    session_id: SessionWord | None = Field(
        None, description="Id or name of a session of the user or of the installation; none: one that can be used."
    )
    bot_token: BotToken = Field(None, description="Stored encrypted; what a bot cannot do is said in the answer.")


class SourceChange(Model):
    """What is to change: null or left out stays; an empty text or list clears."""

    name: Name | None = None
    schedule: Cron = Field(None, description='"" clears it.')
    time_zone: Zone | None = None
    file_types: FileTypes | None = None
    filters: SourceFilters | None = None
    target: TargetStore | None = None
    target_path: TargetPath = None
    path_template: Template = None
    unpacks: bool | None = Field(None, strict=True)
    keeps_texts: bool | None = Field(None, strict=True)
    is_active: Active | None = Field(None, description="inactive pauses the schedule.")
    session_id: SessionWord | None = Field(None, description="Another session; the channel is looked up with it.")
    bot_token: BotToken = None


class SourceAnswer(Model):
    """A source. notes: sentences on what it cannot do. engine: why what starts the crawls does not follow yet; null: it does."""

    id: str
    name: str
    access_level: AccessLevel
    identifier: str
    channel_id: int
    channel_title: str
    username: str | None
    session_id: str | None
    session_name: str | None
    has_bot_token: bool
    file_types: list[str]
    filters: dict[str, Any]
    target: TargetStore
    target_path: str | None
    path_template: str | None
    unpacks: bool
    keeps_texts: bool
    schedule: str | None
    time_zone: str | None
    next_run_at: datetime | None
    is_active: Literal["active", "inactive"]
    status: Literal["never", "waiting", "running", "completed", "failed"]
    outcome: str | None
    message: str | None
    waits_until: datetime | None
    created_at: datetime
    updated_at: datetime | None
    last_scraped_at: datetime | None
    total_messages_scraped: int
    total_files_downloaded: int
    engine: str | None
    notes: list[str]


class SourceList(RootModel[list[SourceAnswer]]):
    """Sources of one page, the oldest first."""


class SourcePath(Model):
    """Which source."""

    source_id: UUID


class FileQuery(SkipQuery):
    """Which files of a source."""

    state: FileState | None = Field(None, description="What has become of them.")


class DeleteQuery(Model):
    """What goes with a source."""

    files: bool = Field(False, description="Whether its stored files are deleted, too.")


class Deleted(Model):
    """What was deleted. files: stored ones; kept: those that could not be deleted, or that another source has too."""

    message: str
    id: str
    files: int
    kept: int
    engine: str | None


class TriggerResult(Model):
    """The job of a source."""

    job_id: int
    made: bool
    status: str
    starts_at: datetime


class TriggerAnswer(Model):
    """That a source is read now."""

    message: str
    result: TriggerResult
    engine: str | None


class SourceRunAnswer(Model):
    """A run of a source. flow_run_id: its job."""

    id: int
    source_id: str
    flow_run_id: int | None
    status: Literal["running", "completed", "failed", "cancelled"]
    started_at: datetime
    finished_at: datetime | None
    total_files_found: int
    total_files_processed: int
    outcome: str | None
    notes: str | None
    step: str | None
    requests: int


class SourceRunList(RootModel[list[SourceRunAnswer]]):
    """Runs, the newest first."""


class LogAnswer(Model):
    """A line of a run or of its job."""

    timestamp: datetime | None
    level: Literal["INFO", "WARNING", "ERROR"]
    message: str


class LogList(RootModel[list[LogAnswer]]):
    """Lines, the oldest first; those of the run itself come last."""


class FileAnswer(Model):
    """A file of a channel. storage_path: where it is; null: nowhere yet."""

    id: int
    source_id: str
    run_id: int | None
    message_id: int
    file_id: str
    file_name: str | None
    file_extension: str
    kind: MediaKind
    member: str | None
    size_bytes: int
    sent_at: datetime
    state: FileState
    reason: str | None
    message: str | None
    next_try_at: datetime | None
    checksum: str | None
    store: str | None
    storage_path: str | None
    processed_at: datetime | None


class FileList(RootModel[list[FileAnswer]]):
    """Files, the newest message first."""


class RunDetail(SourceRunAnswer):
    """A run with its lines and the files that it has brought."""

    logs: list[LogAnswer]
    files: list[FileAnswer]


class RunPath(Model):
    """Which run."""

    run_id: Id


class DeploymentPath(Model):
    """Which deployment: that of a source is called source-<id>."""

    deployment: str = Field(min_length=1, max_length=100)


class DeploymentQuery(Model):
    """The source, as clients of the scraper name it."""

    source_id: UUID | None = None
