"""A mailbox that cannot be read ends a sign-in before it begins: no password is submitted, and nothing has to rest."""

from __future__ import annotations

from sandbox import mailbox


def test_nothing_is_submitted_when_the_mailbox_cannot_be_read(crawls, plain, free_port):
    name = "sms+mail+a"
    crawls.give("plain", name)
    crawls.change(name, receiver=mailbox(name))
    settings = {
        "LATCHKEY_MAILBOX_ADDRESS": mailbox(name),
        "LATCHKEY_MAILBOX_HOST": "127.0.0.1",
        "LATCHKEY_MAILBOX_PORT": str(free_port()),
        "LATCHKEY_MAILBOX_PASSWORD": "never-shown",
    }
    done = crawls.project.scrapy(*crawls.command("plain_mailed", f"credential={name}"), env=settings)
    assert crawls.outcomes == ["code_not_received"], done.stderr
    said = crawls.value("SELECT message FROM runs")
    assert "check LATCHKEY_MAILBOX_HOST and LATCHKEY_MAILBOX_PORT" in said
    assert "never-shown" not in said + done.stdout + done.stderr
    assert plain.counters()["submissions"] == {}
    assert [row["result"] for row in crawls.rows("SELECT result FROM attempts")] == ["not_submitted"]
    (request,) = crawls.rows("SELECT state, rest_until FROM code_requests")
    assert (request["state"], request["rest_until"]) == ("unused", None)

    # A mistake in the settings is told in the same way.
    settings["LATCHKEY_MAILBOX_SECURITY"] = "ssl"
    crawls.project.scrapy(*crawls.command("plain_mailed", f"credential={name}"), env=settings)
    assert crawls.outcomes[1:] == ["code_not_received"]
    assert "LATCHKEY_MAILBOX_SECURITY" in crawls.value("SELECT message FROM runs ORDER BY id DESC LIMIT 1")
    assert plain.counters()["submissions"] == {}


def test_without_a_mail_address_a_code_by_mail_is_named(crawls, plain):
    name = "sms+mail+b"
    crawls.give("plain", name)  # its receiver is a telephone
    crawls.project.scrapy(*crawls.command("plain_mailed", f"credential={name}"))
    assert crawls.outcomes == ["mfa_required"]
    assert "no mail address among its receivers" in crawls.value("SELECT message FROM runs")
