"""The plain portal with codes that are fetched from an endpoint of the user's own."""

import os
from datetime import datetime

from scrapy import Request

from database.access.credentials import Credential
from scrapers.core.outcomes import CodeNotReceived
from scrapers.logins.base import PortalAccess
from tests.portals.plain.documents import PlainDocuments
from tests.portals.plain.login import PlainLogin


class FetchedLogin(PlainLogin):
    name = "plain_fetched"
    channel = None  # type: ignore[assignment]

    @classmethod
    def address(cls) -> str:
        return PlainLogin.address()

    async def fetch_code(self, portal: PortalAccess, credential: Credential, since: datetime) -> str | None:
        asked = f"{os.environ['PLAIN_CODES']}/{credential.username}?since={since.timestamp()}"
        answer = await portal.send(Request(asked, dont_filter=True))
        if answer.status != 200:
            raise CodeNotReceived(f"The endpoint answered {answer.status}.")
        return answer.body.decode() or None


class PlainFetched(PlainDocuments):
    name = "plain_fetched"
    report_type = "fetched"
    logins = (FetchedLogin,)
