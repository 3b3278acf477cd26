"""Scrapy's own ways: Scrapyd's arguments, feeds, settings on the command line, and the commands that come with Scrapy."""

from __future__ import annotations

import csv
import json

import pytest

OK = "ok@example.com"


def typed(crawls, *words: str, **env: str | None):
    """Run `scrapy …` with the plain portal's spiders."""
    return crawls.project.scrapy(*words, "-s", "SPIDER_MODULES=tests.portals.plain", env=env)


def read(path, form: str) -> list[dict]:
    """Return the records of a feed."""
    if form == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]


# --- Arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spider", ["plain_documents", "bell_pdf_invoice"])
def test_what_scrapyd_adds_is_no_error(crawls, plain, spider):
    crawls.give("plain", OK)
    plain.configure(documents=2)

    done = crawls.run(spider, "_job=6487ec79947edab326d6db28a2d86511", "_version=r23")

    refused = "no such argument" in done.stderr
    assert not refused, done.stderr
    if spider == "plain_documents":
        assert (done.returncode, crawls.outcomes) == (0, ["success"]), done.stderr


def test_an_argument_without_the_underscore_is_still_refused(crawls, plain):
    crawls.give("plain", OK)
    done = crawls.run("plain_documents", "_job=1", "job_=2")
    assert (done.returncode, "-a job_" in done.stderr) == (2, True), done.stderr


# --- Feeds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_a_feed_has_one_typed_record_for_each_stored_one(crawls, plain, tmp_path, form):
    crawls.give("plain", OK)
    plain.configure(documents=3)
    feed = tmp_path / f"records.{form}"

    done = typed(crawls, "crawl", "plain_documents", "-o", str(feed))

    assert done.returncode == 0, done.stderr
    records = read(feed, form)
    stored = crawls.rows("SELECT number, day, amount, currency FROM plain_documents ORDER BY number")
    assert len(stored) == 3
    assert sorted((r["number"], r["day"], float(r["amount"]), r["currency"]) for r in records) == [
        (row["number"], row["day"], float(row["amount"]), row["currency"]) for row in stored
    ]
    assert {(r["type"], r["target"], r["username"]) for r in records} == {("plain_documents", OK, OK)}
    assert not {"job", "id", "run_id", "file_id"} & set(records[0])


def test_a_feed_of_files_has_the_file_and_every_row_inside(crawls, plain, tmp_path):
    crawls.give("plain", OK)
    feed = tmp_path / "usage.json"

    done = typed(crawls, "crawl", "plain_usage", "-a", "rows=2500", "-O", str(feed))

    assert done.returncode == 0, done.stderr
    file, *rows = read(feed, "json")
    assert (file["type"], file["size"] > 0, len(file["sha256"])) == ("files", True, 64)
    assert (crawls.project.data / "files" / file["path"]).is_file()
    assert len(rows) == crawls.value("SELECT count(*) FROM plain_usage") > 1000
    assert {(row["type"], row["file"]) for row in rows} == {("plain_usage", file["file"])}
    assert ".part" not in feed.read_text()
    assert "spool" not in feed.read_text()


def test_a_csv_feed_has_the_columns_of_all_kinds_of_records(crawls, plain, tmp_path):
    crawls.give("plain", OK)
    feed = tmp_path / "usage.csv"

    done = typed(crawls, "crawl", "plain_usage", "-a", "rows=20", "-O", str(feed))

    assert done.returncode == 0, done.stderr
    file, *rows = read(feed, "csv")
    assert file["sha256"]
    assert file["line"] == ""
    assert all(row["line"] and row["sha256"] == "" for row in rows)
    assert rows


def test_what_is_refused_is_in_no_feed(crawls, plain, tmp_path):
    user = "truncated-file+only-2@example.com"
    crawls.give("plain", user)
    plain.configure(documents=3)
    feed = tmp_path / "files.jsonl"

    done = typed(crawls, "crawl", "plain_files", "-o", str(feed))

    assert done.returncode == 4, done.stderr
    assert {record["name"][-5] for record in read(feed, "jsonl")} == {"1", "3"}


def test_a_feed_of_a_crawl_that_failed_before_anything_is_empty(crawls, plain, tmp_path):
    crawls.give("plain", OK, "wrong-password")
    feed = tmp_path / "records.json"
    feed.write_text('[{"from": "yesterday"}]')

    done = typed(crawls, "crawl", "plain_documents", "-O", str(feed))

    assert done.returncode == 5, done.stderr
    assert read(feed, "json") == []
    assert "wrong-password" not in done.stderr + feed.read_text()


def test_a_feed_that_cannot_be_written_is_said_and_what_was_fetched_is_stored(crawls, plain):
    crawls.give("plain", OK)
    plain.configure(documents=2)

    done = typed(crawls, "crawl", "plain_documents", "-o", "/dev/full:jsonl")

    assert done.returncode == 4, done.stderr
    assert "A feed is missing or incomplete" in done.stderr
    assert crawls.outcomes == ["success"]
    assert crawls.value("SELECT count(*) FROM plain_documents") == 2


# --- Settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("LATCHKEY_PAGE_WAIT=nonsense", ("LATCHKEY_PAGE_WAIT", "number")),
        ("LATCHKEY_PAGE_WAT=3", ("LATCHKEY_PAGE_WAT", "LATCHKEY_PAGE_WAIT?")),
        ("LATCHKEY_FILES_FREE=much", ("LATCHKEY_FILES_FREE", "integer")),
        ("BELL_HEADER_WAIT=soon", ("BELL_HEADER_WAIT", "number")),
        ("BELL_HEADER_WIAT=3", ("BELL_HEADER_WIAT", "BELL_HEADER_WAIT?")),
        ("BELL_SELF_SERVE_URL=nowhere", ("BELL_SELF_SERVE_URL", "https://")),
    ],
)
def test_a_setting_is_checked_alike_on_the_command_line_and_in_the_environment(crawls, setting, words):
    name, _, value = setting.partition("=")
    crawls.give_bell(OK)

    by_option = crawls.project.scrapy("crawl", "bell_ereports", "-s", setting)
    by_environment = crawls.project.scrapy("crawl", "bell_ereports", env={name: value})

    assert by_option.returncode == by_environment.returncode != 0, by_option.stderr
    assert by_option.stderr == by_environment.stderr
    assert by_option.stderr.count("\n") == 1
    assert all(word in by_option.stderr for word in words), by_option.stderr
    assert value not in by_option.stderr or value == "3"
    assert crawls.value("SELECT count(*) FROM runs") == 0


def test_other_programs_variables_and_credentials_are_no_misspelt_settings(crawls, plain):
    crawls.give("plain", OK)
    plain.configure(documents=1)
    strangers = {"PLAIN_TEXT_EDITOR": "vi", "PLAIN_RECEIVER": "+15550160006", "PLAIN_TOTP_SECRET": "x"}
    done = crawls.run("plain_documents", **strangers)
    assert done.returncode == 0, done.stderr


def test_a_credential_is_no_setting(crawls):
    crawls.give_bell(OK)
    done = crawls.project.scrapy("crawl", "bell_ereports", "-s", "BELL_PASSWORD=hush-hush")
    assert done.returncode == 2
    assert "scrapy credentials add bell" in done.stderr
    assert "hush-hush" not in done.stderr


def test_the_command_line_comes_before_the_environment(crawls, plain, tmp_path):
    """The crawl finds its database, portal and file store by what -s says; the environment names others."""
    crawls.give("plain", OK)
    plain.configure(documents=2)
    portal = crawls.project.environment.pop("PLAIN_URL")
    elsewhere = {"PLAIN_URL": "http://127.0.0.1:1/login", "LATCHKEY_FILES": str(tmp_path / "not here")}

    settings = (f"PLAIN_URL={portal}", f"LATCHKEY_FILES={tmp_path / 'here'}", "LATCHKEY_REQUESTS_IN_FLIGHT=3")
    done = typed(crawls, "crawl", "plain_files", *(word for each in settings for word in ("-s", each)), **elsewhere)

    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "here").rglob("*.pdf"))) == 2
    assert not (tmp_path / "not here").exists()


@pytest.mark.parametrize(
    "words",
    [
        "list -s LATCHKEY_PAGE_WAIT=x",
        "list --set=LATCHKEY_PAGE_WAIT=x",
        "status -sLATCHKEY_PAGE_WAIT=x",
        "accounts list --set LATCHKEY_PAGE_WAIT=x",
    ],
)
def test_every_way_to_write_the_option_counts_for_every_command(crawls, words):
    done = crawls.project.scrapy(*words.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("LATCHKEY_PAGE_WAIT: ")


def test_a_setting_reaches_a_command_that_does_not_crawl(crawls, tmp_path):
    elsewhere = f"LATCHKEY_DATABASE_URL=sqlite:///{tmp_path / 'no tables.db'}"
    for command in (["accounts", "-s", elsewhere, "list"], ["accounts", "list", "-s", elsewhere]):
        done = crawls.project.scrapy(*command)
        assert done.returncode == 1, done.stdout
        assert "scrapy db upgrade" in done.stderr


def test_concurrency_follows_the_setting(crawls):
    done = crawls.project.scrapy("settings", "--get", "CONCURRENT_REQUESTS", "-s", "LATCHKEY_REQUESTS_IN_FLIGHT=3")
    assert done.stdout.strip() == "6"


def test_the_seeds_names_work_and_ours_win(crawls, tmp_path):
    ours = f"sqlite:///{crawls.project.data / 'latchkey.db'}"
    aliases = {
        "LATCHKEY_ENCRYPTION_KEYS": None,
        "ENCRYPTION_KEY": crawls.project.environment["LATCHKEY_ENCRYPTION_KEYS"],
    }
    crawls.give_bell(OK)

    by_alias = crawls.project.scrapy(
        "credentials", "list", env={**aliases, "DATABASE_URL": ours, "LATCHKEY_DATA_DIR": str(tmp_path / "empty")}
    )
    both = crawls.project.scrapy(
        "credentials", "list", env={"DATABASE_URL": "sqlite:///nothing.db", "LATCHKEY_DATABASE_URL": ours}
    )

    assert (by_alias.returncode, by_alias.stderr) == (0, ""), by_alias.stderr
    assert OK in by_alias.stdout
    assert OK in both.stdout
    assert (
        both.stderr
        == "LATCHKEY_DATABASE_URL and DATABASE_URL are both set and differ: LATCHKEY_DATABASE_URL is used.\n"
    )


# --- Scrapy's commands ------------------------------------------------------------------------------------------------


@pytest.fixture
def page(plain_sandbox) -> str:
    """An address that answers without a session."""
    return str(plain_sandbox.environment["PLAIN_URL"]).removesuffix("/login") + "/login"


def sound(done) -> None:
    assert "Traceback" not in done.stderr, done.stderr


def test_fetch_shell_and_view_work_without_a_session(crawls, plain, page, tmp_path):
    saved = tmp_path / "page.html"
    saved.write_text("<form id=login></form>")
    marks = "response.css('form#login').getall() != []"

    fetched = crawls.project.scrapy("fetch", page)
    looked = crawls.project.scrapy("shell", page, "-c", marks)
    at_file = crawls.project.scrapy("shell", str(saved), "-c", marks)
    viewed = crawls.project.scrapy("view", page, env={"BROWSER": "true"})

    for done in (fetched, looked, at_file, viewed):
        sound(done)
        assert done.returncode == 0
    assert "<form" in fetched.stdout
    assert looked.stdout.strip().endswith("True")
    assert at_file.stdout.strip().endswith("True")
    assert crawls.value("SELECT count(*) FROM runs") == 0


@pytest.mark.parametrize("command", ["fetch", "shell", "view", "parse"])
def test_a_spider_that_needs_a_job_is_refused_before_it_makes_a_run(crawls, plain, page, command):
    crawls.give("plain", OK)

    done = typed(crawls, command, "--spider=plain_documents", page)
    unknown = typed(crawls, command, "--spider=plain_nothing", page)

    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "scrapy crawl plain_documents" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "scrapy list" in unknown.stderr
    assert crawls.value("SELECT count(*) FROM runs") == 0


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("parse", "http://127.0.0.1:1/"), "scrapy shell"),
        (("genspider", "acme", "acme.example"), "scrapy startportal"),
        (("genspider", "-t", "basic", "acme", "acme.example"), "scrapy startportal"),
        (("bench",), "make bench"),
    ],
)
def test_what_has_no_place_here_says_so_in_a_sentence(crawls, words, instead):
    done = crawls.project.scrapy(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert instead in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("version", "Scrapy "),
        ("list", "bell_pdf_invoice"),
        ("settings --get BOT_NAME", "latchkey"),
        ("check", ""),
        ("edit bell_pdf_invoice", "pdf_invoice.py"),
        ("startproject acme FOLDER", "New Scrapy project"),
    ],
)
def test_scrapys_other_commands_work(crawls, tmp_path, words, said):
    """The editor that `edit` starts is a program that prints its arguments."""
    words = words.replace("FOLDER", str(tmp_path / "acme")).split()
    done = crawls.project.scrapy(*words, env={"EDITOR": "/bin/echo"})
    sound(done)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert crawls.value("SELECT count(*) FROM runs") == 0


PLAIN_SPIDER = """
import scrapy
class Pages(scrapy.Spider):
    name = "pages"
    start_urls = ["{page}"]
    def parse(self, response):
        yield {{"forms": len(response.css("form"))}}
"""
OUR_SPIDER = """
from tests.portals.plain.documents import PlainDocuments
class Mine(PlainDocuments):
    name = "plain_mine"
"""


def test_runspider_runs_any_spider(crawls, plain, page, tmp_path):
    (tmp_path / "pages.py").write_text(PLAIN_SPIDER.format(page=page))
    feed = tmp_path / "pages.json"

    done = crawls.project.scrapy("runspider", str(tmp_path / "pages.py"), "-O", str(feed))

    sound(done)
    assert done.returncode == 0, done.stderr
    assert read(feed, "json") == [{"forms": 1}]


def test_runspider_tells_the_truth_of_one_of_ours(crawls, plain, tmp_path):
    crawls.give("plain", OK, "wrong-password")
    (tmp_path / "mine.py").write_text(OUR_SPIDER)

    refused = crawls.project.scrapy("runspider", str(tmp_path / "mine.py"), "-a", "colour=red")
    done = crawls.project.scrapy("runspider", str(tmp_path / "mine.py"))
    missing = crawls.project.scrapy("runspider", str(tmp_path / "none.py"))

    assert (refused.returncode, "-a colour" in refused.stderr) == (2, True)
    assert (done.returncode, crawls.outcomes) == (5, ["bad_credentials"]), done.stderr
    assert (missing.returncode, "Traceback" in missing.stderr) == (2, False)
