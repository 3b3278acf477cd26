"""The plain portal, and Bell's Enterprise Centre, as portals that send their codes by mail."""

from database.access.codes import CodeChannel
from scrapers.logins.trial import SignInSpider
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre
from tests.portals.plain.documents import PlainDocuments
from tests.portals.plain.login import PlainLogin


class PlainMailedLogin(PlainLogin):
    name = "plain_mailed"
    channel = CodeChannel(
        "plain_mailed",
        senders=("codes@portal.example",),
        pattern=r"(?:use this code|utiliser le code) ([0-9]{6})\b",
        by="mail",
    )

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainMailed(PlainDocuments):
    name = "plain_mailed"
    report_type = "mailed"
    logins = (PlainMailedLogin,)


class EnterpriseCentreSignIn(SignInSpider):
    name = "plain_enterprise_centre"
    portal = "bell"
    logins = (BellEnterpriseCentre,)
    rendering = "browser"
