"""Forms: what was typed becomes a model of the API; what is wrong becomes a sentence beside its field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import (
    BadGateway,
    BadRequest,
    Conflict,
    Forbidden,
    HTTPException,
    InternalServerError,
    ServiceUnavailable,
    TooManyRequests,
)

from jobs.channels import ChannelRefused
from scrapers.families.prices.addresses import AddressRefused
from webhook.api.telegram.managing import FieldRefused

Body = TypeVar("Body", bound=BaseModel)
WHOLE = ""  # the field of what is wrong with the form as a whole
ADDRESS_TOO_LONG = "An address has at most 2000 characters."
# By field and by kind of mistake; pydantic's own sentences are for programs.
SENTENCES: dict[str, str] = {
    "address": "Give an address of Apprise's, such as ntfy://my-topic, of at most 500 characters.",
    "email": "A mail address looks like ana@example.com.",
    "phone_number": "A phone number has its country's code in front, such as +12015550100.",
    "code": "A code has six digits.",
    "product_url": "Give the address of a product's page, such as https://www.example.com/products/1001-Echo.",
    "threshold": "Give an amount above 0 with a point and at most 3 decimals, such as 19.99.",
    "threshold_currency": "A currency is three letters, such as GBP.",
    "passkey_name": "Give it a name of at most 100 characters, such as that of the device.",
    "country": "A country is two letters, such as GB.",
    "label": "A name is one line of at most 200 characters.",
    "selector": "A selector is one line of at most 500 characters.",
    "drop_percent": "Give a whole number from 1 to 100.",
    "failing_after": "Give a whole number from 1 to 100.",
    "alerts": "Choose among those that are shown.",
    "rendering": "Choose one of those that are shown.",
}
REFUSALS = (
    *(BadGateway, BadRequest, Conflict, Forbidden, InternalServerError, ServiceUnavailable),
    TooManyRequests,
)
SECRETS = ("api_hash", "bot_token", "code", "password", "session_string")  # what a page does not show again
LONGEST_NUMBER = 18  # digits
CAPITALS = ("country", "threshold_currency")
LISTS = ("alerts",)


@dataclass
class Form(Generic[Body]):
    """A form as it was sent. errors: sentence by field. body: None while there are errors."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    body: Body | None = None
    status: int = HTTPStatus.OK

    @property
    def made(self) -> Body:
        """The model, where nothing was wrong."""
        assert self.body is not None
        return self.body

    def refuse(self, name: str, sentence: str, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> None:
        """Note what is wrong with a field."""
        self.errors[name], self.status, self.body = sentence, status, None

    def rename(self, **names: str) -> None:
        """Show what is wrong with fields of the model beside those of the form that have other names."""
        self.errors = {names.get(name, name): said for name, said in self.errors.items()}

    def refusing(self, name: str) -> Refusing:
        """Return the block in which what an act refuses is noted beside a field."""
        return Refusing(self, name)


@dataclass(frozen=True)
class Refusing:
    """A block that ends where an act in it is refused; what is no refusal goes on its way."""

    form: Form[Any]
    name: str

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        """Note a refusal."""
        if isinstance(error, AddressRefused | ChannelRefused):
            self.form.refuse(self.name, str(error))
            return True
        if isinstance(error, FieldRefused):
            self.form.refuse(error.name, str(error))
            return True
        if isinstance(error, REFUSALS):
            self.form.refuse(self.name, said(error), error.code or HTTPStatus.BAD_REQUEST)
            return True
        return False


def read(
    model: type[Body],
    given: MultiDict[str, str],
    *,
    checks: Collection[str] = (),
    clears: Collection[str] = (),
    numbers: Collection[str] = (),
    lists: Collection[str] = (),
) -> Form[Body]:
    """
    Return a form with what was sent; what was left empty is None where that has a meaning, else as if not given.

    checks: fields that are boxes to tick. clears: fields in which an empty text means to clear. numbers: fields whose model
    takes no text for a number. lists: fields of several words, with commas or blanks between them.
    """
    values: dict[str, Any] = {}
    for name in model.model_fields:
        if name in checks:
            values[name] = name in given
        elif name in LISTS:
            values[name] = given.getlist(name)
        elif name in given:
            values[name] = given[name].strip().upper() if name in CAPITALS else given[name].strip()
    form: Form[Body] = Form(values)
    taken = dict(values)
    for name in numbers:
        if (text := values.get(name, "")).isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER:
            taken[name] = int(text)
    for name in lists:
        taken[name] = re.split(r"[\s,;]+", values[name]) if values.get(name) else []
    for name, of_model in model.model_fields.items():
        if taken.get(name) == "" and not of_model.is_required() and name not in clears:
            taken.pop(name)
            if of_model.default is None:
                taken[name] = None
    try:
        form.body = model.model_validate(taken)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            name = str(each["loc"][0]) if each["loc"] else WHOLE
            form.refuse(name, SENTENCES.get(name) or sentence(each["msg"]))
    form.values = {name: value for name, value in form.values.items() if name not in SECRETS}
    return form


def sentence(message: str) -> str:
    """
    Return what pydantic says as a sentence.

    >>> sentence("Value error, it must be one line of plain text")
    'It must be one line of plain text.'
    """
    said = message.removeprefix("Value error, ").rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def filled(values: Mapping[str, Any]) -> Form[Any]:
    """Return a form that nobody has sent yet, with what stands in its fields."""
    return Form({name: _typed(value) for name, value in values.items()})


def _typed(value: Any) -> Any:
    """Return a value as one would type it."""
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def said(error: HTTPException) -> str:
    """Return the sentence of an HTTP error."""
    return error.description or "That did not work: try again."
