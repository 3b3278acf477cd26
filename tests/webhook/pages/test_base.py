"""What all pages have in common: who is let in, what browsers may do with them, messages, errors, static files."""

from __future__ import annotations

import hashlib
import re
import tomllib

import pytest
from sqlalchemy.exc import OperationalError

from database.engine import DatabaseAway
from tests.project import ROOT
from tests.webhook.api.conftest import BEN
from tests.webhook.pages.conftest import Visitor, words
from webhook.access import Caller
from webhook.pages.base import STATIC

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ABSENT = "00000000-0000-4000-8000-000000000001"
FOLDERS = (STATIC / "vendor", ROOT / "tests" / "webhook" / "pages" / "axe")


def rules(api):
    """Return the routes of pages: method, path with 1 for each number and an id for each row, and view."""
    for rule in api.app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in ("pages", "prices", "telegram"):
            path = re.sub(r"<[^>]*>", "1", re.sub(r"<uuid:[^>]*>", ABSENT, rule.rule))
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield method, path, api.app.view_functions[rule.endpoint]


def test_every_page_states_who_may_see_it(api):
    views = [view for _, _, view in rules(api)]
    assert len(views) > 30
    for view in views:
        assert view.callers in ({Caller.ANYONE}, {Caller.USER}), view


def test_a_page_that_states_nothing_is_shown_to_nobody(make_api):
    api = make_api()
    api.app.add_url_rule("/prices/silent", view_func=lambda: "seen", endpoint="silent")
    visitor = Visitor(api)
    assert visitor.client.get("/prices/silent").headers["Location"] == "/prices/sign-in"
    visitor.signed_in()
    assert visitor.client.get("/prices/silent").headers["Location"] == "/prices/sign-in"


def test_pages_of_users_lead_visitors_to_the_sign_in(visitor):
    for method, path, view in rules(visitor.api):
        if view.callers == {Caller.USER}:
            visitor.open("/prices/sign-in")
            answer = visitor.client.open(path, method=method, data=visitor.hidden)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/prices/sign-in"), path
    assert words(visitor.open("/prices/items")).startswith("Sign in first.")
    part = visitor.client.get("/prices/items", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (200, "/prices/sign-in")


def test_what_browsers_may_do_with_a_page(ana):
    answers = [ana.client.get(path) for path in ("/prices/items", "/prices/nothing", "/static/pages.css", "/")]
    for answer in answers:
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Frame-Options"] == "DENY"
    assert answers[0].headers["Cache-Control"] == "no-store"


def test_no_page_has_a_script_or_style_in_it(ana):
    """The policy forbids them: they would do nothing."""
    item = ana.item()
    ana.read(item, 12)
    ana.read(item, 11)
    for path in ("items", "items/new", f"items/{item}", f"items/{item}/edit", "alerts", "sessions", "account"):
        text = ana.open(f"/prices/{path}").text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on|hx-vals=.js|<script(?![^>]* src=)", text), (
            path
        )
        assert all(
            src.startswith("/static/") for src in re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', text)
        )


# Forms


def test_a_form_without_its_token_is_refused(ana):
    item = ana.item()
    paths = [path.replace("/items/1", f"/items/{item}") for method, path, _ in rules(ana.api) if method == "POST"]
    assert len(paths) > 15
    for path in paths:
        for token in ({}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": "é"}):
            answer = ana.client.post(path, data=token)
            assert answer.status_code == 403, path
    assert "The form is out of date" in words(answer)
    assert ana.open(f"/prices/items/{item}").status_code == 200


def test_the_token_of_another_user_is_refused(ana):
    ben = Visitor(ana.api).signed_in(BEN)
    assert ana.client.post("/prices/sign-out", data=ben.hidden).status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}])  # fmt: skip
def test_a_form_of_another_site_is_refused_even_with_the_token(ana, headers):
    answer = ana.client.post("/prices/sign-out", data=ana.hidden, headers=headers)
    assert (answer.status_code, "another site" in answer.text) == (403, True)
    assert ana.open("/prices/items").status_code == 200


def test_a_visitor_has_a_token_of_their_own(api):
    first, second = Visitor(api), Visitor(api)
    cookie = first.client.get("/prices/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("pb_session_visit=")
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    first.open("/prices/sign-in")
    second.open("/prices/sign-in")
    assert first.hidden["form_token"] != second.hidden["form_token"]
    assert second.client.post("/prices/sign-in", data=first.hidden).status_code == 403


def test_cookies_are_as_the_settings_say(make_api):
    api = make_api(auth_cookie_secure=True, auth_cookie_name="watch")
    cookie = api.client().get("/prices/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("watch_visit=")
    assert "Secure" in cookie.split("; ")


# Messages and errors


def test_a_message_is_shown_once(ana):
    assert words(ana.send("/prices/sign-out")).startswith("You are signed out.")
    assert "You are signed out." not in words(ana.open("/prices/sign-in"))


def test_a_message_is_one_of_ours(visitor):
    visitor.client.set_cookie("pb_session_message", "<b>Send your code to evil.example</b>")
    assert "evil" not in visitor.open("/prices/sign-in").text


def test_errors_are_pages_for_pages_and_json_for_programs(ana):
    answer = ana.client.get("/prices/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert words(answer) == "Not Found There is no such page. To the first page"
    assert ana.client.get("/me/nothing").mimetype == "application/problem+json"
    assert ana.client.get("/nothing").mimetype == "application/json"
    wrong = ana.client.get("/prices/sign-out")
    assert (wrong.status_code, set(wrong.headers["Allow"].split(", "))) == (405, {"POST", "OPTIONS"})
    assert "begin again" in words(wrong)
    large = ana.client.post("/prices/items/new", data={**ana.hidden, "product_url": "x" * 70_000})
    assert (large.status_code, "more than a form may hold" in words(large)) == (413, True)
    part = ana.client.get("/prices/items/77", headers={"HX-Request": "true"})
    assert (part.status_code, part.text) == (404, '<p class="bad" role="alert">There is no such item.</p>')


def test_too_many_requests_are_told_when_to_come_back(make_api):
    api = make_api(user_rate="3 per minute")  # the first is that of `signed_in`
    visitor = Visitor(api)
    visitor.signed_in()
    answers = [visitor.client.get("/prices/items") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 61
    assert answers[2].mimetype == "text/html"


def test_a_database_that_is_away_is_a_sentence(ana, monkeypatch):
    def away():
        raise DatabaseAway("The database does not answer.") from OperationalError("", {}, Exception())

    monkeypatch.setattr(ana.api.db.db, "transaction", away)
    answer = ana.client.get("/prices/items")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "try again later" in words(answer)


def test_without_price_watch_and_control_room_there_are_no_pages(make_api):
    client = make_api(price_watch=False, control_room=False).client()
    for path in ("/", "/prices/sign-in", "/static/pages.css"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "application/json")


def test_pages_are_not_in_the_documentation_of_the_api(api):
    assert not [path for path in api.app.api_doc["paths"] if path.startswith(("/prices", "/static"))]


# Static files


def test_static_files(visitor):
    text = visitor.open("/prices/sign-in").text
    addresses = re.findall(r'"(/static/[^"]*)"', text)
    assert len(addresses) == 4
    for address in addresses:
        answer = visitor.client.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        assert answer.mimetype in ("text/css", "text/javascript")
    for path in ("/static/../base.py", "/static/%2e%2e/base.py", "/static/vendor", "/static/nothing.js"):
        assert visitor.client.get(path).status_code == 404


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_vendored_files_are_those_that_are_listed(folder):
    listed = (folder / "VENDORED.txt").read_text()
    files = [path for path in folder.iterdir() if path.suffix in (".js", ".css")]
    assert files
    for path in files:
        assert path.name in listed
        assert hashlib.sha256(path.read_bytes()).hexdigest() in listed


def test_templates_and_static_files_are_in_the_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["*"]
    kinds = {path.suffix for path in STATIC.parent.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {f"*{kind}" for kind in kinds - {".py"}} <= set(patterns)
