"""LATCHKEY_LOG_FORMAT=json: whatever a process writes to standard error is one object a line, about its run, without secrets."""

from __future__ import annotations

import json
import logging

from sandbox import default_password
from scrapers.core.logs import JsonFormatter
from scrapers.core.redaction import MASK, redactor
from tests.webhook.conftest import GATEWAY_TOKEN, READER_TOKEN

JSON = {"LATCHKEY_LOG_FORMAT": "json"}
ANA, BO = "ok+ana@example.com", "layout-b+bo@example.com"


def lines(text):
    """Return the objects of what a process has written; anything else on a line fails."""
    found = [json.loads(line) for line in text.splitlines()]
    assert all({"at", "level", "logger", "message"} <= set(line) for line in found)
    return found


def test_each_line_of_a_crawl_is_about_the_run_that_it_belongs_to(crawls, plain):
    """Two customers in one crawl, debug lines and a failure among them."""
    for username in (ANA, BO):
        crawls.give("plain", username)
    done = crawls.project.scrapy(*crawls.command("plain_documents"), "-s", "LOG_LEVEL=DEBUG", env=JSON, timeout=120)
    runs = {row["username"]: row["id"] for row in crawls.rows("SELECT username, id FROM runs")}
    found = lines(done.stderr)
    assert done.returncode == 6, done.stderr

    def about(words):
        return [line.get("run") for line in found if words in line["message"]]

    assert sorted(about("signing in to plain")) == sorted(runs.values())
    assert about(f"{ANA}: success") == [runs[ANA]]
    assert set(about(f"{BO}: ")) == {runs[BO]}
    crawled = about("Crawled (200)")
    assert set(crawled) == set(runs.values())
    assert crawled.count(runs[ANA]) > crawled.count(runs[BO])  # whose documents were listed
    assert about("Evidence: ") == [runs[BO]]
    for secret in {default_password(username) for username in runs}:
        assert secret not in done.stderr


def test_a_crawl_of_one_job_names_it_in_every_line(crawls, plain):
    crawls.give("plain", ANA)
    done = crawls.run("plain_documents", **JSON)
    assert [(line["run"], line["spider"], line["level"]) for line in lines(done.stderr)] == [
        (1, "plain_documents", "INFO")
    ] * 2


def test_what_cannot_begin_is_a_line_too(project, tmp_path):
    done = project(tmp_path).scrapy("crawl", "no_such_spider", env=JSON)
    (line,) = lines(done.stderr)
    assert (done.returncode, line["message"]) == (2, "there is no spider no_such_spider; `scrapy list` shows them.")


def test_an_unknown_form_is_refused(project, tmp_path):
    done = project(tmp_path).scrapy("list", env={"LATCHKEY_LOG_FORMAT": "xml"})
    assert (done.returncode, done.stderr) == (1, "LATCHKEY_LOG_FORMAT: Input should be 'text' or 'json'\n")


def test_a_worker_and_the_webhook_write_the_same_form(project, tmp_path, wait_for):
    here, ready = project(tmp_path, **JSON, DB_AUTO_CREATE="true"), tmp_path / "ready.json"
    worked = here.scrapy("worker", "--once")
    events = [line["event"] for line in lines(worked.stderr)]
    assert (events[:2], events[-1]) == (["alias", "tables"], "ended")
    tokens = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}
    process = here.start("serve", "--port", "0", "--ready-file", str(ready), env=tokens)
    wait_for(lambda: ready.exists() or process.poll() is not None)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert [line["message"] for line in lines(said)] == ["DB_AUTO_CREATE is read as LATCHKEY_DB_AUTO_CREATE."]


def test_a_record_is_one_line_whatever_is_in_it():
    """Line breaks, a lone surrogate, a secret in message and traceback, a query of an address."""
    redactor.add("s3cret-of-log-lines")
    try:
        raise LookupError("s3cret-of-log-lines\nat https://x.example/a?token=1234")
    except LookupError as error:
        info = (LookupError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "a\nb\u2028c\ud800 %s", ("s3cret-of-log-lines",), info)
    text = JsonFormatter().format(record)
    assert text.isascii()
    assert "\n" not in text
    assert "s3cret" not in text
    assert "1234" not in text
    line = json.loads(text)
    assert (line["message"], line["level"]) == (f"a\nb\u2028c\ud800 {MASK}", "ERROR")
    assert line["exception"].startswith("Traceback")
