"""The pages of a user's own account and sign-ins."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import func, select

from database.models.prices import User, WatchlistItem
from tests.webhook.api.conftest import ANA, BEN, PHONES
from tests.webhook.pages.conftest import Visitor, beside, words


def test_another_mail_address(store, ana):
    other = Visitor(ana.api)
    other.sign_in()
    ana.open("/prices/account")
    assert "a code is on its way to it" in words(ana.send("/prices/account/email", email=BEN))
    answer = ana.send("/prices/account/email/code", code="000000")
    assert beside(answer, "code") == "The code is wrong or has expired."
    done = ana.send("/prices/account/email/code", code=ana.api.mailed(BEN))
    assert words(done).startswith("The mail address is changed.")
    assert BEN in words(done)
    assert words(other.open("/prices/items")).startswith("Sign in first.")


def test_another_phone(ana):
    answer = ana.send("/prices/account/phone", phone_number="1")
    assert beside(answer, "phone_number").startswith("A phone number")
    ana.send("/prices/account/phone", phone_number=PHONES[BEN])
    done = ana.send("/prices/account/phone/code", code=ana.api.texted(PHONES[BEN]))
    assert words(done).startswith("The phone number is changed.")
    assert PHONES[BEN] in words(done)


def test_a_change_needs_a_recent_sign_in(ana):
    ana.api.turn(timedelta(minutes=20))
    answer = ana.send("/prices/account/email", email=BEN)
    assert (answer.status_code, beside(answer, "email")) == (403, "Sign in again first: this needs a recent sign-in.")
    answer = ana.send("/prices/account/delete", sure="yes")
    assert (answer.status_code, "Sign in again first" in words(answer)) == (403, True)


def test_an_account_is_deleted_with_all_that_is_its_own(store, ana):
    ana.item()
    ana.open("/prices/account/delete")
    assert beside(ana.send("/prices/account/delete"), "sure") == "Tick this box to delete the account."
    done = ana.send("/prices/account/delete", sure="yes")
    assert words(done).startswith("Your account is deleted, with everything that belonged to it.")
    with ana.api.db.transaction() as session:
        for model in (User, WatchlistItem):
            assert session.scalar(select(func.count()).select_from(model)) == 0


def ended(answer):
    """Return the numbers of the sign-ins that a page can end."""
    return re.findall(r"/prices/sessions/(\d+)/end\"", answer.text)


def test_sign_ins_are_ended_one_by_one_and_all_at_once(ana):
    others = [Visitor(ana.api) for _ in range(3)]
    for other in others:
        other.sign_in()
    numbers = ended(ana.open("/prices/sessions"))
    assert len(numbers) == 4
    assert ana.open("/prices/sessions").text.count("This one") == 1
    done = ana.send(f"/prices/sessions/{numbers[0]}/end")
    assert words(done).startswith("The sign-in has ended.")
    assert [words(other.open("/prices/alerts"))[:6] for other in others] == ["Alerts", "Alerts", "Sign i"]
    ana.open("/prices/sessions")
    assert words(ana.send("/prices/sessions/end-others")).startswith("All other sign-ins have ended.")
    assert len(ended(ana.open("/prices/sessions"))) == 1
    others[0].sign_in()
    ana.open("/prices/sessions")
    assert words(ana.send("/prices/sessions/end-all")).startswith("You are signed out.")
    assert words(others[0].open("/prices/items")).startswith("Sign in first.")


def test_ending_the_own_sign_in_signs_out(ana):
    (number,) = ended(ana.open("/prices/sessions"))
    assert words(ana.send(f"/prices/sessions/{number}/end")).startswith("You are signed out.")


def test_a_sign_in_of_another_user_is_as_if_it_were_not_there(ana):
    ben = Visitor(ana.api).signed_in(BEN)
    (number,) = ended(ben.open("/prices/sessions"))
    assert ana.send(f"/prices/sessions/{number}/end").status_code == 404
    assert ben.open("/prices/sessions").status_code == 200


def test_the_name_of_a_browser_is_text(visitor):
    visitor.api.register()
    visitor.client.environ_base["HTTP_USER_AGENT"] = "<script>alert(1)</script>"
    visitor.sign_in()
    text = visitor.open("/prices/sessions").text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert ANA in visitor.open("/prices/account").text
