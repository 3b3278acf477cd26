"""The electricity family's base: a job is a person, who has contracts; the company itself says which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, Field, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Credential as StoredCredential
from database.models import ScraperJob
from scrapers.items.base import Batch, Listing, Record
from scrapers.items.values import bare_number
from scrapers.spider import PortalSpider, SpiderArguments
from scrapers.work import ArgumentError, Job, Plan


class ElectricityArguments(SpiderArguments):
    """What a spider of an electric company can be told."""

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
    """Person, by the label of the credential, and perhaps one contract: what the job is about."""

    person: str
    contract: str | None = None


class ElectricitySpider(PortalSpider):
    """Base of an electric company's spiders: a job is a person with all contracts."""

    Arguments = ElectricityArguments
    arguments: ElectricityArguments

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return a job for each person whose credential is known, or for the one that is named."""
        if arguments.job:
            return [cls._of_job(session, number, arguments) for number in arguments.job]
        people: list[str | None] = [arguments.credential]
        if arguments.credential is None:
            of_portal = select(StoredCredential.username).where(StoredCredential.portal == cls.portal)
            people = list(session.scalars(of_portal.order_by(StoredCredential.username))) or [None]
        return [cls._plan(session, person, arguments.contract) for person in people]

    @classmethod
    def _of_job(cls, session: Session, number: int, arguments: Any) -> Plan:
        job = session.get(ScraperJob, number)
        if job is None or (job.portal, job.report_type) != (cls.portal, cls.report_type):
            raise ArgumentError(f"-a job={number}: there is no such job of {cls.name}.")
        given = job.target or {}
        contract = given.get("contract") or arguments.contract
        return cls._plan(session, given.get("person") or arguments.credential, contract, number)

    @classmethod
    def _plan(cls, session: Session, person: str | None, contract: str | None, number: int | None = None) -> Plan:
        credential = cls.find_credential(session, person)
        label = credential.username if credential else person or "nobody"
        return Plan(
            target=ElectricityTarget(person=label, contract=contract),
            key=label,
            label=f"{label} {contract}" if contract else label,
            credential=credential,
            job_id=number,
            already=cls.already(session, label),
        )

    @classmethod
    def already(cls, session: Session, person: str) -> frozenset[str]:
        """Return the names of the files that are stored for a person and need not be fetched again."""
        return frozenset()

    @staticmethod
    def stored(job: Job, kind: type[Record], records: Sequence[Record]) -> Iterator[Listing | Batch]:
        """Yield what the company lists and its records, all of one kind."""
        keys = tuple(record.key() for record in records)
        yield Listing(job=job.id, keys=keys)
        yield Batch.of(kind, job.id, records, keys)
