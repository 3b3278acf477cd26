"""What is said of the API is true: its OpenAPI document, and the examples of docs/api.md."""

from __future__ import annotations

import argparse
import pkgutil
import re
import shlex
from collections import Counter
from importlib import import_module
from string import Template

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

import webhook
from tests.project import ROOT
from tests.webhook.conftest import READER
from webhook.api.checking import Checker

PAGE = (ROOT / "docs" / "api.md").read_text()
SEED = """
    POST /auth/register/start, POST /auth/register/verify-email, POST /auth/register/verify-phone, POST /auth/login/start,
    POST /auth/login/verify, POST /auth/logout, GET /me, POST /me/watchlist-items, GET /me/watchlist-items,
    PATCH /me/watchlist-items/{item_id}, DELETE /me/watchlist-items/{item_id}, POST /me/watchlist-items/{item_id}/check,
    GET /me/watchlist-items/{item_id}/runs, GET /health, GET /ready, POST /users, GET /users,
    POST /users/{user_id}/watchlist-items, GET /users/{user_id}/watchlist-items, PATCH /watchlist-items/{item_id},
    DELETE /watchlist-items/{item_id}, POST /watchlist-items/{item_id}/check, GET /watchlist-items/{item_id}/runs
"""


def test_the_openapi_document_is_valid_and_has_every_route(make_api):
    api = make_api(legacy_routes=True)
    document = api.client().get("/docs/openapi.json", headers=READER).get_json()
    OpenAPIV31SpecValidator(document).validate()
    routes = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert {route.strip() for route in SEED.split(",")} <= routes
    for path, methods in document["paths"].items():
        for method, facts in methods.items():
            assert facts["summary"], (method, path)
            if "{" in path:
                assert "404" in facts["responses"], (method, path)
            if path.startswith("/me"):
                assert facts["security"] == [{"bearer": []}, {"cookie": []}]
                assert "401" in facts["responses"]


def curl(line):
    """Return method, path, headers and body of a command line, and the status that its comment names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("--json")
    parser.add_argument("url")
    command, _, status = line.rpartition("  # ")
    program, *words = shlex.split(command)
    assert program == "curl"
    given = parser.parse_args(words)
    headers = dict(header.split(": ", 1) for header in given.headers)
    if given.json is not None:
        headers["Content-Type"] = "application/json"
    return given.method or ("GET" if given.json is None else "POST"), given.url, headers, given.json, int(status)


def test_the_examples_do_what_the_page_says(make_api, sqlite):
    api = make_api(auth_dev_mode=True, mail={}, checker=Checker(sqlite, 0, start=lambda portal: None))
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()]
    assert len(lines) == 24
    known = {"API": ""}
    for line in lines:
        # Within single quotes a shell replaces nothing, and no example has a variable there.
        method, url, headers, body, status = curl(Template(line).substitute(known))
        answer = api.client().open(url, method=method, headers=headers, data=body)
        assert answer.status_code == status, (line, answer.get_data(as_text=True))
        said = answer.get_json(silent=True)
        if isinstance(said, dict):
            known |= {"CODE": said["dev_code"]} if said.get("dev_code") else {}
            known |= {"TOKEN": said["access_token"]} if "access_token" in said else {}
            known |= {"ITEM": said["id"]} if "product_url" in said else {}
            known |= {"CHANNEL": said["id"]} if "service" in said else {}


@pytest.mark.parametrize(
    "kind", ["below_threshold", "new_lowest", "back_in_stock", "gone", "drop", "any_change", "failing"]
)
def test_kinds_of_alerts_are_in_the_document(api, kind):
    document = api.client().get("/docs/openapi.json", headers=READER).get_json()
    assert kind in document["components"]["schemas"]["AlertKind"]["enum"]


def test_errors_are_documented_in_the_form_in_which_they_are_answered(make_api):
    """Problems by their content type, and those of other routes under another name; an error is no list of errors."""
    document = make_api(legacy_routes=True).client().get("/docs/openapi.json", headers=READER).get_json()
    assert set(document["components"]["schemas"]["Problem"]["required"]) == {"title", "status", "detail"}
    assert document["components"]["schemas"]["Refusal"]["required"] == ["error"]
    for path, methods in document["paths"].items():
        for method, facts in methods.items():
            for status, response in facts["responses"].items():
                for kind, said in (response.get("content") or {}).items():
                    name = said["schema"].get("$ref", "").rpartition("/")[2]
                    assert (kind == "application/problem+json") == (name in ("Problem", "InvalidFields")), (
                        method,
                        path,
                    )
                    assert int(status) < 400 or said["schema"].get("type") != "array", (method, path)


@pytest.mark.parametrize(
    ("path", "field", "form"),
    [("/auth/register/start", "email", "ana@example.com"), ("/auth/register/start", "phone_number", "+12015550100")],
)
def test_forms_that_are_refused_otherwise_are_in_the_document(api, path, field, form):
    document = api.client().get("/docs/openapi.json", headers=READER).get_json()
    name = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition(
        "/"
    )[2]
    pattern = document["components"]["schemas"][name]["properties"][field]["pattern"]
    assert re.search(pattern, form)
    assert not re.search(pattern, "0" * 31)


def test_each_model_has_a_name_of_its_own():
    """The document knows schemas by the names of their models alone: of two, each route would show the later one."""
    for module in pkgutil.walk_packages(webhook.__path__, "webhook."):
        import_module(module.name)
    found, rest = set(), [BaseModel]
    while rest:
        rest += (under := rest.pop().__subclasses__())
        found |= {each for each in under if each.__module__.startswith("webhook.") and "[" not in each.__name__}
    assert len(found) > 50
    assert [name for name, count in Counter(each.__name__ for each in found).items() if count > 1] == []
