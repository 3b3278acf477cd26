"""The page of the channels by which a user is told of alerts besides mail."""

from __future__ import annotations

import re

from tests.webhook.api.conftest import BEN
from tests.webhook.pages.conftest import Visitor, beside, words

ADDRESS = "slack://Tokenless@T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def numbers(answer):
    """Return the numbers of the channels that a page can delete."""
    return re.findall(r"/prices/channels/(\d+)/delete\"", answer.text)


def test_a_channel_is_added_and_deleted_and_its_address_is_not_repeated(ana):
    assert numbers(ana.open("/prices/channels")) == []
    done = ana.send("/prices/channels", address=f" {ADDRESS} ", label="<b>Work</b>")
    assert words(done).startswith("Alerts are sent there, too.")
    assert "&lt;b&gt;Work" in done.text
    again = ana.send("/prices/channels", address=ADDRESS)
    assert (again.status_code, beside(again, "address")) == (409, "There is a channel of that address already.")
    for answer in (done, again, ana.open("/prices/channels")):
        assert "TIiajkdnlazkcOXrIdevi7FQ" not in answer.text
    (number,) = numbers(again)
    assert words(ana.send(f"/prices/channels/{number}/delete")).startswith("The channel is deleted.")
    assert ana.send(f"/prices/channels/{number}/delete").status_code == 404


def test_what_is_no_channel_is_refused_beside_its_field(ana):
    ana.open("/prices/channels")
    for address, said in (
        ("", "Give an address"),
        ("mailto://ana@example.com", "The services are"),
        ("ntfy://host.example/topic", "It names a host"),
        ("ntfy://topic?verify=no", "An address has no parameters"),
    ):
        answer = ana.send("/prices/channels", address=address)
        assert (answer.status_code, beside(answer, "address")[: len(said)]) == (422, said)


def test_nobody_deletes_the_channel_of_somebody_else(ana):
    ana.open("/prices/channels")
    ana.send("/prices/channels", address="ntfy://topic-of-ana")
    (number,) = numbers(ana.open("/prices/channels"))
    other = Visitor(ana.api)
    other.signed_in(BEN)
    assert numbers(other.open("/prices/channels")) == []
    assert other.send(f"/prices/channels/{number}/delete").status_code == 404
    assert numbers(ana.open("/prices/channels")) == [number]
