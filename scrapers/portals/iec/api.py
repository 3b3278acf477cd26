"""The company's interface: every endpoint with its address and body, and `read`, which tells answers from errors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from http import HTTPStatus
from string import Formatter
from typing import Any
from urllib.parse import quote

from scrapy.http import Response

from scrapers.portals.iec.errors import AnswerUnexpected, CompanyDown, IECError, IECLoginError
from scrapers.portals.iec.hosts import API, FAULTS, MASA, MASA_WA, Host

LONGEST = 300  # characters of the company's own text that are kept


class Shape(StrEnum):
    """The shape of a successful answer."""

    OBJECT = "object"
    LIST = "list"
    ENVELOPE = "envelope"  # {"data": …, "reponseDescriptor": {…}}, the company's spelling
    COLLECTION = "collection"  # {"dataCollection": […]}
    PDF = "pdf"
    VALUE = "value"  # any JSON: true, a text, null


@dataclass(frozen=True, slots=True, eq=False)  # a constant, and a key of dictionaries
class Endpoint:
    """
    An endpoint of the interface. `id` is used in errors, logs and tests.

    path: relative to the host's, with {parts}. changes: it changes something at the company; crawls never request it.
    query, body: names that may be sent. is_public: requested without a token and special headers.
    """

    id: str
    host: Host
    path: str
    shape: Shape
    method: str = "GET"
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    changes: bool = False
    is_public: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.path) if name)

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers, without the token."""
        headers = {} if self.is_public else self.host.all_headers()
        if self.shape is Shape.PDF:
            headers["Accept"] = "application/pdf"
        if self.method == "POST":
            headers["Content-Type"] = "application/json"
        return headers

    def url(self, **parts: object) -> str:
        """Return the address; *parts*: those of the path, and of the query."""
        path = self.path.format(**{name: quote(str(parts[name]), safe="") for name in self.parts})
        query = "&".join(f"{name}={quote(str(parts[name]), safe='')}" for name in self.query if name in parts)
        return self.host.url(path) + (f"?{query}" if query else "")


CUSTOMER = Endpoint("I1", API, "customer", Shape.OBJECT)
CONTRACT = Endpoint("I2", API, "customer/mobile/{contract}", Shape.OBJECT)
ACCOUNTS = Endpoint("I3", API, "outages/accounts", Shape.ENVELOPE)
CONTRACTS = Endpoint("I4", API, "customer/contract/{bp}", Shape.ENVELOPE, query=("count", "contractNumber"))
CONTRACT_CHECK = Endpoint("I5", API, "customer/checkContract/{contract}/6", Shape.ENVELOPE)
NOTICES = Endpoint(
    "I6", API, "customer/efs", Shape.ENVELOPE, "POST", body=("contractNumber", "processType", "serviceCode")
)
LAST_METER_READING = Endpoint("I7", API, "Device/LastMeterReading/{contract}/{bp}", Shape.ENVELOPE)
DEVICES = Endpoint("I8", API, "Device/{contract}", Shape.LIST)
DEVICE_COUNTERS = Endpoint("I9", API, "Device/{contract}/{device}", Shape.ENVELOPE)
DEVICE_TYPE = Endpoint("I10", API, "Device/type/{bp}/{contract}/false", Shape.ENVELOPE)
METER_IDENTITY = Endpoint("I11", API, "Tenant/Identify/{device}", Shape.ENVELOPE)
METER_KINDS = Endpoint("I12", API, "DeviceIn/{contract}", Shape.OBJECT)
REMOTE_READINGS = Endpoint(
    "I13",
    API,
    "Consumption/RemoteReadingRange/{contract}",
    Shape.OBJECT,
    "POST",
    body=("contractNumber", "fromDate", "resolution", "smartMetersList", "lastInvoiceDate"),
)
SEND_CONSUMPTION_REPORT = Endpoint(
    "I14",
    API,
    "Consumption/SendConsumptionReportToMail/{contract}",
    Shape.VALUE,
    "POST",
    body=("emailAddress", "meterCode", "meterSerial"),
    changes=True,
)
ELECTRIC_BILL = Endpoint("I15", API, "ElectricBillsDrawers/ElectricBills/{contract}/{bp}", Shape.ENVELOPE)
INVOICES = Endpoint("I16", API, "BillingCollection/invoices/{contract}/{bp}", Shape.ENVELOPE, query=("onlyOpen",))
INVOICE_PDF = Endpoint(
    "I17",
    API,
    "BillingCollection/pdf",
    Shape.PDF,
    "POST",
    body=("invoiceNumber", "contractId", "bpNumber"),
)
OUTAGES = Endpoint("I18", API, "outages/transactions/{account}/2", Shape.ENVELOPE)
SOCIAL_DISCOUNT = Endpoint("I19", API, "SocialDiscount/{bp}", Shape.OBJECT)
TIME_OF_USE = Endpoint("I20", API, "calculator/touz/{contract}/{bp}/compatible", Shape.OBJECT)
MOBILITY = Endpoint("I21", API, "Mobility/{contract}/{device}", Shape.ENVELOPE)
DISTRICT_CITIES = Endpoint("D1", API, "District/cities", Shape.ENVELOPE, is_public=True)
DISTRICT_STREETS = Endpoint("D2", API, "District/streets/{city}", Shape.ENVELOPE, is_public=True)
OUTAGE_AT_ADDRESS = Endpoint(
    "D3",
    API,
    "outages/transactionsByAddress",
    Shape.ENVELOPE,
    "POST",
    body=("cityCode", "streetCode", "houseNumber"),
)
MASA_CITIES = Endpoint("M1", MASA, "cities", Shape.COLLECTION)
MASA_PROFILE = Endpoint("M2", MASA, "contacts/userprofile", Shape.OBJECT)
MASA_CONTRACTS = Endpoint("M3", MASA, "contacts/account/0/userprofile", Shape.OBJECT)
MASA_CONNECTIONS = Endpoint("M4", MASA, "contacts/{profile}/contract/{masa_contract}", Shape.OBJECT)
MASA_REMOVE_CONNECTION = Endpoint(
    "M5",
    MASA,
    "connectionbetweencontactandcontract/remove",
    Shape.VALUE,
    "POST",
    body=("Id", "contact", "contract", "primaryContact"),
    changes=True,
)
MASA_CREATE_CONNECTION = Endpoint(
    "M6",
    MASA,
    "connectionbetweencontactandcontract/createconnectionrequest",
    Shape.VALUE,
    "POST",
    body=("contact", "contract"),
    changes=True,
)
MASA_ORDERS = Endpoint("M7", MASA_WA, "api/accounts/{account}/orders/titles", Shape.OBJECT)
MASA_ORDER_CATEGORIES = Endpoint("M8", MASA_WA, "api/orderLookup", Shape.OBJECT)
MASA_VOLTAGE_LEVELS = Endpoint("M9", MASA_WA, "api/voltLevels/active", Shape.COLLECTION)
MASA_EQUIPMENT = Endpoint("M10", MASA_WA, "equipments/get", Shape.OBJECT, query=("accountId", "pageNumber", "pageSize"))
MASA_LOOKUP = Endpoint("M11", MASA_WA, "lookup/all", Shape.OBJECT)
MASA_BUILDING_OPTIONS = Endpoint("M12", MASA_WA, "lookup/newConnection/buildingOptions", Shape.OBJECT)
FAULTS_PROFILE = Endpoint("F1", FAULTS, "contacts/userprofile", Shape.OBJECT)
ACCOUNT_FAULTS = Endpoint("F2", FAULTS, "accounts/{account}/tranzactions/2", Shape.COLLECTION)
FAULTS_OF_ACCOUNTS = Endpoint(
    "F3", FAULTS, "accounts/tranzactions", Shape.OBJECT, "POST", body=("Accounts", "StateCode")
)
TARIFF_PAGE = Endpoint(
    "S1",
    API,
    "content/he-IL/content/tariffs/contentpages/homeelectricitytariff",
    Shape.OBJECT,
    is_public=True,
)
PERIOD_CALCULATOR = Endpoint("S2", API, "content/he-IL/calculators/period", Shape.OBJECT, is_public=True)
GADGET_CALCULATOR = Endpoint("S3", API, "content/he-IL/calculators/gadget", Shape.OBJECT, is_public=True)
ENDPOINTS = {value.id: value for value in tuple(globals().values()) if isinstance(value, Endpoint)}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of an endpoint. data: None when the company says, without an error, that there is nothing."""

    data: Any
    warning: str = ""  # the company's error text about data that it has sent


def read(endpoint: Endpoint, response: Response) -> Answer:
    """
    Return the data of an answer; numbers with a point are Decimal.

    Raises IECError (portal_refused) with the company's code and text, AnswerUnexpected (unexpected_answer) for a page,
    nothing, null or another shape, CompanyDown (portal_down) for 5xx, IECLoginError for an error of OKTA's.
    """
    status, body = response.status, parsed(response)
    where = f"{endpoint.id}, HTTP {status}"
    if (refusal := refused(body, status)) is not None:
        refusal.detail = f"{where}: {refusal.detail}"
        raise refusal
    if endpoint.shape is Shape.VALUE and 200 <= status < 300 and (not isinstance(body, _Nothing) or not response.body):
        return Answer(None if isinstance(body, _Nothing) else body)
    if status >= 400 or isinstance(body, _Nothing):
        text = f"{_phrase(status)}: {body}" if isinstance(body, _Nothing) else _phrase(status)
        kind = CompanyDown if status >= 500 else AnswerUnexpected
        raise _named(kind, status, text, where)
    if status != 200:
        raise _named(AnswerUnexpected, status, f"{_phrase(status)}, where data was due", where)
    if (wrong := misshapen(endpoint.shape, body)) is not None:
        raise _named(AnswerUnexpected, status, wrong, where)
    if endpoint.shape is Shape.COLLECTION:
        return Answer(body["dataCollection"])
    if endpoint.shape is not Shape.ENVELOPE:
        return Answer(body)
    descriptor, data = body["reponseDescriptor"], body.get("data")
    if descriptor.get("isSuccess") is not False:
        return Answer(data)
    code, text = _said(descriptor)
    return Answer(data, f"{where}: Code {code}: {text}".rstrip(": "))  # isSuccess is false, too, with all of the data


def misshapen(shape: Shape, body: Any) -> str | None:
    """Return what is wrong with the shape of a body; None when it is right."""
    if shape is Shape.PDF:
        return "JSON in place of a PDF"
    if shape is Shape.LIST:
        return None if isinstance(body, list) else f"{_kind(body)} in place of a list"
    if not isinstance(body, dict):
        return f"{_kind(body)} in place of an object"
    if shape is Shape.COLLECTION and not isinstance(body.get("dataCollection"), list):
        return "dataCollection is missing"
    if shape is Shape.ENVELOPE and not isinstance(body.get("reponseDescriptor"), dict):
        return "reponseDescriptor is missing"
    return None


def refused(body: Any, status: int) -> IECError | None:
    """Return the error that a body reports, for any status; None when it reports none."""
    if not isinstance(body, dict):
        return None
    kind = CompanyDown if status >= 500 else IECError
    if isinstance(body.get("Error"), str):
        return kind(_code(body.get("Code"), status), _short(body["Error"]))
    if isinstance(body.get("errorSummary"), str):
        return IECLoginError(_code(body.get("errorCode"), status), f"{_phrase(status)}: {_short(body['errorSummary'])}")
    if isinstance(descriptor := body.get("reponseDescriptor"), dict):
        code, text = _said(descriptor)
        if (status >= 400 and (code or text)) or (descriptor.get("isSuccess") is False and is_nothing(body)):
            return kind(code or status, text)
    if status < 400:
        return None
    if isinstance(body.get("error"), str):  # OAuth's
        return IECLoginError(body["error"], _short(str(body.get("error_description") or _phrase(status))))
    return None


def is_nothing(body: dict[str, Any]) -> bool:
    """Return whether an envelope has no data."""
    return body.get("data") in (None, [], {}, "")


class _Nothing(str):
    """A description of a body that is no JSON."""

    __slots__ = ()


def parsed(response: Response) -> Any:
    """Return the JSON of a response, or a _Nothing that describes the body."""
    text = response.body.strip()
    if not text:
        return _Nothing("nothing")
    try:
        body = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except ValueError:  # also of bytes that are no text
        return _Nothing("HTML" if text.lstrip(b"\xef\xbb\xbf").startswith(b"<") else "no JSON")
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _kind(value: Any) -> str:
    if isinstance(value, _Nothing):
        return str(value)
    kinds = {dict: "an object", list: "a list", str: "text", type(None): "null", Decimal: "number"}
    return kinds.get(type(value), type(value).__name__)


def _named(kind: type[IECError], code: int | str, text: str, where: str) -> IECError:
    failure = kind(code, text)
    failure.detail = f"{where}: {failure.detail}"
    return failure


def _said(descriptor: dict[str, Any]) -> tuple[str, str]:
    return str(descriptor.get("code") or ""), _short(str(descriptor.get("description") or ""))


def _code(given: Any, status: int) -> int | str:
    return given if isinstance(given, int | str) and not isinstance(given, bool) and given != "" else status


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
