"""Logins that keep no session: over HTTP, and in the browser with Bell's own clicks."""

from scrapers.logins.trial import SignInSpider
from scrapers.portals.bell.login import BellSelfServe
from tests.portals.plain.documents import PlainDocuments
from tests.portals.plain.login import PlainLogin


class PlainLeavingLogin(PlainLogin):
    name = "plain_leaving"
    keep = False

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainLeaving(PlainDocuments):
    name = "plain_leaving"
    report_type = "leaving"
    logins = (PlainLeavingLogin,)


class BellLeavingLogin(BellSelfServe):
    name = "bell_leaving"
    keep = False

    @classmethod
    def address(cls) -> str:
        return BellSelfServe.address()


class BellLeaving(SignInSpider):
    name = "plain_bell_leaving"
    portal = "bell"
    logins = (BellLeavingLogin,)
    rendering = "browser"
