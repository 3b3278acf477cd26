"""`scrapy sessions`: what is known of a session; looking at it costs no sign-in, and ending it leaves the portal."""

from __future__ import annotations

import json

from tests.crawl.test_jobs import PLAIN

USER = "ok+manager@example.com"


def test_a_session_from_its_first_run_to_its_end(crawls, plain):
    def run(*arguments: str, code: int = 0) -> str:
        done = crawls.project.scrapy("sessions", *arguments, *PLAIN, timeout=120)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    def listed() -> dict:
        (row,) = json.loads(run("list", "--json"))
        return row

    crawls.give("plain", USER)
    assert run("list") == "No one is signed in anywhere."
    assert crawls.run("plain_documents").returncode == 0
    first = listed()
    assert (first["login"], first["username"], first["state"]) == ("plain", USER, "signed in")
    assert (first["proved_by"], first["runs"]) == (crawls.value("SELECT proved_by FROM runs"), "1")
    assert first["works_for"] is None
    assert run("test", "plain") == f"plain {USER}: signed in"
    assert plain.counters()["submissions"][USER] == 1
    # The portal ends it: a look says so, and signs in to no new one.
    assert plain.sign_out(USER) == 1
    assert run("test", "plain", code=4) == f"plain {USER}: not signed in"
    assert listed()["state"] == "ended"
    assert plain.counters()["submissions"][USER] == 1
    assert run("refresh", "plain") == f"plain {USER}: signed in"
    assert plain.counters()["submissions"][USER] == 2
    assert listed()["state"] == "signed in"
    assert run("sign-out", "plain").startswith("Signed out: plain, 1 sessions, 0 of them at the portal.")
    assert listed()["state"] == "ended"
    run("sign-out", "plain", code=1)
    run("refresh", "nowhere", code=2)
