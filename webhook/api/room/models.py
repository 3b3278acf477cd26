"""What the API of the control room takes and answers. No answer holds a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from database.access.addresses import storable
from database.access.roles import Member
from database.access.typed_codes import LONGEST, WaitingSignIn
from database.families.watching import Id
from database.models.audit import AuditEntry
from database.models.operators import Role
from jobs.inbox import Act, Cause, Entry
from jobs.solving import LONGEST_SECRET
from webhook.api.models import Stored
from webhook.documentation import Model

MOST = 200  # rows of one answer
Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=320), AfterValidator(storable)]


class WhoAnswer(Model):
    """Who is signed in. client: the only one that is seen; null: all are, or none for a user of the price watch."""

    email: str
    role: Role
    client_id: int | None


class WaitingAnswer(Model):
    """What is known of a sign-in that waits. receiver: the end of the number or address to which the code was sent."""

    kind: str
    receiver: str
    until: datetime

    @classmethod
    def of(cls, code: WaitingSignIn) -> WaitingAnswer:
        """Return it."""
        return cls(kind=code.kind, receiver=code.receiver, until=code.until)


class InboxEntry(Model):
    """One thing to do. id: of the sign-in for `type_code`, else of the oldest job. labels: of the first jobs."""

    id: int
    portal: str
    username: str | None
    clients: list[str]
    since: datetime
    jobs: int
    labels: list[str]
    message: str
    acts: list[Act]
    code: WaitingAnswer | None

    @classmethod
    def of(cls, entry: Entry) -> InboxEntry:
        """Return it."""
        return cls(
            id=entry.id,
            portal=entry.portal,
            username=entry.username,
            clients=entry.clients,
            since=entry.since,
            jobs=len(entry.jobs),
            labels=entry.labels,
            message=entry.message,
            acts=list(entry.acts),
            code=WaitingAnswer.of(entry.code) if entry.code is not None else None,
        )


class InboxCause(Model):
    """What has one cause, oldest first. cause: `code_wanted`, or the code of an outcome."""

    cause: str
    sentence: str
    jobs: int
    entries: list[InboxEntry]

    @classmethod
    def of(cls, cause: Cause) -> InboxCause:
        """Return it."""
        entries = [InboxEntry.of(entry) for entry in cause.entries]
        return cls(cause=cause.code, sentence=cause.sentence, jobs=cause.jobs, entries=entries)


class InboxAnswer(Model):
    """What needs a person now."""

    causes: list[InboxCause]


class SignInPath(Model):
    """Which sign-in."""

    request_id: Id


class InboxJobPath(Model):
    """Which entry, by one of its jobs."""

    job_id: Id


class TypedCode(Model):
    """The one-time code or link that the portal has sent."""

    code: SecretStr = Field(min_length=1, max_length=LONGEST)


class NewSecret(Model):
    """Another password, which is stored and never shown. totp_secret: left out, the one that is stored stays."""

    password: SecretStr = Field(min_length=1, max_length=LONGEST_SECRET)
    totp_secret: SecretStr = Field(SecretStr(""), max_length=LONGEST_SECRET)
    stored_for: Word = Field("", description="The portal or login, where the credential is stored for several.")


class Freed(Model):
    """How many jobs are due at once by an act, or have left the inbox."""

    jobs: int


class NewPasskey(Model):
    """A passkey that a browser has made. credential: the browser's answer, as JSON."""

    passkey_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(storable)]  # fmt: skip
    credential: str = ""


class AuditQuery(Model):
    """Which rows. action: a whole one, or what stands before its point. before: rows older than that id."""

    actor: Word = ""
    action: Word = ""
    subject: Word = ""
    before: Id | None = None
    limit: int = Field(50, ge=1, le=MOST)


class AuditAnswer(Stored):
    """One change, or one use of a secret."""

    id: int
    at: datetime
    actor: str
    via: str
    address: str
    action: str
    subject: str
    detail: dict[str, Any] | None

    @classmethod
    def of(cls, row: AuditEntry) -> AuditAnswer:
        """Return it."""
        return cls.model_validate(row)


class AuditList(Model):
    """Rows of the audit, the newest first."""

    entries: list[AuditAnswer]


class MemberAnswer(Model):
    """A user with a role. client: of a viewer of one client."""

    email: str
    role: Role
    client: str | None

    @classmethod
    def of(cls, member: Member) -> MemberAnswer:
        """Return it."""
        return cls(email=member.user.email, role=member.role, client=member.client)


class MemberList(Model):
    """The users who have a role, by mail address."""

    users: list[MemberAnswer]
