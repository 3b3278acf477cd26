"""The plain portal with a session that only one run may work in, as portals have it that remember the chosen account."""

from tests.portals.plain.documents import PlainDocuments
from tests.portals.plain.login import PlainLogin


class PlainAloneLogin(PlainLogin):
    name = "plain_alone"
    shared = False

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()


class PlainAlone(PlainDocuments):
    name = "plain_alone"
    report_type = "alone"
    logins = (PlainAloneLogin,)
