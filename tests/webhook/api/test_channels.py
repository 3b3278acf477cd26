"""The channels by which users are told besides mail: what they may name, who sees it, and how much of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from database.families import sending
from database.families.prices import PriceReading, record_check
from tests.webhook.api.conftest import BEN

ADDRESS = "tgram://123456789:abcdefg_hijklmnopqrstuvwxyzABCDEFGHI/12345678"


def test_a_channel_is_named_listed_and_deleted_and_its_address_is_not_shown(store, api, caplog):
    caplog.set_level("DEBUG")
    client = api.user()
    made = client.post("/me/alert-channels", json={"address": f" {ADDRESS} ", "label": "Phone"})
    assert made.status_code == 201
    channel = made.get_json()
    assert (channel["service"], channel["label"], channel["last_result"]) == ("tgram", "Phone", None)
    assert client.get("/me/alert-channels").get_json() == [channel]
    again = client.post("/me/alert-channels", json={"address": ADDRESS})
    assert again.status_code == 409
    with api.db.transaction() as session:
        stored = session.scalar(text("SELECT address FROM alert_channels"))
    for said in (made, again, client.get("/me/alert-channels")):
        assert "abcdefg_" not in said.get_data(as_text=True)
    assert "abcdefg_" not in caplog.text + stored
    assert client.delete(f"/me/alert-channels/{channel['id']}").status_code == 204
    assert client.delete(f"/me/alert-channels/{channel['id']}").status_code == 404
    assert client.get("/me/alert-channels").get_json() == []


@pytest.mark.parametrize(
    "address", ["json://127.0.0.1/hook", "file:///etc/passwd", "ntfy://10.0.0.1/t", "ntfy://t?rto=9"]
)
def test_an_address_that_is_not_safe_is_refused_by_its_field(api, address):
    answer = api.user().post("/me/alert-channels", json={"address": address})
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["address"])
    assert address not in answer.get_data(as_text=True)


def test_what_became_of_the_newest_alert_is_shown(api):
    client = api.user()
    channel = client.post("/me/alert-channels", json={"address": ADDRESS}).get_json()["id"]
    item = api.item(client, threshold=20)
    with api.db.transaction() as session:
        at = record_check(session, [item], PriceReading(Decimal(19), "GBP"))[0].created_at
        while (alert := sending.claim(session, at, frozenset({sending.MAIL}))) is not None:
            sending.skipped(session, alert, "Not now.", at)
    (told,) = client.get("/me/alert-channels").get_json()
    assert (told["id"], told["last_result"], told["last_error"]) == (channel, "skipped", "Not now.")


def test_a_user_has_only_so_many_and_none_of_others(api):
    ana, ben = api.user(), api.user(BEN)
    numbers = [ana.post("/me/alert-channels", json={"address": f"ntfy://topic{n}"}).get_json()["id"] for n in range(10)]
    assert ana.post("/me/alert-channels", json={"address": "ntfy://another"}).status_code == 409
    assert ben.get("/me/alert-channels").get_json() == []
    assert ben.delete(f"/me/alert-channels/{numbers[0]}").status_code == 404
    assert [row["id"] for row in ana.get("/me/alert-channels").get_json()] == numbers
