"""
Alerts by other ways than mail: one address for each service, as Apprise has them.

The administrator may set any address. Those of users are of services with a host of their own: nothing of ours then asks
a host, reads a file or starts a program that a user has named. Apprise is imported where the first address is looked at.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

LONGEST = 500  # characters of an address
# The services that users may name, by the scheme of their addresses, with the class by which Apprise reaches them.
SERVICES = {
    "discord": "NotifyDiscord",
    "gchat": "NotifyGoogleChat",
    "ntfy": "NotifyNtfy",
    "ntfys": "NotifyNtfy",
    "pbul": "NotifyPushBullet",
    "pover": "NotifyPushover",
    "prowl": "NotifyProwl",
    "slack": "NotifySlack",
    "spush": "NotifySimplePush",
    "tgram": "NotifyTelegram",
    "wxteams": "NotifyWebexTeams",
}
SECONDS = 60  # for a message, less than alerts are claimed for


class ChannelRefused(ValueError):
    """An address is none that alerts are sent to. The text is one sentence without the address."""


class NotTaken(Exception):
    """A service was not reached, or did not take a message. The text is one sentence without the address."""


def check(address: str) -> str:
    """Return the scheme of an address that Apprise knows; raise ChannelRefused."""
    _service(address)
    return _scheme(address)


def check_own(address: str) -> str:
    """
    Return the service of an address that a user has named, by its scheme; raise ChannelRefused.

    What follows a question mark is refused: it sets waits, and the checks of certificates, in our process.
    """
    if not 0 < len(address) <= LONGEST or not address.isascii() or not address.isprintable() or " " in address:
        raise ChannelRefused(f"An address has 1 to {LONGEST} ASCII characters and no blanks.")
    if "?" in address or "#" in address.partition("://")[2].partition("/")[0]:
        raise ChannelRefused("An address has no parameters behind a question mark here.")
    scheme = _scheme(address)
    if scheme not in SERVICES and scheme != "https":  # pages of services show their addresses with https
        raise ChannelRefused(f"The services are {', '.join(sorted(SERVICES))}: an address begins as in ntfy://.")
    service = _service(address)
    found = [word for word, kind in SERVICES.items() if kind == type(service).__name__]
    if not found:
        raise ChannelRefused("It is no address of one of the services.")
    if getattr(service, "mode", "") == "private":
        raise ChannelRefused("It names a host, and users may name none: ntfy takes a topic alone, ntfy://topic.")
    return scheme if scheme in found else found[0]


def notify(address: str, title: str, text: str) -> None:
    """Send a plain message to an address; raise ChannelRefused or NotTaken."""
    from apprise import Apprise, NotifyFormat

    apprise = Apprise(asset=_asset())
    apprise.add(_service(address))
    if not apprise.notify(body=harmless(text), title=harmless(title), body_format=NotifyFormat.TEXT):
        raise NotTaken(f"The service {_scheme(address)} was not reached, or did not take the message.")


def harmless(text: str) -> str:
    """
    Return a text by which no chat calls people together, or takes a shop's words for its own marks.

    >>> harmless("<!channel> @everyone Echo https://shop.example/@ana/1").replace(chr(0x200B), "~")
    '‹!channel› @~everyone Echo https://shop.example/@ana/1'
    """
    return re.sub(r"(?<!\S)@(?=\w)", "@\u200b", text).replace("<", "‹").replace(">", "›")


def split(given: str) -> tuple[str, ...]:
    """Return the addresses of a setting, which are separated by blanks; raise ChannelRefused for one that is none."""
    addresses = tuple(dict.fromkeys(given.split()))
    for place, address in enumerate(addresses, 1):
        try:
            check(address)
        except ChannelRefused:
            raise ChannelRefused(f"number {place} is no address that Apprise knows") from None
    return addresses


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower() if "://" in address else ""


def _service(address: str) -> Any:
    """Return what sends to an address; raise ChannelRefused where nothing does."""
    asset = _asset()
    from apprise import Apprise

    service = Apprise.instantiate(address, asset=asset)
    if service is None:
        raise ChannelRefused("It is no address that Apprise knows.")
    return service


@cache
def _asset() -> Any:
    """Return how Apprise works here: it writes no files, fetches no pictures, says nothing, and speaks in our name."""
    _silence(("apprise", "urllib3.connectionpool"))
    from apprise import AppriseAsset

    return AppriseAsset(
        storage_mode="memory",
        service_timeout=SECONDS,
        async_mode=False,
        app_id="Latchkey",
        app_desc="Price watch",
        app_url="",
        image_url_mask="",
        image_url_logo="",
    )


def _silence(names: Iterable[str]) -> None:
    # Their lines hold addresses, and with them what gives access.
    for name in names:
        logging.getLogger(name).disabled = True
