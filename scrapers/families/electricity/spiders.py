"""The electricity family's base: a job is a person; the company lists the person's contracts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from database.engine import now
from database.models import FileStatus, Note, StoredCredential, StoredFile
from database.models.base import Base
from database.upsert import upsert
from scrapers.core.items import Batch, Listing, Record
from scrapers.core.jobs import Job, Plan
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.logins.credentials import credential_for
from scrapers.reading.values.texts import bare_number


class ContractArguments(SpiderArguments):
    """Arguments of spiders that read contracts."""

    contract: str | None = Field(None, description="Only this contract; default: all that are active.")

    @field_validator("contract")
    @classmethod
    def real_number(cls, value: str | None) -> str | None:
        """Accept digits, with or without leading zeros."""
        try:
            return value if value is None else bare_number(value)
        except ValueError:
            raise ValueError("give the digits of a contract number") from None


class ElectricityTarget(BaseModel):
    """The target of a job: a person, by the label of the credential, and optionally one contract."""

    person: str
    contract: str | None = None


class ElectricitySpider(PortalSpider):
    """Base of an electric company's spiders: a job is a person with all contracts."""

    lists_life: ClassVar[timedelta] = timedelta(days=7)  # lists that rarely change are requested at most this often

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.listed: dict[tuple[int, type[Base]], set[tuple[Any, ...]]] = {}  # natural keys, by job and table

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return a job for each person with a stored credential, or for the one that is named."""
        if arguments.job:
            return [cls._of_job(session, number, arguments) for number in arguments.job]
        people: list[str | None] = [arguments.credential]
        if arguments.credential is None:
            of_portal = select(StoredCredential.username).where(StoredCredential.portal == cls.portal)
            people = list(session.scalars(of_portal.order_by(StoredCredential.username))) or [None]
        return [cls._plan(session, arguments, person, getattr(arguments, "contract", None)) for person in people]

    @classmethod
    def _of_job(cls, session: Session, number: int, arguments: Any) -> Plan:
        given = cls.row(session, number).target or {}
        contract = given.get("contract") or getattr(arguments, "contract", None)
        return cls._plan(session, arguments, given.get("person") or arguments.credential, contract, number)

    @classmethod
    def _plan(
        cls, session: Session, arguments: Any, person: str | None, contract: str | None, number: int | None = None
    ) -> Plan:
        credential = credential_for(cls, session, person)
        label = credential.username if credential else person or "nobody"
        return Plan(
            target=ElectricityTarget(person=label, contract=contract),
            key=label,
            label=f"{label} {contract}" if contract else label,
            credential=credential,
            job_id=number,
            already=frozenset() if arguments.again else cls.already(session, label),
        )

    @classmethod
    def already(cls, session: Session, person: str) -> frozenset[str]:
        """Return the names of the files that are stored for a person and need not be fetched again."""
        of_person = select(StoredFile.key).where(StoredFile.spider == cls.name, StoredFile.target_key == person)
        return frozenset(session.scalars(of_person.where(StoredFile.status == FileStatus.READY)))

    @classmethod
    def is_fresh(cls, session: Session, key: str, name: str) -> bool:
        """Return whether the list *name*, which rarely changes, was fetched within `lists_life`."""
        of_name = (Note.spider == cls.name, Note.target_key == key, Note.name == name)
        at = session.scalar(select(Note.created_at).where(*of_name))
        return at is not None and now(session) - at < cls.lists_life

    @classmethod
    def note_fresh(cls, session: Session, key: str, name: str) -> None:
        """Store the note that the list *name* was fetched now."""
        row = {"spider": cls.name, "target_key": key, "name": name, "value": True, "created_at": now(session)}
        upsert(session, Note, [row], ["spider", "target_key", "name"])

    def stored(self, job: Job, kind: type[Record], records: Sequence[Record]) -> Iterator[Listing | Batch]:
        """Yield a Listing of records of one kind, and the records as a Batch."""
        keys = tuple(record.key() for record in records)
        listed = self.listed.setdefault((job.id, kind.table), set())
        listed.update(tuple(getattr(record, name) for name in kind.natural_key) for record in records)
        yield Listing(job=job.id, keys=keys)
        yield Batch.of(kind, job.id, records, keys)

    def mark_gone(self, session: Session, job: Job, kind: type[Record], *but: ColumnElement[bool]) -> None:
        """Set the time since which rows of a person are no longer listed; *but*: further conditions on the rows."""
        model: Any = kind.table
        listed = self.listed.get((job.id, kind.table), set())
        rows = session.scalars(select(model).where(model.username == job.target.person, *but))
        for row in rows:
            is_listed = tuple(getattr(row, name) for name in kind.natural_key) in listed
            row.gone_at = None if is_listed else row.gone_at or now(session)
