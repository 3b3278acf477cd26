"""How people name a channel, and what is refused by name."""

from __future__ import annotations

import pytest

from scrapers.portals.telegram.addresses import BadAddress, address_of

GOOD = [
    (1500000001, "1500000001"),
    ("1500000001", "1500000001"),
    (-1001500000001, "1500000001"),
    (" -1001500000001 ", "1500000001"),
    ("@Tech_News", "@Tech_News"),
    ("technews", "@technews"),
    ("t.me/technews", "@technews"),
    ("https://t.me/technews", "@technews"),
    ("http://www.t.me/technews/", "@technews"),
    ("HTTPS://T.ME/technews?before=1", "@technews"),
    ("https://telegram.me/technews/1234", "@technews"),
    ("https://telegram.dog/s/technews/12", "@technews"),
    ("https://technews.t.me/12", "@technews"),
    ("https://t.me/c/1500000001/77", "1500000001"),
    ("https://t.me/+AbCdEfGh12345678", "https://t.me/+AbCdEfGh12345678"),
    ("https://t.me/joinchat/AbCdEfGh12345678", "https://t.me/+AbCdEfGh12345678"),
    ("t.me/%2BAbCdEfGh12345678", "https://t.me/+AbCdEfGh12345678"),
    ("tg://resolve?domain=technews&post=3", "@technews"),
    ("tg:join?invite=AbCdEfGh12345678", "https://t.me/+AbCdEfGh12345678"),
    ("tg://privatepost?channel=1500000001&post=2", "1500000001"),
]
BAD = [
    ("", "Name a channel"),
    ("  ", "Name a channel"),
    ("two words", "That is no channel"),
    ("@a", "no user name"),
    ("@9lives", "no user name"),
    ("@a__b", "no user name"),
    ("@trailing_", "no user name"),
    ("@" + "a" * 33, "no user name"),
    ("канал", "no user name"),
    ("@technews\x00", "That is no channel"),
    ("0", "no channel's id"),
    (0, "no channel's id"),
    (-5, "small group"),
    (-123456789, "small group"),
    (10**13, "no channel's id"),
    (-(10**14), "no channel's id"),
    ("https://example.com/technews", "no link of Telegram"),
    ("ftp://t.me/technews", "no link of Telegram"),
    ("https://t.me.example.com/technews", "no link of Telegram"),
    ("https://user@t.me:99999/technews", "no link of Telegram"),
    ("https://t.me/", "names no channel"),
    ("https://t.me/+12015550100", "phone number"),
    ("https://t.me/+short", "no invitation"),
    ("https://t.me/joinchat/", "no invitation"),
    ("https://t.me/c/x/1", "no channel's id"),
    ("https://t.me/addlist/AbCdEfGh", "folder of chats"),
    ("https://t.me/addstickers/Animals", "set of stickers"),
    ("https://t.me/proxy?server=x", "a proxy"),
    ("https://t.me/$AbCdEf", "a bill"),
    ("tg://settings", "names no channel"),
    ("x" * 301, "That is no channel"),
]


@pytest.mark.parametrize(("given", "expected"), GOOD)
def test_what_names_a_channel(given, expected):
    found = address_of(given)
    assert str(found) == expected
    # What is stored is taken again.
    assert address_of(str(found)) == found


@pytest.mark.parametrize(("given", "said"), BAD)
def test_what_names_none_is_refused_by_name(given, said):
    with pytest.raises(BadAddress, match=said):
        address_of(given)
