"""Alerts of the price watch: what their messages say, and the process that sends what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Self

from sqlalchemy.orm import Session

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.engine import Database
from database.families import sending
from database.families.sending import Alert
from database.models.prices import AlertKind
from jobs import channels
from jobs.channels import NotTaken
from jobs.clock import Clock
from jobs.events import Events
from jobs.mail import MailNotSent, MailRefused, is_set_up, send_mail
from jobs.sender import Sender
from jobs.settings import AlertSettings, MailSettings

LONGEST_SUBJECT = 150
NOT_SET_UP = "mail is not set up (LATCHKEY_SMTP_ADDRESS, LATCHKEY_EMAIL_ADDRESS)."
NO_LONGER_SET = "the address that it was for is set no longer."
SAID = {
    AlertKind.BELOW_THRESHOLD: "The price is below your threshold.",
    AlertKind.NEW_LOWEST: "It is the lowest price since you have been watching.",
    AlertKind.DROP: "The price has dropped.",
    AlertKind.BACK_IN_STOCK: "The product is in stock again.",
    AlertKind.GONE: "The shop no longer has the product.",
    AlertKind.USUAL_PRICE: "The product is back at its usual price.",
    AlertKind.ANY_CHANGE: "The price has changed.",
    AlertKind.RECOVERED: "The price can be read again.",
}


class _NoWay(Exception):
    """There is no way to send a message. The text is one sentence."""


def subject(alert: Alert) -> str:
    """Return one line: what has happened first, the price, and the product."""
    price = "" if alert.price is None else f" {money(alert.price, alert.currency)},"
    said = _said(alert, alert.kinds[0]).rstrip(".")
    return _line(f"{said}:{price} {alert.title or alert.product_url}", LONGEST_SUBJECT)


def text(alert: Alert) -> str:
    """Return the message: what has happened, the product and its address, the price beside what it is compared with."""
    lines = [*(_said(alert, kind) for kind in alert.kinds), ""]
    lines += [_line(part) for part in (alert.title, alert.product_url) if part]
    lines.append("")
    if alert.price is None:
        lines.append(f"Last check: {_line(alert.message)}")
    else:
        lines.append(f"Price: {money(alert.price, alert.currency)}")
    if alert.price is not None and alert.previous is not None:
        lines.append(f"Previous price: {money(alert.previous, alert.currency)}{change(alert.previous, alert.price)}")
    lines.append(f"Your threshold: {money(alert.threshold, alert.threshold_currency)}")
    if alert.list_price is not None:
        lines.append(f"List price: {money(alert.list_price, alert.currency)}")
    return "\n".join(lines) + "\n"


def money(amount: Decimal, currency: str | None) -> str:
    """
    Return an amount with its currency, with the third decimal only where there is one.

    >>> money(Decimal("19.900"), "GBP"), money(Decimal("1.125"), "KWD"), money(Decimal(20), None)
    ('19.90 GBP', '1.125 KWD', '20.00')
    """
    return f"{amount:.{2 if amount == round(amount, 2) else 3}f} {currency or ''}".rstrip()


def change(before: Decimal, after: Decimal) -> str:
    """
    Return by how many per cent a price has changed, in brackets; nothing where there is no such number.

    >>> change(Decimal(40), Decimal(30)), change(Decimal(30), Decimal(40)), change(Decimal(0), Decimal(1))
    (' (-25.0 %)', ' (+33.3 %)', '')
    """
    return f" ({(after - before) / before * 100:+.1f} %)" if before and before != after else ""


class Alerts(Sender):
    """
    Sends the alerts that are due.

    addresses: of the administrator, as Apprise has them. What this process has no settings for is left to others that
    have, as long as some are known.
    """

    word = "alerts"

    def __init__(
        self, db: Database, clock: Clock, settings: MailSettings, events: Events, addresses: Sequence[str] = ()
    ) -> None:
        super().__init__(db, clock, events)
        self.settings, self.addresses = settings, addresses

    @classmethod
    def as_set(cls, db: Database, clock: Clock, events: Events) -> Self:
        """Return what sends as the settings of this process say; raise SettingsError."""
        return cls(db, clock, MailSettings.current(), events, AlertSettings.current().addresses)

    def ways(self, session: Session) -> dict[str, str]:
        """Return the channels that there are settings for, each with its address; that of mail is the sender's."""
        key = own_key(session) if self.addresses else b""
        found = {f"set:{fingerprint(key, each)}": each for each in self.addresses}
        return {**found, sending.MAIL: self.settings.email_address} if is_set_up(self.settings) else found

    def send(self) -> int:
        """
        Send what is due and return how many messages were sent. Raises DatabaseAway.

        A mail server that is away gets no other mail in this round: it is asked again when the next one is due.
        """
        with self.db.transaction() as session:
            ways = self.ways(session)
        count, closed = 0, frozenset[str]()
        while not self._stop.is_set():
            with self.db.transaction() as session:
                alert = sending.claim(session, self.clock.now(session), frozenset(ways), closed)
            if alert is None:
                break
            named = f"alert of check {alert.check_id} by {_shown(alert, ways)}"
            try:
                self._deliver(alert, ways)
            except _NoWay as error:
                with self.db.transaction() as session:
                    sending.skipped(session, alert, str(error), self.clock.now(session))
            except (MailNotSent, NotTaken) as error:
                with self.db.transaction() as session:
                    due_at = sending.failed(session, alert, str(error), self.clock.now(session))
                then = f"Next attempt: {due_at:%Y-%m-%d %H:%M} UTC." if due_at else "It is given up."
                self.events.tell("alert_not_sent", f"{named}: {error} {then}")
                if isinstance(error, MailNotSent) and not isinstance(error, MailRefused):
                    closed = frozenset({sending.MAIL})
            else:
                count += 1
                with self.db.transaction() as session:
                    sending.sent(session, alert, self.clock.now(session))
                self.events.tell("alert", f"{named} was sent", check=alert.check_id)
        return count

    def _deliver(self, alert: Alert, ways: Mapping[str, str]) -> None:
        """Send a message; raise _NoWay, MailNotSent or NotTaken."""
        if alert.channel == sending.MAIL:
            if alert.channel not in ways:
                raise _NoWay(NOT_SET_UP)
            send_mail(self.settings, alert.to, subject(alert), text(alert))
            return
        address = ways.get(alert.channel, "") if not alert.to else alert.to
        if not address:
            raise _NoWay(NO_LONGER_SET)
        try:
            if alert.to:
                channels.check_own(address)  # anew: it may have been stored by a version that took more
            channels.notify(address, subject(alert), text(alert))
        except channels.ChannelRefused as error:
            raise _NoWay(str(error)) from None

    def is_any_due(self, session: Session) -> bool:
        """Tell whether an alert is to be sent now."""
        return sending.is_any_due(session, self.clock.now(session))


def _shown(alert: Alert, ways: Mapping[str, str]) -> str:
    """Return a channel for people to read: mail, or the scheme of an address."""
    if alert.channel == sending.MAIL:
        return "mail"
    return (alert.to or ways.get(alert.channel, "")).partition("://")[0] or "an address that is set no longer"


def _said(alert: Alert, kind: AlertKind) -> str:
    if kind is AlertKind.FAILING:
        return f"{alert.failing_after} checks in a row have read no price."
    return SAID[kind]


def _line(text: str, longest: int = 1000) -> str:
    """Return a shop's or user's text as one line that can be printed."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
