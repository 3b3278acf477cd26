"""What the API of the control room takes and answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, RootModel

from database.access.addresses import storable
from database.families.cycles import parse_month
from database.families.watching import HIGHEST_ID, Id
from jobs.missing import State
from webhook.documentation import Model

Name = Annotated[str | None, Field(max_length=200), AfterValidator(lambda value: value and storable(value))]


def _month(value: str | None) -> str | None:
    if value is not None:
        parse_month(value)
    return value


class Places(Model):
    """Which rows of a list: `offset` of the first one, and how many at most."""

    limit: int = Field(10, ge=1, le=100)
    offset: int = Field(0, ge=0, le=HIGHEST_ID)


class MissingQuery(Places):
    """Which accounts and months, and what of them."""

    client: Name = Field(None, description="Name of a client.")
    carrier: Name = Field(None, description="A carrier's portal, such as bell.")
    account: Name = Field(None, description="Number of an account.")
    month: Annotated[str | None, AfterValidator(_month)] = Field(
        None, description="Billing month, YYYY-MM; null: the last twelve."
    )
    state: list[State] = Field(
        [], description="Only what is in one of these states; empty: all.", max_length=len(State)
    )


class CellAnswer(Model):
    """One report type of a billing month: whether it is stored, and if not, why and when it comes."""

    month: str = Field(examples=["2026-10"])
    report_type: str = Field(examples=["pdf_invoice"])
    state: State
    stored: int = Field(description="Files that are stored; days, of daily usage.")
    wanted: int
    lacking: list[str] = Field(description="Names of the reports that are not stored.")
    when: datetime | None = Field(description="When it is asked for next; null: nothing will.")
    outcome: str | None = Field(description="Of the last run.")
    message: str | None
    run: int | None


class LineAnswer(Model):
    """An account with its months."""

    account_id: int
    account: str
    nickname: str | None
    client: str
    carrier: str = Field(description="The carrier's portal.")
    months: list[CellAnswer]


class MissingAnswer(RootModel[list[LineAnswer]]):
    """Accounts."""


class FleetAnswer(Model):
    """A fleet: its last sync, and its faults by the last complete one."""

    portal: str
    tenant: str
    vehicles: int
    last_sync_at: datetime | None
    was_complete: bool | None
    last_complete_at: datetime | None
    next_at: datetime | None
    open_faults: int
    new_faults: int
    critical_faults: int
    errors: int
    run: int | None


class FleetList(RootModel[list[FleetAnswer]]):
    """Fleets."""


class GapAnswer(Model):
    """Days of a meter without all their readings; found 0 of 0: nothing is stored of them."""

    first_day: date
    last_day: date
    found: int
    expected: int


class MeterAnswer(Model):
    """The readings of a meter in one direction and resolution, in the last twelve months."""

    contract: str
    meter: str
    meter_code: str
    direction: str
    resolution: str
    first_day: date
    last_day: date
    periods: int
    incomplete: int
    absent: int
    gaps: list[GapAnswer] = Field(description="The newest ones.")


class MeterList(RootModel[list[MeterAnswer]]):
    """Meters."""


class ShopAnswer(Model):
    """The products of a shop that are watched, and their checks."""

    portal: str
    watched: int
    paused: int
    never_checked: int
    failing: int
    last_checked_at: datetime | None
    oldest_check_at: datetime | None


class ShopList(RootModel[list[ShopAnswer]]):
    """Shops."""


class ChannelStanding(Model):
    """A source of messages, and its last run."""

    id: str
    name: str
    title: str
    is_active: bool
    outcome: str | None
    message: str | None
    last_success_at: datetime | None
    next_at: datetime | None


class ChannelStandings(RootModel[list[ChannelStanding]]):
    """Sources."""


class FreshnessAnswer(Model):
    """A freshness target that was missed, or will be as things stand."""

    schedule: str
    client: str | None
    deadline: datetime
    is_over: bool = Field(description="Whether the time has passed; false: it can still be met.")
    reasons: list[str]


class FreshnessList(RootModel[list[FreshnessAnswer]]):
    """Targets."""


class Below(Model):
    """A page that begins below an id."""

    limit: int = Field(50, ge=1, le=200)
    before: Id | None = Field(None, description="Only ids below this one; the header `Link` names the next page.")
    client: Name = Field(None, description="Name of a client.")
    account: Name = Field(None, description="Number of an account.")
    portal: Name = None
    report_type: Name = None


class RunsQuery(Below):
    """Which runs."""

    outcome: Name = Field(None, description="Code of an outcome, or `failed` for all but success.")
    running: bool = Field(False, description="Only those that have not ended.")


class RunLine(Model):
    """A run. outcome null: it runs."""

    id: int
    spider: str
    portal: str
    report_type: str
    target: str
    outcome: str | None
    who_must_act: str | None
    message: str | None
    step: str | None
    started_at: datetime
    finished_at: datetime | None
    files: int
    records: int
    already: int
    missing: int
    sign_ins: int
    requests: int
    has_bundle: bool


class RunLines(RootModel[list[RunLine]]):
    """Runs."""


class StoryPath(Model):
    """A run."""

    run_id: Id


class RunStory(Model):
    """All that is known of a run; evidence: steps, screens and requests of its bundle, null where there is none."""

    run: int
    spider: str
    target: str
    username: str | None
    job: int | None
    started: datetime
    ended: datetime | None
    seconds: float | None
    outcome: str
    what_happened: str
    seen: str | None
    step: str | None
    selector: str | None
    who_must_act: str | None
    try_again: str | None
    what_to_do: str | None
    counts: dict[str, int]
    missing: list[str]
    warnings: list[str]
    recovered: list[str]
    files: list[dict[str, Any]]
    evidence: dict[str, Any] | None
    evidence_away: str | None = Field(description="Why the bundle cannot be read.")


class FilesQuery(Below):
    """Which files."""

    run: Id | None = None


class FileLine(Model):
    """A stored file, and where it came from."""

    id: int
    name: str
    portal: str
    spider: str
    report_type: str
    target: str
    account: str | None
    size: int | None
    sha256: str | None
    media_type: str | None
    source: str | None
    store: str | None
    path: str | None
    status: str
    stored_at: datetime | None
    run: int | None


class FileLines(RootModel[list[FileLine]]):
    """Files."""


class FilePath(Model):
    """A stored file."""

    file_id: Id
