"""Known secrets are masked in every spelling; of URLs no query is shown."""

from __future__ import annotations

import logging

import pytest

from scrapers.core.redaction import MASK, Redactor, bare_url, install, redactor, spellings, without_queries

SECRET = 'Pä"ss&wo rd+/1'


@pytest.fixture
def hiding():
    """A redactor that knows one secret."""
    made = Redactor()
    made.add(SECRET)
    return made


@pytest.mark.parametrize("spelling", sorted(spellings(SECRET)))
def test_every_spelling_is_hidden(hiding, spelling):
    assert hiding.hide(f"before {spelling} after") == f"before {MASK} after"


def test_what_is_too_short_or_nothing_is_not_searched_for():
    made = Redactor()
    made.add("abc", "", None)
    assert made.hide("abc") == "abc"


def test_the_longer_secret_is_hidden_as_a_whole():
    made = Redactor()
    made.add("secret", "secret-and-more")
    assert made.hide("x secret-and-more x secret x") == f"x {MASK} x {MASK} x"


def test_secrets_are_hidden_while_others_are_added():
    made = Redactor()
    for number in range(300):
        made.add(f"secret-{number}-{'x' * 800}")
        assert made.hide(f"a secret-{number}-{'x' * 800} b") == f"a {MASK} b"
    assert made.hide(f"secret-7-{'x' * 800} secret-299-{'x' * 800}") == f"{MASK} {MASK}"


def test_log_records_are_hidden_with_arguments_and_traceback(caplog):
    install()
    redactor.add(SECRET)
    log = logging.getLogger("test")
    try:
        raise LookupError(SECRET)
    except LookupError:
        log.exception("Failed with %s at %s", SECRET, "https://x.example/a?token=1234")
    (record,) = caplog.records
    text = logging.Formatter().format(record)
    assert SECRET not in text
    assert "1234" not in text
    assert MASK in record.getMessage()
    assert "LookupError" in text


def test_installing_twice_hides_once():
    install()
    first = logging.getLogRecordFactory()
    install()
    assert logging.getLogRecordFactory() is first


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:word@x.example:8443/a/b?c=d#e", "https://x.example:8443/a/b"),
        ("https://x.example", "https://x.example"),
        ("", ""),
    ],
)
def test_a_bare_url_has_no_place_for_secrets(url, bare):
    assert bare_url(url) == bare


def test_queries_are_masked_wherever_a_url_stands():
    text = "<GET http://x.example/a?b=c&d> (referer: 'https://y.example/?e'), then https://z.example/f"
    masked = f"<GET http://x.example/a?{MASK}> (referer: 'https://y.example/?{MASK}'), then https://z.example/f"
    assert without_queries(text) == masked
