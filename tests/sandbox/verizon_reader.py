"""A reader of the Verizon imitation who knows what the fact sheet says, and no more."""

from __future__ import annotations

import re
from typing import Self

from lxml.html import HtmlElement

from sandbox import PASSWORD, mailbox
from tests.sandbox.mailed import MailedReader
from tests.sandbox.reader import Reader, said_in

HEADER = "//*[@id='gNavHeader']/div/div/div[1]/div[2]/header/div/div"
MENUS = f"{HEADER}/div[2]/nav/ul"
ENTRIES = "div/div/div[1]/div/ul"
ACCOUNT_MENU = f"{HEADER}/div[3]/nav/ul/li/div[1]"
LOG_OUT = "//*[@id='gn-logout-li-item']/a"
USER_ID, PASSWORD_FIELD, SUBMIT = "#ilogin_userid", "#ilogin_password", "#ilogin_login_button"
OPTIONS = "#app li .pwdless_options_section"
ALLOW, ANSWER = "//*[@id='dvbtn']/form/div[1]/label", "//*[@id='dvbtn']/button"
DENY = "//*[@id='dvbtn']/form/div[2]/label"
WELCOME = "//*[self::h1 or self::h2][contains(.,'Welcome')]"
HUB = "//*[@id='root']/div/div[2]/div/div[1]/div[2]/div/button"
PREVIOUS = "//*[@id='billing-view-bills-s']/div/ul/li[4]/a"
DROPDOWN = "//app-dropdown[.//label[contains(normalize-space(.),'Account number')]]"
FULL = "Download full report"
DEVICE = "Other reports: Offer recovery & early termination fees"
ACTIVATION = "Other reports: Activation & deactivation"
SUSPENDED = "Other reports: Suspended wireless number"
UNBILLED = "Usage reports: Account unbilled usage"
LINK = re.compile(r"https?://[^\s\"<>]+/confirm\?[^\s\"<>]+")


def tracked(name: str) -> str:
    """Return the selector of a tab or report."""
    return f"[data-track='{name}']"


class Verizon(MailedReader):
    """A browser at My Business."""

    portal, start = "verizon", "/account/business/ilogin"

    # Signing in

    def submit(self, user: str, password: str = PASSWORD) -> Self:
        """Fill the form, and press its button."""
        if not self.sees(USER_ID):
            self.open(self.home)
        return self.type(USER_ID, user).type(PASSWORD_FIELD, password).click(SUBMIT)

    def options(self) -> list[tuple[str, str]]:
        """Return method and masked contact of each option."""
        self.find(OPTIONS)
        return [
            (
                (each.cssselect(".delivery_option_with_msg a")[0].xpath(".//text()[normalize-space()]")[0]).strip(),
                said_in(each.cssselect(".pwdless_delivery_link")[0]),
            )
            for each in self.all(OPTIONS)
        ]

    def choose_mail(self, excluded: str = "z***@example.com") -> Self:
        """Choose the option by mail that is not the excluded one."""
        wanted = [
            place
            for place, (method, contact) in enumerate(self.options())
            if method.startswith("Email") and contact != excluded
        ]
        return self.click(self.all(OPTIONS)[wanted[0]])

    def got(self, user: str) -> list[str]:
        """Return the links that the user's mailbox got."""
        mails = [mail for mail in self.mails.payloads if mail["to"] == mailbox(user)]
        return [found[0] for mail in mails if (found := LINK.search(mail["text"] or mail["html"]))]

    def tab(self, url: str) -> Reader:
        """Open another tab of the same browser."""
        return Reader(person=self.person, pieces=self.pieces).open(url)

    def allow(self, link: str) -> Reader:
        """Open the link in another tab, and allow the sign-in."""
        tab = self.tab(link)
        assert "allow" in tab.said(ALLOW).lower()
        tab.tick(ALLOW).click(ANSWER)
        return tab

    def go_on(self) -> Self:
        """Wait until the first tab has gone on, and pass the hub where there is one."""
        self.find("//*[@id='gNavHeader'] | //*[@id='root']")
        if self.sees(HUB):
            self.click(HUB)
        self.find("#gNavHeader")
        return self

    def sign_in(self, user: str) -> Self:
        """Sign a user in, with a link by mail unless the user owes none."""
        had = len(self.got(user))
        self.submit(user)
        if "no-code" not in user:
            self.choose_mail().allow(self.mailed(user, had + 1))
        return self.go_on()

    def sign_out(self) -> Self:
        """End the session."""
        return self.click(ACCOUNT_MENU).click(LOG_OUT)

    # Menus

    def menu(self, place: int, entry: int) -> Self:
        """Open an entry of the header's menus."""
        head = self.find(f"{MENUS}/li[{place}]/a")
        if head.get("data-toggle") and not self.sees(f"{MENUS}/li[{place}]/{ENTRIES}/li[{entry}]/a"):
            self.click(head)
        return self.click(f"{MENUS}/li[{place}]/{ENTRIES}/li[{entry}]/a")

    # Reports

    def open_raw(self) -> Self:
        """Open the modal of the raw data."""
        self.menu(4, 4).find("div.Modal.is-active")
        return self

    def raw(self, month: str) -> bytes:
        """Download the raw data of a month, `Oct 2026`, and close the modal."""
        options = self.find("div.Modal.is-active select option").getparent()
        value = next(each.get("value") for each in options if said_in(each) == month)
        self.choose("div.Modal.is-active select", value).click("div.Modal.is-active button", "Download")
        return self.files[-1][1]

    def open_report(self, tab: str, track: str) -> Self:
        """Open a report of Reports Home, and close its notice."""
        self.menu(4, 1).click(f"li{tracked(tab)}").click(tracked(track)).find("#apply-changes")
        return self.understand()

    def understand(self) -> Self:
        """Close the notice where it is."""
        self.look_again()
        if self.sees("app-form-modal button", "I understand"):
            self.click("app-form-modal button", "I understand")
        return self

    def labelled(self, label: str) -> HtmlElement:
        """Return the field of a label."""
        for each in self.all("//select | //input[@type='text']"):
            named = [each.get("aria-label") or "", *(said_in(around) for around in each.iterancestors("label"))]
            own, by = each.get("id") or "?", each.get("aria-labelledby") or "?"
            named += [said_in(other) for other in self.all(f"//label[@for='{own}'] | //*[@id='{by}']")]
            if any(name.startswith(label) for name in named):
                return each
        raise AssertionError(f"There is no field {label}.")

    def pick(self, label: str, said: str) -> Self:
        """Choose the option with this text, or else one that contains it, of the field of a label."""
        field = self.labelled(label)
        options = list(field.iter("option"))
        found = [each for each in options if said_in(each) == said] or [
            each for each in options if said in said_in(each)
        ]
        return self.choose(self.page.getroottree().getpath(field), found[0].get("value"))

    def shown(self, label: str) -> str:
        """Return the text of the option that the field of a label shows."""
        options = list(self.labelled(label).iter("option"))
        chosen = [each for each in options if each.get("selected") is not None] or options[:1]
        return said_in(chosen[-1])

    def pick_account(self, account: str) -> Self:
        """View a report by account, and close the notice that comes again."""
        self.pick("View by", "Account number").pick("Select number", account)
        return self.understand()

    def apply(self) -> Self:
        """Apply the filters unless nothing has changed."""
        if "disabled" not in self.find("#apply-changes").get("class", "").split():
            self.click("#apply-changes")
        return self

    def download(self) -> bytes:
        """Download the report that is shown."""
        self.click("//a | //button", FULL)
        return self.files[-1][1]

    # Bills

    def open_bills(self) -> Self:
        """Open the previous bills."""
        return self.menu(3, 2).click(PREVIOUS).recent()

    def recent(self) -> Self:
        """Select the tab of recent bills."""
        return self.click("//*[@role='tab'] | //button | //a", "Recent bills")

    def choose_account(self, account: str) -> Self:
        """Choose the account of the bills, and select the tab again, which resets."""
        options = list(self.find(f"{DROPDOWN}//option").getparent())
        value = next(each.get("value") for each in options if said_in(each) == account)
        return self.choose(f"{DROPDOWN}//select", value).recent()

    def bill_account(self) -> str:
        """Return the account that the bills are of."""
        return self.chosen(f"{DROPDOWN}//select")

    def bill(self, month: str) -> bytes:
        """Download the bill of a month."""
        self.find(".invoice-card")
        cards = [each for each in self.all(".invoice-card") if said_in(each.cssselect("span.fs-20")[0]) == month]
        self.click(cards[0].cssselect("span.Icon--download")[0])
        return self.files[-1][1]
