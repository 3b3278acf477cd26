"""What the pages of Verizon know: scenarios, configuration, and the mails with a link to allow or deny a sign-in."""

from __future__ import annotations

import secrets
from asyncio import Task
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.messages import Mail
from sandbox.scripted import state as scripted
from sandbox.users import User, mailbox
from sandbox.verizon.pages import BASE, BILLS, CONFIRM, HOME, PEOPLE, REPORTS, SITE

SENDER = "VZWMail@ecrmemail.verizonwireless.com"
FOREIGN = "https://mblogin.verizon.example"  # the host of the link in the scenario `link-foreign`
TEXT = "Hello,\n\nsomebody is signing in to My Business with your user ID. Allow or deny this sign-in:\n\n{link}\n\nThe link is good for five minutes and once.\n"
FURTHER = "\nHelp: {help}\nPrivacy: https://www.example.com/privacy\n"
SCENARIOS = {
    **scripted.SCENARIOS,
    "ok": "a choice of methods after the password, then a link by mail to allow the sign-in; everything works",
    "code-late": "the mail with the link comes `late_seconds` late",
    "code-never": "no mail comes",
    "code-refused": "every link is refused",
    "no-code": "no second factor is asked for",
    "code-direct": "no choice of methods: the mail was sent",
    "mail-first": "the mail is the first method, the text message the second",
    "no-mail": "no mail among the methods",
    "two-mails": "two mail addresses among the methods; nobody reads the second one",
    "other-mail-first": "the same, and the one that nobody reads comes first",
    "link-foreign": "the link in the mail leads to another host",
    "link-expired": "the link has expired when it is opened",
    "link-denied": "the sign-in is denied on another device before the link is opened",
    "link-answered": "the sign-in is allowed on another device before the link is opened",
    "mail-html": "the mail is HTML only, with the link behind words",
    "mail-links": "the mail has further links",
    "wrong-sender": "a mail of somebody else with another link comes first",
    "captcha": "an image captcha after the submission; the form has to be filled again",
    "captcha-vanishes": "the same, and the sign-in goes on without an answer after `captcha_ms`",
    "interstitial": "a check of the connection in place of the first document after the password; it clears by itself",
    "interstitial-stays": "the same, and it never clears",
    "blocked": "a page that says that the visitor was blocked, after the password",
    "welcome-hub": "a hub before the first page",
    "hub-capitals": "the same, its button in capitals",
    "promo-modal": "an advertisement of the other kind, closed by an icon",
    "promo-both": "both kinds, one over the other",
    "notice-late": "the notice about monthly reports comes `late_ms` late",
    "notice-at-download": "the first click on a download of a report brings the notice instead",
    "no-notice": "no notice about monthly reports",
    "reports-not-available": "monthly reports are not available yet, whatever is clicked",
    "filter-fails": "an account that is chosen changes nothing",
    "apply-stays": "the button that applies filters stays disabled",
    "month-filter-fails": "a month or days that are chosen change nothing",
    "filter-resets": "the filters of a report are as at first after each file",
    "account-switched": "another tab of the session puts the account back when a report is downloaded",
    "first-item-other": "lists of accounts begin with another one",
    "namesake-first": "lists of accounts begin with one whose number begins with the same digits",
    "download-never": "no click on a download does anything",
    "wrong-month": "files of another month than the chosen one",
    "wrong-account-file": "files are about another account than their page",
    "mixed-file": "reports have rows of another account at their end",
    "unnamed-file": "reports have no column of accounts",
    "raw-in-place": "the raw data are offered over the page where one is",
    "raw-spelled": "the members of the raw data have the other spelling of their names",
    "member-missing": "the raw data lack the wireless charges detail",
    "no-usage-detail": "the raw data lack the wireless usage detail",
    "foreign-member": "a member of the raw data is about another account",
    "unknown-members": "the raw data have more members",
    "zip-empty": "the raw data are a ZIP without members",
    "tab-resets-late": "the tab of bills resets `late_ms` after an account was chosen",
    "rows-move": "the cards of bills move between a look and a click: the bill is that of the month before",
    "total-differs": "an invoice asks for more than its card and its lines",
    "invoice-french": "invoices are in French; a tag `invoice-layout-<1 to 4>` picks their layout",
    "layout-b": "an older page structure: menus, methods and lists without their places",
}
DEFAULTS: dict[str, Any] = scripted.DEFAULTS | {
    "codes": True,  # False: no user is asked for a second factor
    "captcha": False,  # True: an image captcha in the sign-in form from the beginning
    "check": "",  # "clears", "stays" or "blocked": a check of the connection before the sign-in, for everybody
    "check_ms": 700,  # how long a check takes that clears
    "form_ms": 600,  # how long the sign-in form takes to be drawn
    "captcha_ms": 1500,  # when the sign-in goes on in the scenario `captcha-vanishes`
    "notice_ms": 150,  # when the notice about monthly reports is there
    "report_ms": 150,  # when reports and cards of bills are there
    "late_ms": 2500,
    "report_rows": 30,
}


class VerizonState(scripted.ScriptedState):
    """Facts of the portal."""

    word: ClassVar[str] = "verizon"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    site = SITE
    people = PEOPLE
    zone = ZoneInfo("America/Toronto")
    linked = frozenset({HOME})  # the sign-in's host begins sessions, and hands them over
    late_pages = frozenset({REPORTS, BILLS})
    counted = (
        "account_changes",
        "captchas_shown",
        "captchas_refused",
        "codes_not_typed",
        "interstitials",
        "links_opened",
        "links_denied",
        "notices_shown",
        "verizon_pages_open_max",
        "home_pages_open_max",
    )
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "Verizon"
    message: ClassVar[str] = "Verizon: your code is {code}."
    mail_sender: ClassVar[str] = SENDER
    mail_subject: ClassVar[str] = "Allow or deny a sign-in to My Business"

    def new_code(self, by: str) -> str:
        """Make up what is sent: a code by text message, a link by mail."""
        return self.link_of(secrets.token_urlsafe(24)) if by == "mail" else super().new_code(by)

    def link_of(self, token: str) -> str:
        """Return the link with a token."""
        return f"{self.urls['']}{BASE['']}/{CONFIRM}?t={token}"

    def send_mail(self, user: User, code: str, sender: str = "", dated: float = 0.0, **how: Any) -> Task[bool]:
        """Send a user a mail with a link, as text and as HTML; see `PortalBase.send_mail`."""
        link = code.replace(self.urls[""], FOREIGN) if user.says("link-foreign") and not sender else code
        text = TEXT.format(link=link)
        html = text.strip().replace("\n\n", "</p><p>").replace(link, f'<a href="{link}">Allow or deny</a>')
        if user.says("mail-links"):
            text += FURTHER.format(help=f"{self.urls['']}{BASE['']}/help")
            html += '</p><p><a href="https://www.example.com/privacy">Privacy</a>'
        if user.says("mail-html"):
            text = ""
        page = f"<html><body><p>{html}</p></body></html>"
        mail = Mail(sender or self.mail_sender, mailbox(user.name), self.mail_subject, text, page, dated)
        task = self.gateway.mail(self.configuration["mail_url"], self.configuration["mail_folder"], mail, **how)
        task.add_done_callback(self._count_sent)
        return task
