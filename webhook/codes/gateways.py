"""The bodies in which gateways deliver a message and mail-routing services a mail, read into one shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from database.access.addresses import mail_address

LONGEST_TEXT = 10_000
LONGEST_NAME = 200  # senders, receivers, numbers of messages
LONGEST_HEADER = 998  # characters of a line in a mail's head
MOST_RECIPIENTS = 50
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
KNOWN_SHAPES = '{"key": …}, {"data": {"payload": {"text": …}}}, {"from": …, "text": …} or a form with From and Body'


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as a gateway brought it. Its `repr` shows nothing of it."""

    text: str = field(repr=False)
    sender: str = field(default="", repr=False)
    receiver: str = field(default="", repr=False)
    gateway_id: str = field(default="", repr=False)
    sent_at: datetime | None = None


def read_delivery(request: Request) -> Delivery | None:
    """
    Return the message in a request's body; None for an event of a gateway that is not about a message to us.

    Raises BadRequest or UnsupportedMediaType; the description names what is missing and quotes nothing.
    """
    if request.mimetype in FORMS:
        return _from_form(request.form)
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON or a form.")
    body = _json(request)
    if not isinstance(body, dict):
        raise BadRequest(f"The body must be {KNOWN_SHAPES}.")
    if "data" in body:
        return _from_event(body["data"])
    if "key" in body:
        text = _text(body["key"], "key")
        return Delivery(text, sender=_name(body.get("from"), "from"), receiver=_name(body.get("to"), "to"))
    if "text" in body or "from" in body:
        return Delivery(
            _text(body.get("text"), "text"),
            sender=_name(body.get("from"), "from"),
            receiver=_name(body.get("to"), "to"),
            sent_at=_instant(body.get("receivedStamp")) or _instant(body.get("sentStamp")),
        )
    raise BadRequest(f"The body must be {KNOWN_SHAPES}.")


@dataclass(frozen=True, slots=True)
class MailDelivery:
    """One mail as a mail-routing service brought it. Its `repr` shows nothing of it."""

    sender: str = field(repr=False)
    receivers: tuple[str, ...] = field(repr=False)
    text: str = field(repr=False)  # subject and body: what a login's pattern reads
    gateway_id: str = field(default="", repr=False)
    received_at: datetime | None = None


def read_mail(request: Request) -> MailDelivery:
    """
    Return the mail in a request's body; its receivers are empty when `to` is missing.

    Raises BadRequest or UnsupportedMediaType; the description names what is missing and quotes nothing.
    """
    from scrapers.reading.mail import UnreadableMail, readable

    if not request.is_json:
        raise UnsupportedMediaType("Send JSON.")
    body = _json(request)
    if not isinstance(body, dict):
        raise BadRequest('The body must be {"from": …, "to": …, "subject": …, "text": …}.')
    sender = mail_address(_name(body.get("from"), "from", LONGEST_HEADER))
    if not sender:
        raise BadRequest("`from` is missing: it is the mail address of the sender.")
    subject = _name(body.get("subject"), "subject", LONGEST_HEADER)
    text, html = (_body(body.get(name), name) for name in ("text", "html"))
    if not text.strip() and not html.strip():
        raise BadRequest("`text` is missing: it is the text of the mail; `html` can stand in for it.")
    try:
        read = readable(subject, text, html)
    except UnreadableMail:
        raise BadRequest("`html` is nested too deep to be read, and `text` is missing.") from None
    return MailDelivery(
        sender=sender,
        receivers=_recipients(body.get("to")),
        text=read,
        gateway_id=_name(body.get("id"), "id", LONGEST_HEADER),
        received_at=_instant(body.get("received_at")),
    )


def _json(request: Request) -> Any:
    try:
        # strict=False: gateways' templates put the text in as it is, with its line breaks and tabs.
        return json.loads(request.get_data(), strict=False)
    except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
        raise BadRequest("The body is not JSON.") from None


def _body(value: Any, name: str) -> str:
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"`{name}` must be a text.")
    return value or ""


def _recipients(value: Any) -> tuple[str, ...]:
    """Return the bare addresses of `to`: a header's text, or a list of addresses."""
    given = [value] if isinstance(value, str) else value or []
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BadRequest("`to` must be a text or a list of texts.")
    addresses = [address for _, address in getaddresses(given) if "@" in address]
    if any(len(address) > LONGEST_NAME for address in addresses):
        raise BadRequest(f"`to` has an address longer than {LONGEST_NAME} characters.")
    if len(addresses) > MOST_RECIPIENTS:
        raise BadRequest(f"`to` has more than {MOST_RECIPIENTS} addresses.")
    if any(each.strip() for each in given) and not addresses:
        raise BadRequest("`to` has no mail address.")
    return tuple(dict.fromkeys(addresses))


def _from_form(form: Mapping[str, str]) -> Delivery:
    return Delivery(
        _text(form.get("Body"), "Body"),
        sender=_name(form.get("From"), "From"),
        receiver=_name(form.get("To"), "To"),
        gateway_id=_name(form.get("MessageSid"), "MessageSid"),
    )


def _from_event(data: Any) -> Delivery | None:
    payload = data.get("payload") if isinstance(data, dict) else None
    if not isinstance(payload, dict):
        raise BadRequest("`data.payload` is missing.")
    if data.get("event_type") not in (None, "message.received"):
        return None
    receivers = payload.get("to")
    if isinstance(receivers, list):
        receivers = receivers[0] if receivers else None
    return Delivery(
        _text(payload.get("text"), "data.payload.text"),
        sender=_name(_number(payload.get("from")), "data.payload.from.phone_number"),
        receiver=_name(_number(receivers), "data.payload.to"),
        gateway_id=_name(payload.get("id"), "data.payload.id"),
        sent_at=_instant(payload.get("received_at")),
    )


def _number(party: Any) -> Any:
    return party.get("phone_number") if isinstance(party, dict) else party


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"`{name}` is missing: it is the text of the message.")
    if len(value) > LONGEST_TEXT:
        raise BadRequest(f"`{name}` is longer than {LONGEST_TEXT} characters.")
    return value


def _name(value: Any, name: str, longest: int = LONGEST_NAME) -> str:
    """Return an optional short text; numbers and addresses are sometimes sent as JSON numbers."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadRequest(f"`{name}` must be a text.")
    if len(str(value)) > longest:
        raise BadRequest(f"`{name}` is longer than {longest} characters.")
    return str(value).strip()


def _instant(value: Any) -> datetime | None:
    """Return an ISO 8601 text or milliseconds since 1970 as an instant; None when it is neither or implausible."""
    try:
        if isinstance(value, str) and not value.strip().isdigit():
            instant = datetime.fromisoformat(value)
            instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            instant = datetime.fromtimestamp(int(value) / 1000, UTC)
        else:
            return None
        return instant.astimezone(UTC) if 2000 <= instant.year <= 2100 else None
    except (ValueError, OverflowError, OSError):
        return None
