"""The plain portal's documents by a login to which the page that shows a captcha means terms that wait for consent."""

from dataclasses import replace

from scrapers.core.outcomes import TermsPending
from scrapers.logins.screens import Stop
from tests.portals.plain.documents import PlainDocuments
from tests.portals.plain.login import PlainLogin


class TermsLogin(PlainLogin):
    name = "plain_terms"
    screens = tuple(
        replace(screen, act=Stop(TermsPending)) if screen.name == "captcha" else screen for screen in PlainLogin.screens
    )

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainTerms(PlainDocuments):
    name = "plain_terms"
    report_type = "terms"
    logins = (TermsLogin,)
