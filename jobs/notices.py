"""Tells people what they must act on: what the messages say, and the process that sends those that are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from database.access.addresses import mail_address
from database.engine import Database
from database.jobs import causes, notices
from database.jobs.causes import FOLLOWS
from database.jobs.hours import into_hours, parse_hours, parse_time
from database.jobs.notices import MAIL, Notice
from database.models import Client
from database.models.notices import NoticeKind
from jobs import channels
from jobs.channels import ChannelRefused, NotTaken
from jobs.clock import Clock
from jobs.digest import digest
from jobs.events import Events
from jobs.mail import MailNotSent, MailRefused, is_set_up, send_mail
from jobs.sender import Sender
from jobs.settings import MailSettings, NoticeSettings
from scrapers.core.outcomes import OUTCOMES, WHO, Actor, LoginFailed, codes_of
from scrapers.core.redaction import without_numbers

LONGEST = 10  # cases that a message lists
LONGEST_SUBJECT = 150
PERIODS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
NOT_SET_UP = "mail is not set up (LATCHKEY_SMTP_ADDRESS, LATCHKEY_EMAIL_ADDRESS)."
BEGINS = {NoticeKind.BEGAN: "", NoticeKind.STILL: "Still: ", NoticeKind.SOLVED: "Solved: ", NoticeKind.PAST: "Solved: "}


def service_of(address: str) -> str:
    """Return `mail` for a mail address, else the scheme of an address that Apprise knows; raise ChannelRefused."""
    if "://" not in address and mail_address(address) == address and address.isascii():
        return MAIL
    return channels.check(address)


def shown(service: str, address: str) -> str:
    """
    Return an address so that it is known again, without what gives access or names a person.

    >>> shown("mail", "ana@example.com"), shown("json", "json://user:secret@hooks.example.com/token")
    ('a…@example.com', 'json://…')
    """
    if service == MAIL:
        return f"{address[:1]}…@{address.rpartition('@')[2]}"
    return f"{service}://…"


def deliver(mail: MailSettings, service: str, address: str, subject: str, text: str) -> None:
    """Send a message to an address; raise MailNotSent or NotTaken."""
    if service == MAIL:
        if not is_set_up(mail):
            raise MailNotSent(NOT_SET_UP)
        send_mail(mail, address, subject, text)
        return
    try:
        channels.notify(address, subject, text)
    except ChannelRefused as error:
        raise NotTaken(str(error)) from None


def subject(notice: Notice) -> str:
    """Return one line: whether it is solved, the portal, what is wrong, and with which credential."""
    who = f" of {without_numbers(notice.username)}" if notice.username else ""
    line = f"[Latchkey] {BEGINS[notice.kind]}{notice.portal}: {notice.outcome.replace('_', ' ')}{who}"
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def text(notice: Notice, zone: str, repeat: timedelta) -> str:
    """Return the message: what is wrong, who must act, since when, what it concerns. zone: of the times in it."""
    outcome = OUTCOMES.get(notice.outcome)
    assert notice.began_at is not None
    lines = [outcome.sentence if outcome else notice.outcome]
    if notice.solved_at is None:
        lines.append(f"{WHO[Actor(notice.actor)]}.")
    else:
        lines.insert(0, f"Solved at {_time(notice.solved_at, zone)}: {notice.solved_by}. This was:")
    lines += ["", f"Portal: {notice.portal}"]
    if notice.username:
        lines.append(f"User: {without_numbers(notice.username)}")
    lines += [f"Since: {_time(notice.began_at, zone)}", f"Failures: {notice.failures}", "", "Concerned:"]
    for case in notice.cases[:LONGEST]:
        about = f" (scrapy runs {case.run})" if case.run is not None else ""
        lines.append(f"- {case.spider} {without_numbers(case.label)}{about}")
    if len(notice.cases) > LONGEST:
        lines.append(f"- and {len(notice.cases) - LONGEST} more")
    if notice.solved_at is None:
        hours = repeat / timedelta(hours=1)
        lines += ["", f"You are told again after {hours:g} hours, and when it is solved."]
    return "\n".join(lines) + "\n"


class Notices(Sender):
    """Sends messages about causes, and digests."""

    word = "notices"

    def __init__(
        self, db: Database, clock: Clock, mail: MailSettings, events: Events, settings: NoticeSettings
    ) -> None:
        super().__init__(db, clock, events)
        self.mail, self.settings = mail, settings
        self.repeat = timedelta(hours=settings.notify_repeat)
        self._has_told = False  # that there are no settings for mail

    @classmethod
    def as_set(cls, db: Database, clock: Clock, events: Events) -> Self:
        """Return what sends as the settings of this process say; raise SettingsError."""
        return cls(db, clock, MailSettings.current(), events, NoticeSettings.current())

    def is_any_due(self, session: Session) -> bool:
        """Tell whether a message is to be sent now."""
        at = self.clock.now(session)
        return not is_quiet(self.settings, at) and notices.is_any_due(session, at)

    def finish(self) -> None:
        """Wait for the thread, look at what has ended since the last tick, and send what is due."""
        with self.db.transaction() as session:
            collect(session, self.clock.now(session), self.settings)
        super().finish()

    def send(self) -> int:
        """
        Send what is due and return how many messages were sent; nothing in quiet hours. Raises DatabaseAway.

        An address that does not take a message gets no other one in this round; so do all others when a mail server is away.
        """
        closed: frozenset[str] = frozenset() if is_set_up(self.mail) else frozenset({MAIL})
        count = 0
        while not self._stop.is_set():
            with self.db.transaction() as session:
                at = self.clock.now(session)
                if is_quiet(self.settings, at):
                    break
                notice = notices.claim(session, at, self.repeat, closed)
                message = None if notice is None else self._message(session, notice, at)
            if notice is None or message is None:
                break
            named = f"{notice.kind.value} of {notice.portal or 'all'} by {shown(notice.service, notice.address)}"
            try:
                deliver(self.mail, notice.service, notice.address, *message)
            except (MailNotSent, NotTaken) as error:
                is_away = isinstance(error, MailNotSent) and not isinstance(error, MailRefused)
                with self.db.transaction() as session:
                    at = self.clock.now(session)
                    due_at = notices.failed(session, notice, str(error), at, all_of_service=is_away)
                self.events.tell("notice_not_sent", f"{named}: {error} Next attempt: {due_at:%Y-%m-%d %H:%M} UTC.")
            else:
                count += 1
                with self.db.transaction() as session:
                    notices.sent(session, notice, self.clock.now(session))
                self.events.tell("notice", f"{named} was sent")
        if MAIL in closed:
            self._tell_of_mail()
        return count

    def _message(self, session: Session, notice: Notice, at: datetime) -> tuple[str, str]:
        zone = self.settings.notify_time_zone
        if notice.kind is not NoticeKind.DIGEST:
            return subject(notice), text(notice, zone, self.repeat)
        client = None if notice.client_id is None else session.get_one(Client, notice.client_id)
        since = notices.since_last_digest(session, notice)
        made = digest(
            session, since or at - PERIODS.get(self.settings.notify_digest, PERIODS["daily"]), at, zone, client
        )
        return made.subject, made.text

    def _tell_of_mail(self) -> None:
        """Tell once that messages wait for settings of the mail server."""
        if self._has_told:
            return
        with self.db.transaction() as session:
            if notices.is_any_due(session, self.clock.now(session)):
                self._has_told = True
                self.events.tell("notices_wait", f"notices by mail wait: {NOT_SET_UP}")


def collect(session: Session, at: datetime, settings: NoticeSettings) -> int:
    """Look at the runs that have ended, and make the messages and digests that are due; return how many."""
    while causes.collect(session, at) == causes.BATCH:
        pass
    causes.lift(session, codes_of(LoginFailed) | {FOLLOWS}, at)
    made = notices.plan(session, at, timedelta(hours=settings.notify_repeat))
    if settings.notify_digest != "off":
        due = digest_due(settings, at)
        made += notices.plan_digests(session, due.astimezone(ZoneInfo(settings.notify_time_zone)).toordinal(), due, at)
    return made


def digest_due(settings: NoticeSettings, at: datetime) -> datetime:
    """Return when the last digest before *at* was due."""
    zone, by = ZoneInfo(settings.notify_time_zone), parse_time(settings.notify_digest_at)
    day = at.astimezone(zone).date()
    if settings.notify_digest == "weekly":
        day -= timedelta(days=day.weekday())
    due = datetime.combine(day, by, zone).astimezone(UTC)
    if due > at:
        due = datetime.combine(day - PERIODS[settings.notify_digest], by, zone).astimezone(UTC)
    return due


def is_quiet(settings: NoticeSettings, at: datetime) -> bool:
    """Tell whether no message may be sent now."""
    if not settings.notify_quiet:
        return False
    begin, end = parse_hours(settings.notify_quiet)
    loud = f"{end:%H:%M}-{begin:%H:%M}"
    return into_hours(at, loud, settings.notify_time_zone) != at


def _time(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
