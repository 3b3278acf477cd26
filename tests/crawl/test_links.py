"""Links as codes: claimed like a code, opened only where the login says that they may lead, and never told to anybody."""

from __future__ import annotations

import pytest

from sandbox import mailbox, phone
from tests.crawl.test_canaries import DEBUG, hits

WAITS = {"LATCHKEY_CODE_WAIT": "60", "LATCHKEY_PAGE_WAIT": "60", "LATCHKEY_SIGN_IN_WAIT": "120"}


def crawl(crawls, tmp_path, spider, *names):
    command = crawls.command(spider, f"credential={','.join(names)}")
    done = crawls.project.scrapy(*command, *DEBUG, env=WAITS, timeout=250)
    (tmp_path / f"said-by-{spider}").write_text(done.stdout + done.stderr)
    assert "DEBUG" in done.stderr
    return dict(crawls.rows("SELECT username, outcome FROM runs")), done


def check_kept_to_ourselves(plain, tmp_path):
    tokens = {
        secret for secret in plain.secrets()["tokens"] if len(secret) == 32
    }  # of links; those of forms are shorter
    assert tokens
    assert hits(tmp_path, tokens) == []


def test_a_link_is_opened_and_the_sign_in_goes_on(crawls, plain, webhook, tmp_path):
    by_text, by_mail, elsewhere = "link+a", "link+mail+mail-html+b", "strange-link+c"
    for name in (by_text, by_mail, elsewhere):
        crawls.give("plain", name)
        crawls.change(name, receiver=f"{phone(name)}, {mailbox(name)}")
    plain.configure(mail_url=f"{webhook}/mail", documents=2)

    outcomes, done = crawl(crawls, tmp_path, "plain_linked", by_text, by_mail, elsewhere)

    assert outcomes == {by_text: "success", by_mail: "success", elsewhere: "code_not_received"}, done.stderr
    assert "leads to a host that the login does not state" in crawls.value(
        "SELECT message FROM runs WHERE username = ?", elsewhere
    )
    paths = plain.counters()["paths"]
    assert paths["GET /allow/{ticket}"] == 2
    assert plain.counters()["submissions"] == {by_text: 1, by_mail: 1, elsewhere: 1}
    assert plain.counters()["sign_ins"] == 2
    assert crawls.value("SELECT count(*) FROM messages WHERE text IS NOT NULL") == 0
    # The login does not say which way the link comes, so both are waited at; nothing came by the other.
    requests = {(row["receiver"], row["kind"]): row["state"] for row in crawls.rows("SELECT * FROM code_requests")}
    assert requests == {
        (phone(by_text), "link"): "answered",
        (mailbox(by_text), "link"): "unused",
        (phone(by_mail), "link"): "unused",
        (mailbox(by_mail), "link"): "answered",
        (phone(elsewhere), "link"): "answered",
        (mailbox(elsewhere), "link"): "unused",
    }
    check_kept_to_ourselves(plain, tmp_path)


@pytest.mark.browser
def test_a_link_is_opened_in_a_tab_beside_the_page_that_waits(crawls, plain, webhook, tmp_path):
    crawls.give("plain", "link+d")
    plain.configure(documents=1)

    outcomes, done = crawl(crawls, tmp_path, "plain_linked_browser", "link+d")

    assert outcomes == {"link+d": "success"}, done.stderr
    assert plain.counters()["paths"]["GET /allow/{ticket}"] == 1
    check_kept_to_ourselves(plain, tmp_path)
