"""What the sheet knows of the electric company is in its answers, and no seed changes it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox import running
from sandbox.iec import id_number
from sandbox.iec.app import ENDPOINTS, ERRORS, MOMENTS
from sandbox.iec.people import entity
from sandbox.iec.places import CITY, STREETS, city_id
from sandbox.jsons import UNSET, Shape
from sandbox.known import KINDS, known_of
from sandbox.perturb import Perturbation
from tests.project import ROOT
from tests.sandbox.test_iec import TODAY, Resident, fields

KNOWN = known_of("iec")
NUMBER = id_number("ok", 4711)
JERUSALEM = ZoneInfo("Asia/Jerusalem")
KEYS = frozenset().union(*(KNOWN.of(kind) for kind in ("key", "optional", "sequence", "map")))
UNCALLED = ("I14", "I17", "M5", "M6")  # they send or change something, or answer with no object


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("iec"), ("iec",)) as sandbox:
        sandbox.admin["iec"].configure(code_interval_seconds=0)
        yield sandbox


@pytest.fixture(scope="module")
def resident(served):
    """Give a customer who has signed in before anything is changed."""
    return Resident(served.origins["iec"], served.admin["iec"], NUMBER).signed_in()


def asked(resident: Resident) -> Iterator[tuple[str, Any]]:
    """Ask every call; give its id and answer."""
    who = resident.person
    house = who.contracts[0]
    parts = {"bp": house.bp, "contract": house.number, "device": house.serial, "kind": "6", "language": "he-IL"}
    parts |= {"account": who.account(house.bp), "profile": who.contact, "city": city_id(CITY)}
    meter = {"meterKind": "Consumption", "meterCode": house.code, "meterSerial": house.serial}
    bodies = {
        "I6": {"contractNumber": house.number, "processType": 1},
        "I13": {"contractNumber": house.number, "fromDate": "2026-10-23", "resolution": 1, "smartMetersList": [meter]}
        | {"lastInvoiceDate": str(TODAY)},
        "F3": {"Accounts": [parts["account"]], "StateCode": 0},
        "D3": {
            "cityCode": city_id(CITY),
            "streetCode": entity(f"street {CITY} {list(STREETS)[1]}"),
            "houseNumber": "1",
        },
    }
    for endpoint in ENDPOINTS:
        if endpoint.id not in UNCALLED:
            path = endpoint.path.format(**(parts | ({"contract": house.masa} if endpoint.id == "M4" else {})))
            query = f"?accountId={parts['account']}&pageNumber=1&pageSize=10" if endpoint.id == "M10" else ""
            headers = {"RecaptchaToken": "captcha-passed"} if endpoint.id == "I12" else {}
            yield endpoint.id, resident.ask(path + query, bodies.get(endpoint.id), endpoint.origin, **headers).json


def signed_in(resident: Resident) -> Iterator[tuple[str, Any]]:
    """Sign in step by step, with two mistakes; give each answer."""
    begun = resident.begin().json
    yield "authn", begun
    factor, state = (
        next(one["id"] for one in begun["_embedded"]["factors"] if "@sns" in one["profile"]["email"]),
        begun["stateToken"],
    )
    yield "sent", resident.verify(factor, state).json
    code = resident.code()
    yield "wrong", resident.verify(factor, state, passCode="1" * 6 if code != "1" * 6 else "2" * 6).json
    passed = resident.verify(factor, state, passCode=code).json
    yield "passed", passed
    form = resident.authorize(passed["sessionToken"])
    yield "form", fields(form)
    yield "tokens", resident.exchange(fields(form)["code"]).json
    yield "dead", resident.refresh("nothing").json
    yield "refused", fields(resident.authorize("nothing"))


@pytest.fixture(scope="module")
def answers(resident):
    """Give all answers while nothing is changed."""
    return dict([*asked(resident), *signed_in(resident)])


def texts(told: Any) -> Iterator[str]:
    """Give all texts of an answer; what is encoded as cells are, in clear."""
    if isinstance(told, dict):
        for key, value in told.items():
            encoded = key in ("value", "text") and isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9+/]+=*", value)
            yield from texts(
                base64.b64decode(value).decode() if encoded and len(value) % 4 == 0 and len(value) > 4 else value
            )
    elif isinstance(told, list):
        for value in told:
            yield from texts(value)
    elif isinstance(told, str):
        yield told


def keys(told: Any) -> Iterator[str]:
    """Give all keys of an answer."""
    for value in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from keys(value)
    if isinstance(told, dict):
        yield from told


def settled(told: Any, key: str = "") -> Any:
    """Return what an answer says: known keys, moments as instants, lists in one order unless theirs is known."""
    if isinstance(told, dict):
        said = {name: settled(value, name) for name, value in told.items() if name in KEYS or key in KNOWN.of("map")}
        if said.get("isSuccess"):
            said |= {"code": said["code"] if said["code"] == "26" else None, "description": None}
        return {name: value for name, value in said.items() if value is not None or name not in KNOWN.of("optional")}
    if isinstance(told, list):
        entries = [settled(value, key) for value in told]
        return (
            entries
            if key in KNOWN.of("sequence")
            else sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
        )
    if isinstance(told, str) and told.startswith(UNSET):
        return UNSET
    if isinstance(told, str) and re.match(r"\d{4}-\d\d-\d\dT", told):
        told = re.sub(r"\.0+", "", told)
        moment = datetime.fromisoformat(told)
        if key in MOMENTS:
            return (moment if moment.tzinfo else moment.replace(tzinfo=JERUSALEM)).astimezone(UTC).isoformat()
        return told
    return float(told) if isinstance(told, int) and not isinstance(told, bool) else told


def test_every_fact_has_a_kind_and_a_section():
    for fact in KNOWN.facts:
        assert fact.kind in KINDS
        assert re.fullmatch(r"[0-9]\.[0-9]|3", fact.section), fact
        assert fact.value


def test_what_is_listed_is_in_the_imitation(answers):
    seen = {key for answer in answers.values() for key in keys(answer)}
    assert KNOWN.of("key") | KNOWN.of("optional") | KNOWN.of("sequence") | KNOWN.of("map") <= seen | {
        "Error",
        "Code",
        "Rid",
    }
    said = [*(text for answer in answers.values() for text in texts(answer))]
    for words in KNOWN.of("contained") - {"Last Invoice date older than 122"}:
        assert any(words in text for text in said), words
    fields_seen = {*answers["form"], *answers["refused"]}
    assert KNOWN.of("name") <= fields_seen
    served = {endpoint.path for endpoint in ENDPOINTS}
    assert {path for path in KNOWN.of("address") if not path.startswith(("/api/v1", "/oauth2"))} <= served


def test_what_is_listed_as_sent_is_what_requests_of_the_imitation_have():
    """Each is looked for by the imitation, or in a request of the tests of it."""
    modules = [path for path in (ROOT / "sandbox" / "iec").glob("*.py") if path.name != "known.py"]
    read = "".join(path.read_text() for path in (*modules, *(ROOT / "tests" / "sandbox").glob("*iec*.py")))
    assert {key for key in KNOWN.of("sent") if not re.search(rf"\b{key}\b", read)} == set()


def test_every_key_of_the_imitation_is_the_sheets(answers):
    """What is not is ours by accident, and no spider may need it."""
    own = {
        key for name, answer in answers.items() if name not in ("S2", "form", "refused") for key in keys(answer)
    } - KEYS
    assert own == {"factorResult", "user", "passwordChanged", "profile", "login", "locale", "timeZone"} - KEYS


def compare(answers: dict[str, Any], perturbation: Perturbation) -> None:
    """Change all answers; what they say of known keys is the same."""
    for name, answer in answers.items():
        times = () if name in ("authn", "sent", "wrong", "passed", "tokens", "dead") else MOMENTS
        changed = Shape(perturbation, KNOWN, "Asia/Jerusalem", times).changed(answer)
        assert settled(changed) == settled(answer), name


@pytest.mark.parametrize("seed", range(12))
def test_no_seed_changes_what_is_known(answers, seed):
    compare(answers, Perturbation.of(seed))


@pytest.mark.parametrize("dimension", ["json", "order", "notations"])
def test_no_dimension_changes_what_is_known(answers, dimension):
    compare(answers, Perturbation.of(5, [dimension]))
    changed = [Shape(Perturbation.of(5, [dimension]), KNOWN).changed(answer) for answer in answers.values()]
    assert json.dumps(changed) != json.dumps(list(answers.values()))


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(12, 200))
def test_no_seed_of_many_changes_what_is_known(answers, seed):
    compare(answers, Perturbation.of(seed))


@pytest.mark.parametrize("seed", [3, 11])
def test_the_tags_that_the_configuration_gives_a_customer_change_the_answers(answers, resident, seed):
    """The same calls over HTTP: others see nothing of it."""
    resident.admin.configure(users={NUMBER: [f"perturb-{seed}"]})
    try:
        changed = dict(asked(resident))
    finally:
        resident.admin.configure(users={})
    for name, answer in changed.items():
        if not name.startswith("S1"):
            assert settled(answer) == settled(answers[name]), name
    assert json.dumps(changed["I4"]) != json.dumps(answers["I4"])
    assert "etag" in json.dumps(changed) or "idOld" in json.dumps(changed)


@pytest.mark.parametrize("seed", range(6))
def test_a_sign_in_goes_on_under_every_seed(resident, seed):
    resident.admin.configure(users={NUMBER: [f"perturb-{seed}"]})
    try:
        told = dict(signed_in(Resident(resident.urls, resident.admin, NUMBER)))
    finally:
        resident.admin.configure(users={})
    assert told["passed"]["status"] == "SUCCESS"
    assert told["tokens"]["id_token"]
    assert told["wrong"]["errorCode"] == "E0000068"
    assert told["wrong"]["errorSummary"] == "Invalid Passcode/Answer"
    assert told["refused"]["error"] == "login_required"


@pytest.mark.parametrize("seed", range(12))
def test_tariffs_keep_their_columns_and_the_words_of_their_rows(resident, seed):
    """Each price is in the row, or under the head, that says what it is."""
    path = next(endpoint.path for endpoint in ENDPOINTS if endpoint.id == "S1").format(language="he-IL")
    resident.admin.perturb(seed)
    try:
        page = resident.ask(path).json
    finally:
        resident.admin.perturb(None)
    found = {}
    for component in page["components"]:
        rows = [
            [re.sub(r"<[^>]*>", "", base64.b64decode(cell["value"]).decode()) for cell in row]
            for row in component.get("table", ())
        ]
        for label, without, including in rows[1:]:
            found[rows[0][0], label] = (without, including)
    for words, prices in {
        ("חלוקה", "חד"): ("12.00", "14.16"),
        ("חלוקה", "תלת"): ("13.50", "15.93"),
        ("אספקה", "חד"): ("9.00", "10.62"),
        ("אספקה", "תלת"): ("12.50", "14.75"),
        ("KVA",): ("5.19", "6.12"),
    }.items():
        matching = [said for place, said in found.items() if all(word in " ".join(place) for word in words)]
        assert matching == [prices], words


def test_words_of_errors_that_are_not_known_change_and_known_ones_stay(resident):
    house = resident.person.contracts[0]
    strange, foreign = f"/api/Device/{house.number}/11111111", "/api/Device/999999999"
    resident.admin.configure(users={NUMBER: ["perturb-7-words"]})
    try:
        assert resident.ask(strange).json["Error"] in ERRORS
        assert resident.ask(foreign).json["Error"] == "Contract is not associated with you."
    finally:
        resident.admin.configure(users={})
    assert resident.ask(strange).json["Error"] == "Device is not associated with the contract"
