"""A reader of an imitation portal that sends its codes or links by mail."""

from __future__ import annotations

from typing import ClassVar, Self

from sandbox import Running, mailbox
from tests.project import wait_for
from tests.sandbox.person import Mails
from tests.sandbox.reader import Reader


class MailedReader(Reader):
    """
    A browser at a portal, with the mailbox of its users.

    portal: its word. start: path of its first page. sender: domain of the addresses that its mails come from.
    """

    portal: ClassVar[str]
    start: ClassVar[str]
    sender: ClassVar[str] = ""
    home: str
    mails: Mails

    @classmethod
    def at(cls, sandbox: Running, mails: Mails) -> Self:
        """Begin at the portal's first page."""
        reader = cls()
        reader.home, reader.mails = f"{sandbox.urls[cls.portal]}{cls.start}", mails
        return reader.open(reader.home)

    def got(self, user: str) -> list[str]:
        """Return the codes that the user's mailbox got from the portal; of a portal that sends links, those."""
        return self.mails.codes(mailbox(user), self.sender)

    def mailed(self, user: str, count: int = 1) -> str:
        """Return the newest of them, when the mailbox has got so many."""
        return wait_for(lambda: self.got(user)[count - 1 :])[-1]
