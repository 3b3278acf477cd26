"""The plain portal's documents by a login that finds nothing on any page of whose session it is."""

from tests.portals.plain.documents import PlainDocuments
from tests.portals.plain.login import PlainLogin


class SilentLogin(PlainLogin):
    name = "plain_silent"
    shows_username = ()
    shows_accounts = ()

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainSilent(PlainDocuments):
    name = "plain_silent"
    report_type = "silent"
    logins = (SilentLogin,)
