"""The routes of one-time codes: gateways deliver messages, authorised callers read codes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, request
from flask_limiter import Limiter
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field
from werkzeug.exceptions import BadRequest, NotFound

from database.access.addresses import address
from database.access.codes import (
    CodeChannel,
    Reading,
    accept,
    consume,
    is_awaited,
    peek,
    summaries,
)
from database.access.typed_codes import shortened
from database.engine import Database, now
from database.models.audit import record
from jobs.overview import overview
from scrapers.core.version import version
from webhook.access import Caller, for_callers, identify
from webhook.codes.gateways import FORMS, LONGEST_NAME, LONGEST_TEXT, read_delivery, read_mail
from webhook.documentation import Model
from webhook.settings import WebhookSettings

logger = logging.getLogger(__name__)
STARTED_AT = datetime.now(UTC)  # a service that still runs old code is seen from outside
CODES = Tag(name="codes", description="One-time codes")
TOKEN: list[dict[str, list[str]]] = [{"bearer": []}, {"token": []}]
TEXT = {"type": "string"}
SAID = {"type": "string", "pattern": r"\S", "maxLength": LONGEST_TEXT}
NONE = {"type": "null"}
NAME = {
    "anyOf": [{**TEXT, "maxLength": LONGEST_NAME}, {"type": "integer"}, NONE]
}  # some services send numbers as numbers
PARTY = {"type": "object", "properties": {"phone_number": NAME}}
ANY: dict[str, Any] = {"anyOf": [PARTY, *NAME["anyOf"]]}
PAYLOAD = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "id": NAME,
        "text": SAID,
        "from": ANY,
        "to": {"anyOf": [{"type": "array", "items": ANY}, *ANY["anyOf"]]},
    },
}
JSON_BODIES = [
    {"type": "object", "required": ["key"], "properties": {"key": SAID, "from": NAME, "to": NAME}},
    {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "object", "required": ["payload"], "properties": {"payload": PAYLOAD}}},
    },
    {"type": "object", "required": ["text"], "properties": {"from": NAME, "text": SAID, "to": NAME}},
]
FORM_BODY = {
    "type": "object",
    "required": ["Body"],
    "properties": {"From": TEXT, "To": TEXT, "Body": SAID, "MessageSid": TEXT},
}
SMS_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"anyOf": JSON_BODIES}},
            "application/x-www-form-urlencoded": {"schema": FORM_BODY},
        },
    }
}


MAIL_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["from", "to"],
                    "properties": {
                        "from": {**TEXT, "description": "Mail address of the sender, with or without a name."},
                        "to": {
                            "anyOf": [TEXT, {"type": "array", "items": TEXT}, NONE],
                            "description": "Mailboxes that it came to: each of them is a receiver.",
                        },
                        "subject": {"anyOf": [TEXT, {"type": "integer"}, NONE]},
                        "text": {
                            "anyOf": [TEXT, NONE],
                            "description": "The plain part; it or `html` is needed.",
                        },
                        "html": {
                            "anyOf": [TEXT, NONE],
                            "description": "The HTML part; it is read as the text that people see.",
                        },
                        "received_at": {
                            "description": "When the mail reached the service: ISO 8601, or milliseconds since 1970; "
                            "anything else counts as unknown."
                        },
                        "id": {
                            "anyOf": [TEXT, {"type": "integer"}, NONE],
                            "description": "The service's number of the mail, or its Message-ID.",
                        },
                    },
                },
                "example": {
                    "from": "Example Portal <noreply@example.com>",
                    "to": "codes@example.org",
                    "subject": "Your code",
                    "text": "To sign in, use this code AB12CD34.",
                    "received_at": "2026-11-20T10:00:00Z",
                },
            }
        },
    }
}


class Refusal(Model):
    """What was wrong with a request."""

    error: str


class SmsQuery(Model):
    """Who got the message, when its body does not say."""

    receiver: str = Field("", max_length=200, description="Phone number or mail address that the message came to.")


class MailQuery(Model):
    """Who got the mail, when its body does not say."""

    receiver: str = Field("", max_length=200, description="Mail address that the mail came to.")


class CodeQuery(SmsQuery):
    """Login and receiver of the code that is asked for."""

    login: str = Field("", max_length=100, description="Name of the login; a carrier with one login needs none.")


class Accepted(Model):
    """The message is ours now; whether it was a repetition is not said."""

    status: str
    timestamp: datetime


SMS_TAKEN = {
    "description": "The message is taken; a form is answered with empty TwiML.",
    "content": {"application/json": {"schema": Accepted.model_json_schema()}, "text/xml": {"schema": {}}},
}


class CodeAnswer(Model):
    """A code or null, and what became of it."""

    code: str | None
    status: str
    timestamp: datetime | None


class ReceiverStatus(Model):
    """The newest message at a receiver; only the end of its address is shown."""

    receiver: str
    portal: str | None
    has_code: bool
    code_timestamp: datetime
    code_used: bool


class Status(Model):
    """What came lately, without content."""

    webhook_active: bool
    server_time: datetime
    receivers: list[ReceiverStatus]
    # Open jobs by portal, workers, portals in trouble; None for gateways, and under a portal's prefix.
    work: dict[str, list[dict[str, Any]]] | None = None


class Health(Model):
    """That the service answers, and which one it is."""

    status: str
    timestamp: datetime
    version: str
    started_at: datetime


ERRORS: dict[str | int, Any] = dict.fromkeys((400, 401, 429, 503), Refusal)


@dataclass(frozen=True)
class CodeRoutes:
    """The seven routes, once for every prefix. channels: by login, see `all_channels`; portals: those with a prefix."""

    settings: WebhookSettings
    db: Database
    channels: Mapping[str, CodeChannel]
    portals: Sequence[str]
    limiter: Limiter

    def blueprints(self) -> Iterable[APIBlueprint]:
        """Give the routes without a prefix, then under each portal's."""
        return [self._blueprint(portal) for portal in (None, *self.portals)]

    def _blueprint(self, portal: str | None) -> APIBlueprint:
        name = f"codes_{portal}" if portal else "codes"
        prefix = f"/{portal}" if portal else None
        routes = APIBlueprint(name, __name__, abp_tags=[CODES], url_prefix=prefix)

        @routes.post(
            "/sms",
            responses={200: SMS_TAKEN, 413: Refusal, 415: Refusal, **ERRORS},
            security=[*TOKEN, {"twilio": []}],
            openapi_extensions=SMS_BODY,
        )
        @for_callers(Caller.GATEWAY)
        def sms(query: SmsQuery) -> Response | dict[str, Any]:
            """Take a message from a gateway; a form is answered with empty TwiML."""
            return self.take(portal, query)

        @routes.post(
            "/mail",
            responses={200: Accepted, 413: Refusal, 415: Refusal, **ERRORS},
            security=[*TOKEN, {"signature": []}],
            openapi_extensions=MAIL_BODY,
        )
        @for_callers(Caller.GATEWAY)
        def mail(query: MailQuery) -> dict[str, Any]:
            """
            Take a mail from a mail-routing service.

            A mail from a sender that no login and no waiting sign-in names is acknowledged and dropped.
            """
            return self.take_mail(portal, query)

        @routes.get("/code", responses={200: CodeAnswer, 404: Refusal, **ERRORS}, security=TOKEN)
        @for_callers(Caller.READER)
        def code(query: CodeQuery) -> dict[str, Any]:
            """Look at the newest code of a login and receiver, without using it."""
            return self.give(peek, portal, query)

        @routes.post("/code/consume", responses={200: CodeAnswer, 404: Refusal, **ERRORS}, security=TOKEN)
        @for_callers(Caller.READER)
        def consume_code(query: CodeQuery) -> dict[str, Any]:
            """Take the newest code of a login and receiver; it is given once."""
            return self.give(consume, portal, query)

        @routes.get("/status", responses={200: Status, **ERRORS}, security=TOKEN)
        @for_callers(Caller.GATEWAY, Caller.READER)
        def status() -> dict[str, Any]:
            """Show which receivers have an unused code, without the code; to readers also how the work stands."""
            return self.status(portal, with_work=portal is None and identify(request, self.settings) is Caller.READER)

        @routes.get("/health", responses={200: Health})
        @for_callers(Caller.ANYONE)
        def health() -> dict[str, Any]:
            """Say that the service answers."""
            answer = Health(status="healthy", timestamp=datetime.now(UTC), version=version(), started_at=STARTED_AT)
            return answer.model_dump(mode="json")

        return routes

    def take(self, portal: str | None, query: SmsQuery) -> Response | dict[str, Any]:
        """Store the message of this request."""
        delivery = read_delivery(request)
        if delivery is not None:
            receiver = delivery.receiver or query.receiver.strip() or self.settings.sms_receiver
            if not receiver:
                raise BadRequest(
                    "Nobody is named as receiver: send `to`, add `?receiver=` or set LATCHKEY_SMS_RECEIVER."
                )
            self.count(delivery.sender, receiver)
            with self.db.transaction() as session:
                accept(
                    session,
                    receiver,
                    delivery.sender,
                    delivery.text,
                    delivery.gateway_id or None,
                    sent_at=delivery.sent_at,
                    portal=portal,
                    life=self.settings.code_life,
                )
            logger.info("Took a message for %s", portal or "any portal")
        if request.mimetype in FORMS:
            return Response('<?xml version="1.0" encoding="UTF-8"?><Response/>', mimetype="text/xml")
        return Accepted(status="accepted", timestamp=datetime.now(UTC)).model_dump(mode="json")

    def take_mail(self, portal: str | None, query: MailQuery) -> dict[str, Any]:
        """Store the mail of this request for each of its receivers, if its sender is one that logins wait for."""
        mail = read_mail(request)
        receivers = mail.receivers or tuple(filter(None, [query.receiver.strip()]))
        if not receivers:
            raise BadRequest("Nobody is named as receiver: send `to`, or add `?receiver=`.")
        known = self.is_sender(portal, mail.sender)
        taken = 0
        for receiver in receivers:
            self.count(mail.sender, receiver)
        with self.db.transaction() as session:
            for receiver in sorted(set(map(address, receivers))):  # in order: each is locked until the end
                if known or is_awaited(session, receiver, mail.sender):
                    accept(
                        session,
                        receiver,
                        mail.sender,
                        mail.text,
                        mail.gateway_id or None,
                        sent_at=mail.received_at,
                        portal=portal,
                        life=self.settings.code_life,
                    )
                    taken += 1
        logger.info("%s a mail for %s", "Took" if taken else "Dropped", portal or "any portal")
        return Accepted(status="accepted", timestamp=datetime.now(UTC)).model_dump(mode="json")

    def is_sender(self, portal: str | None, sender: str) -> bool:
        """Tell whether a login gets its codes from that mail address; under a carrier's prefix also where none is stated."""
        channels = [each for each in self.channels.values() if portal in (None, each.portal)]
        stated = {address(each) for channel in channels for each in channel.senders}
        return address(sender) in stated or (portal is not None and any(not each.senders for each in channels))

    def count(self, sender: str, receiver: str) -> None:
        """Count a message of one sender to one receiver; raise TooManyRequests above LATCHKEY_WEBHOOK_SENDER_RATE."""
        key = f"{address(sender)} {address(receiver)}"
        # Shared: the routes under every prefix count together.
        with self.limiter.shared_limit(self.settings.webhook_sender_rate, "sender", key_func=lambda: key):
            pass

    def give(self, read: Callable[..., Reading], portal: str | None, query: CodeQuery) -> dict[str, Any]:
        """Answer with what *read* finds for the login and receiver that were named."""
        channel = self.channel(portal, query.login.strip())
        receiver = query.receiver.strip() or self.settings.sms_receiver
        if not receiver:
            raise BadRequest("`receiver` is missing: it is the phone number or mail address that the code came to.")
        with self.db.transaction() as session:
            found = read(session, channel, receiver, self.settings.code_life)
            if found.code is not None:
                record(session, "code.read", f"{channel.login} {shortened(receiver)}", {"status": found.status})
        if found.status == "consumed":
            logger.info("Gave a code of %s to a reader", channel.login)
        answer = CodeAnswer(code=found.code, status=found.status, timestamp=found.received_at)
        return answer.model_dump(mode="json")

    def channel(self, portal: str | None, login: str) -> CodeChannel:
        """Return the channel of a login, or of the only login of a carrier."""
        known = {name: each for name, each in self.channels.items() if portal in (None, each.portal)}
        if login:
            if login not in known:
                raise NotFound("There is no login of that name.")
            return known[login]
        if portal is None or len(known) != 1:
            raise BadRequest("`login` is missing: it is the name of the login whose code is asked for.")
        return next(iter(known.values()))

    def status(self, portal: str | None, *, with_work: bool = False) -> dict[str, Any]:
        """Return the newest message of each receiver, of one portal or of all, and how the work stands."""
        with self.db.transaction() as session:
            moment = now(session)
            rows = summaries(session, self.channels.values(), self.settings.code_life)
            work = overview(session, moment) if with_work else None
        receivers = [
            ReceiverStatus(
                receiver=f"…{row.receiver[-4:]}",
                portal=row.portal,
                has_code=row.has_code,
                code_timestamp=row.received_at,
                code_used=row.used,
            )
            for row in rows
            if portal is None or row.portal in (None, portal)
        ]
        answer = Status(webhook_active=True, server_time=moment, receivers=receivers, work=work)
        return answer.model_dump(mode="json")


def all_channels(channels: Mapping[str, CodeChannel], portals: Iterable[str]) -> dict[str, CodeChannel]:
    """Return the logins' channels, and a general one for each portal of which no login has any."""
    served = {channel.portal for channel in channels.values()}
    return {**{portal: CodeChannel(portal, portal=portal) for portal in portals if portal not in served}, **channels}
