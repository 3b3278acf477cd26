"""The error matrix: what every odd answer of the company's interface ends in, with its own code and text, and the status."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from scrapers.core.outcomes import OUTCOMES
from scrapers.portals.iec.api import ENDPOINTS, Shape, read
from scrapers.portals.iec.errors import IECError, IECLoginError
from tests.portals.iec.conftest import Household

DESCRIPTOR = {"isSuccess": False, "code": "42", "description": "אין נתונים"}
NOT_YOURS = "Contract is not associated with you."
SUMMARY = "Invalid token provided"


@dataclass(frozen=True)
class Odd:
    """An odd answer, and what becomes of it: outcome, code, text; None where it is data."""

    status: int
    body: Any
    outcome: str | None = None
    code: Any = None
    text: str = ""


def error(text: str, code: Any, **more: Any) -> dict[str, Any]:
    return {"Error": text, "Code": code, **more}


# By the name that the sandbox has for it, where it has one. Every row of the company's known answers is here.
ODD = {
    "data-null-failure": Odd(
        200, {"data": None, "reponseDescriptor": DESCRIPTOR}, "portal_refused", "42", "אין נתונים"
    ),
    "data-empty-failure": Odd(200, {"data": [], "reponseDescriptor": DESCRIPTOR}, "portal_refused", "42", "אין נתונים"),
    "envelope-missing": Odd(200, {"some": 1}, "unexpected_answer", 200, "reponseDescriptor is missing"),
    "descriptor-missing": Odd(200, {"data": {"a": 1}}, "unexpected_answer", 200, "reponseDescriptor is missing"),
    "empty-object-200": Odd(200, {}, "unexpected_answer", 200, "reponseDescriptor is missing"),
    "empty-200": Odd(200, "", "unexpected_answer", 200, "OK: nothing"),
    "null-200": Odd(200, None, "unexpected_answer", 200, "null in place of an object"),
    "broken-json": Odd(200, '{"data": [', "unexpected_answer", 200, "OK: no JSON"),
    "html-200": Odd(200, "<h1>Sorry</h1>", "unexpected_answer", 200, "OK: HTML"),
    "html-403": Odd(403, "<h1>Blocked</h1>", "unexpected_answer", 403, "Forbidden: HTML"),
    "204": Odd(204, "", "unexpected_answer", 204, "No Content: nothing"),
    "201-null": Odd(201, None, "unexpected_answer", 201, "Created, where data was due"),
    "201-string": Odd(201, "created", "unexpected_answer", 201, "Created, where data was due"),
    "error-rid": Odd(401, error(NOT_YOURS, 401, Rid="r"), "portal_refused", 401, NOT_YOURS),
    "error-not-allowed": Odd(
        401, error("You're not authorized to this action!", 401, Rid="r"), "portal_refused", 401, "not authorized"
    ),
    "error-no-rid": Odd(400, error("Token should be provide", 400), "portal_refused", 400, "Token should be provide"),
    "error-no-code": Odd(400, {"Error": "Contract number is required"}, "portal_refused", 400, "number is required"),
    "error-200": Odd(200, error("Contract number is required", 400), "portal_refused", 400, "number is required"),
    "error-500-rid": Odd(
        500, error("Something went wrong please try again!", 500, Rid="r"), "portal_down", 500, "Something went wrong"
    ),
    "descriptor-4xx": Odd(400, {"data": None, "reponseDescriptor": DESCRIPTOR}, "portal_refused", "42", "אין נתונים"),
    "descriptor-5xx": Odd(500, {"data": None, "reponseDescriptor": DESCRIPTOR}, "portal_down", "42", "אין נתונים"),
    "okta-error": Odd(
        403,
        {"errorCode": "E0000011", "errorSummary": SUMMARY, "errorId": "oae", "errorCauses": []},
        "portal_refused",
        "E0000011",
        f"Forbidden: {SUMMARY}",
    ),
    "oauth-error": Odd(
        400,
        {"error": "invalid_grant", "error_description": "The refresh token is invalid or expired."},
        "portal_refused",
        "invalid_grant",
        "The refresh token is invalid or expired.",
    ),
    "other-json-4xx": Odd(404, {"message": "No HTTP resource"}, "unexpected_answer", 404, "Not Found"),
    "empty-object-4xx": Odd(400, {}, "unexpected_answer", 400, "Bad Request"),
    "empty-4xx": Odd(400, "", "unexpected_answer", 400, "Bad Request: nothing"),
    "html-500": Odd(500, "<h1>500</h1>", "portal_down", 500, "Internal Server Error: HTML"),
    "empty-5xx": Odd(503, "", "portal_down", 503, "Service Unavailable: nothing"),
    "data-null-success": Odd(200, {"data": None, "reponseDescriptor": {"isSuccess": True, "code": "0"}}),
    "data-with-failure": Odd(200, {"data": {"a": 1}, "reponseDescriptor": DESCRIPTOR}),
}
# What means the same at every address, whatever it should answer.
ANYWHERE = [
    name
    for name, odd in ODD.items()
    if odd.status >= 400 or name in ("empty-200", "broken-json", "html-200", "204", "error-200")
]
GOOD = {
    Shape.OBJECT: {"a": 1},
    Shape.LIST: [{"a": 1}],
    Shape.ENVELOPE: {"data": {"a": 1}, "reponseDescriptor": {"isSuccess": True, "code": "00", "description": ""}},
    Shape.COLLECTION: {"dataCollection": [{"a": 1}]},
    Shape.VALUE: True,
}


def answer(odd: Odd) -> Response:
    text = odd.body if isinstance(odd.body, str) and odd.body != "created" else json.dumps(odd.body)
    kind = HtmlResponse if text.startswith("<") else TextResponse
    return kind("https://iec.example/x", status=odd.status, body=text.encode(), encoding="utf-8")


def refusal(endpoint: str, odd: Odd) -> IECError:
    with pytest.raises(IECError) as caught:
        read(ENDPOINTS[endpoint], answer(odd))
    return caught.value


@pytest.mark.parametrize("name", [name for name, odd in ODD.items() if odd.outcome])
def test_an_odd_answer_in_place_of_an_envelope(name):
    odd = ODD[name]
    failure = refusal("I5", odd)
    assert (failure.outcome.code, failure.error_code) == (odd.outcome, odd.code)
    assert odd.text in failure.error
    assert f"I5, HTTP {odd.status}: Code {odd.code}: " in failure.detail
    assert isinstance(failure, IECLoginError) is (name in ("okta-error", "oauth-error"))
    assert issubclass(IECLoginError, IECError)


@pytest.mark.parametrize("endpoint", ["I1", "I8", "I13", "M1", "M5", "M11", "I17", "F2", "S1"])
def test_errors_mean_the_same_at_every_address(endpoint):
    for name in ANYWHERE:
        odd = ODD[name]
        if ENDPOINTS[endpoint].shape is Shape.VALUE and name in ("204", "empty-200"):
            assert read(ENDPOINTS[endpoint], answer(odd)).data is None  # what only changes something may answer nothing
            continue
        failure = refusal(endpoint, odd)
        assert (name, failure.outcome.code, failure.error_code) == (name, odd.outcome, odd.code)


@pytest.mark.parametrize(
    ("endpoint", "body", "text"),
    [
        ("I1", None, "null in place of an object"),
        ("I1", [], "a list in place of an object"),
        ("I8", {"a": 1}, "an object in place of a list"),
        ("I8", None, "null in place of a list"),
        ("M1", {"data": []}, "dataCollection is missing"),
        ("M1", {"dataCollection": None}, "dataCollection is missing"),
        ("I17", {"a": 1}, "JSON in place of a PDF"),
        ("I4", "text", "text in place of an object"),
    ],
)
def test_another_shape_is_told_with_the_status(endpoint, body, text):
    failure = refusal(endpoint, Odd(200, json.dumps(body)))
    assert (failure.outcome.code, failure.error_code, failure.error) == ("unexpected_answer", 200, text)


def test_what_is_data():
    for endpoint in ENDPOINTS.values():
        if endpoint.shape in GOOD:
            assert read(endpoint, answer(Odd(200, GOOD[endpoint.shape]))).warning == ""
    assert read(ENDPOINTS["I5"], answer(ODD["data-null-success"])).data is None
    told = read(ENDPOINTS["I5"], answer(ODD["data-with-failure"]))
    assert told.data == {"a": 1}
    assert told.warning == "I5, HTTP 200: Code 42: אין נתונים"
    assert read(ENDPOINTS["M5"], answer(Odd(201, None))).data is None
    assert read(ENDPOINTS["M6"], answer(Odd(201, "created"))).data == "created"
    assert read(ENDPOINTS["I14"], answer(Odd(200, False))).data is False


# --- Through the real crawl -------------------------------------------------------------------------------------------

# What iec_account asks of a contract, and where. Each gets another odd answer in the same crawl.
ASKED = {
    "I5": r"/api/customer/checkContract/.*",
    "I6": r"/api/customer/efs",
    "I10": r"/api/Device/type/.*",
    "I20": r"/api/calculator/touz/.*",
    "I9": r"/api/Device/[0-9]+/[0-9]+",
    "I11": r"/api/Tenant/Identify/.*",
    "I21": r"/api/Mobility/.*",
    "I19": r"/api/SocialDiscount/.*",
    "I3": r"/api/outages/accounts",
}
BARE = {"I19", "I20"}
# 401 of OKTA's means that nobody is signed in: it is tried with a status that says something else.
IN_A_CRAWL = [name for name in ODD if name not in ("error-no-code", "error-200", "oauth-error")]
FIXED = [
    dict(zip(ASKED, IN_A_CRAWL[at : at + len(ASKED)], strict=False)) for at in range(0, len(IN_A_CRAWL), len(ASKED))
]


def expected(endpoint: str, name: str) -> Odd | None:
    """Return what becomes of an answer at an endpoint, where the table above says it of an envelope; None: of a bare one."""
    odd = ODD[name]
    if endpoint in BARE and name in (
        "envelope-missing",
        "descriptor-missing",
        "empty-object-200",
        "data-null-success",
        "data-with-failure",
    ):
        return None
    return odd


def odd_answers(household: Household, turns: list[dict[str, str]]) -> str:
    """Crawl once for each turn, in which every endpoint gets an odd answer of its own; return what was said."""
    household.sign_in("ok")
    household.admin.configure(
        answers=[
            {"path": ASKED[endpoint], "answer": name, "ordinals": [turn]}
            | ({"status": 403} if name == "okta-error" else {})
            for turn, cells in enumerate(turns, 1)
            for endpoint, name in cells.items()
        ]
    )
    crawl = ("iec_account", {"contract": household.active[0]})
    # Without retries every endpoint is asked once in each turn.
    return household.crawl_all(*[crawl] * len(turns), RETRY_TIMES="0", DOWNLOAD_TIMEOUT="3")


def check(household: Household, cells: dict[str, str], said: str, outcome: str) -> None:
    """See that each cell ended in its outcome, and the run in the worst."""
    worst = []
    for endpoint, name in cells.items():
        odd = expected(endpoint, name)
        if odd is None:
            continue
        where = f"{endpoint}, HTTP {odd.status}: Code {odd.code}: "
        if odd.outcome is None:
            # There is nothing, or there is data and an objection to it.
            assert name == "data-null-success" or f"{endpoint}, HTTP 200: Code 26: לא חד ערכי" in said
            continue
        worst.append(odd.outcome)
        assert f"{OUTCOMES[odd.outcome].sentence} {where}" in said, (endpoint, name, said)
        assert odd.text in said
    assert OUTCOMES[outcome].exit_code >= max(OUTCOMES[each].exit_code for each in worst)
    assert outcome != "unexpected_error"


def test_a_sample_of_odd_answers_in_crawls(household):
    """Every odd answer once, at one endpoint or another; and a portal that does not answer at all."""
    silent = {"I5": "timeout", "I6": "drop", "I10": "cut"}
    said = odd_answers(household, [*FIXED, silent])
    for cells, outcome in zip(FIXED, household.outcomes, strict=False):
        check(household, cells, said, outcome)
    assert household.outcomes[-1] == "portal_down"
    for what in ("DownloadTimeoutError", "DownloadFailedError"):
        assert re.search(rf"{OUTCOMES['portal_down'].sentence} http\S+: {what}", said), said
    assert "was cut short" in said
    # What nothing is wrong with is stored all the same.
    assert household.value("SELECT count(*) FROM electricity_contracts") == 1
    assert household.value("SELECT count(*) FROM electricity_devices") == 1


@pytest.mark.matrix
@pytest.mark.parametrize("turn", range(len(IN_A_CRAWL)))
def test_every_odd_answer_at_every_endpoint(household, turn):
    """As many crawls as there are odd answers: in each, every endpoint gets another one."""
    names = [IN_A_CRAWL[(turn + step) % len(IN_A_CRAWL)] for step in range(len(ASKED))]
    cells = dict(zip(ASKED, names, strict=True))
    said = odd_answers(household, [cells])
    check(household, cells, said, household.outcomes[0])


@pytest.mark.matrix
def test_errors_of_the_servers_are_asked_for_again(household):
    """Four times in all; one that passes leaves no trace."""
    household.sign_in("ok")
    passing = {"path": ASKED["I6"], "answer": "empty-5xx", "ordinals": [1, 2]}
    household.admin.configure(answers=[{"path": ASKED["I5"], "answer": "error-500-rid"}, passing])
    household.crawl("iec_account", f"contract={household.active[0]}")
    counted = household.admin.counters()["endpoints"]
    assert (household.outcomes, counted["I5"], counted["I6"]) == (["portal_down"], 4, 3)
