"""The pages of the product: reports with their filters and export, bills with their documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.globys.edition import Edition, Report, View
from sandbox.globys.invoices import invoice_pdf, of_user
from sandbox.globys.tables import file_rows, report_rows
from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import CSV_TYPE, PDF_TYPE, XLSX_TYPE, File
from sandbox.scripted.portal import Act, Page
from sandbox.tables import as_csv, changed
from sandbox.workbooks import workbook

NEAR = 10  # accounts that the filter lists before a search
PREVIEW_ROWS = 5
REPORTS, REPORT, BILLS = "Reports", "Report", "Bills"
SCENARIOS = {
    "filter-fails": "filters of accounts change nothing",
    "month-filter-fails": "filters of months change nothing",
    "filter-resets": "an export resets the filters",
    "export-resets": "the dialog of an export resets the filters before the file is made",
    "account-switched": "another tab of the session puts the filter of accounts back when a report is opened",
    "read-back-late": "the filter shows the chosen account `late_ms` after it counts",
    "first-item-other": "a search for an account lists another one first",
    "namesake-first": "a search for an account lists one first whose number begins with the same digits",
    "wrong-month": "reports and bills of another month than the chosen one",
    "wrong-account-file": "files are about another account than their page",
    "mixed-file": "reports have rows of another account at their end",
    "unnamed-file": "reports have no column of accounts",
    "row-other-first": "the list of bills begins with another account's",
    "rows-move": "the same, and its rows move between a look and a click: the documents are those of the row above",
    "dialog-stays": "the dialog of documents is that of a bill of the user's last account, opened before",
    "total-differs": "an invoice asks for more than the list of bills and its lines",
    "invoice-french": "invoices are in French; a tag `invoice-layout-<1 to 4>` picks their layout",
    "renamed-file": "an export is called detail_report.csv",
}
SETTINGS: dict[str, Any] = {
    "scope_ms": 100,  # when the list of accounts is narrowed to what was typed
    "report_ms": 150,  # when a report or the list of bills is there
    "late_ms": 2500,  # when the filter of accounts shows the choice in the scenario `read-back-late`
    "report_rows": 30,
}


class Bills:
    """
    The product at one portal.

    framed: puts a page's title and content into the portal's own frame.
    """

    def __init__(self, edition: Edition, framed: Callable[[Call, str, str], Reply]) -> None:
        self.edition, self.framed = edition, framed
        self.pages: dict[str, Page] = {REPORTS: self.reports, REPORT: self.report, BILLS: self.bills}
        self.acts: dict[str, Act] = {
            "choose-tab": self.choose_tab,
            "tick-account": self.tick_account,
            "apply-account": self.apply_account,
            "apply-month": self.apply_month,
            "view-report": self.view_report,
            "export-report": self.export,
            "back-to-reports": self.back,
            "pick-month": self.pick_month,
            "view-bills": self.view_bills,
            "open-documents": self.open_documents,
            "download-bill": self.download_bill,
        }
        self.quiet: dict[str, Act] = {
            "find-account": self.find_account,
            "show-filters": self.show_filters,
            "show-report": self.show_report,
            "list-bills": self.list_bills,
        }

    # Reports

    def reports(self, call: Call) -> Reply:
        """A view of the reports: tabs, filters, and the accordion of the tab."""
        view = self._view(call)
        self._keep(call, view=view.number, ticked="")
        return self._page(call, view.title, call.render("globys_reports", **self._values(call)))

    async def choose_tab(self, call: Call) -> Reply:
        """Show another tab."""
        self._keep(call, tab=call.value("value"))
        return {"delay": call.delay, "show": {"[data-place=reports]": self._drawn(call, "globys_accordion")}}

    async def find_account(self, call: Call) -> Reply:
        """List the accounts with the digits typed in their number."""
        wanted = call.value("wanted").strip()
        found = [account for account in call.accounts if wanted in account][:NEAR]
        if wanted and call.user.says("first-item-other"):
            found.insert(0, call.portal.people.numbered(f"first {call.user.name}", 1)[0])
        if wanted and call.user.says("namesake-first"):
            found.insert(0, f"{wanted}0")
        return {"show": {"[data-place=accounts]": self._items(call, found)}}

    async def tick_account(self, call: Call) -> Reply:
        """Mark an account of the list; it counts when OK is pressed."""
        self._keep(call, ticked=call.value("value"))
        return {"show": {"[data-place=accounts]": self._items(call, [call.value("value")])}}

    async def apply_account(self, call: Call) -> Reply:
        """Have the marked account count; in the scenario `filter-fails` nothing changes."""
        ticked = self._state(call)["ticked"]
        if ticked and not call.user.says("filter-fails"):
            opened = call.portal.people.opened(call.user, ticked, call.accounts)
            if opened != self._state(call)["account"]:
                call.portal.counters.add("account_changes")
            self._keep(call, account=opened, ticked="", listed=False)
        if call.user.says("read-back-late"):
            return {"again": {"act": "show-filters", "delay": call.setting("late_ms")}}
        return self._filtered(call)

    async def show_filters(self, call: Call) -> Reply:
        """Show the filters as they count."""
        return self._filtered(call)

    async def apply_month(self, call: Call) -> Reply:
        """Have a month count; in the scenario `month-filter-fails` nothing changes."""
        month = next((each for each in call.months if self.edition.value(each) == call.value("bmtype_data")), None)
        if month is not None and not call.user.says("month-filter-fails"):
            self._keep(call, month=month.short)
        return self._filtered(call)

    async def view_report(self, call: Call) -> Reply:
        """Open a report by the text of its button."""
        report = self.edition.report(call.value("value"))
        if report is None or call.user.says(f"fails-{_hyphened(report)}"):
            alert = '<p role="alert">The report could not be opened. Please try again later.</p>'
            return {"show": {"[data-place=report-error]": alert}}
        self._keep(call, report=call.value("value"))
        if call.user.says("account-switched"):
            self._keep(call, account=self._first(call)["account"])
        return {"delay": call.delay, "go": call.at(REPORT)}

    def report(self, call: Call) -> Reply:
        """A report, which comes a moment after its page."""
        if not self._state(call)["report"]:
            return {"go": call.at(REPORTS)}
        content = call.render("globys_report")
        return self._page(call, "Report", content) | {
            "again": {"act": "show-report", "delay": call.setting("report_ms")}
        }

    async def show_report(self, call: Call) -> Reply:
        """Show what the report holds, and the way to export it."""
        state = self._state(call)
        report, month = self.edition.report(state["report"]), self._counting_month(call)
        if report is None:
            return {"go": call.at(REPORTS)}
        rows = report_rows(report.slug, state["account"], month, PREVIEW_ROWS)
        about = {"label": state["report"], "scope": state["account"], "dated": report.dated}
        html = call.render("globys_shown", rows=rows, month=self.edition.text(month), **about)
        return {"show": {"[data-place=report]": html}}

    async def export(self, call: Call) -> Reply:
        """Hand out the report as CSV or workbook; in the scenario `filter-resets` the filters are as at first afterwards."""
        if call.user.says("export-resets"):
            self._reset(call)
        state = self._state(call)
        report, month = self.edition.report(state["report"]), self._counting_month(call)
        if report is None or not call.value("format"):
            return {}
        account, count = state["account"], int(call.setting("report_rows"))
        if call.user.says("wrong-account-file"):
            account = call.portal.people.numbered(f"wrong file {call.user.name}", 1)[0]
        rows = changed(call.perturbation, file_rows(call.user, call.portal.people, report.slug, account, month, count))
        call.portal.counters.add_to("exports_of", report.slug)
        title = "detail_report" if call.user.says("renamed-file") else f"{state['report']} Report"
        if call.value("format") == "csv":
            file = File(report.slug, f"{title}.csv", CSV_TYPE, lambda: as_csv(rows))
        else:
            file = File(report.slug, f"{title}.xlsx", XLSX_TYPE, lambda: workbook("Report", rows))
        reply = offer(call, file)
        if call.user.says("filter-resets"):
            self._reset(call)
        return reply

    async def back(self, call: Call) -> Reply:
        """Return to the reports."""
        self._keep(call, report="")
        return {"delay": call.delay, "go": call.at(REPORTS, view=str(self._state(call)["view"]))}

    # Bills

    def bills(self, call: Call) -> Reply:
        """The bills: filters, and the list that a button shows."""
        self._keep(call, listed=False, ticked="")
        return self._page(call, "Bills", call.render("globys_bills", **self._values(call)))

    async def pick_month(self, call: Call) -> Reply:
        """Choose the month of the bills; in the scenario `month-filter-fails` nothing changes."""
        month = next((each for each in call.months if each.name == call.value("value")), None)
        if month is not None and not call.user.says("month-filter-fails"):
            self._keep(call, bill_month=month.short, listed=False)
        return self._filtered(call)

    async def view_bills(self, call: Call) -> Reply:
        """Begin to list the bills that the filters let through."""
        self._keep(call, listed=True)
        wait = {"act": "list-bills", "delay": call.setting("report_ms")}
        return {"show": {"[data-place=bills]": '<p aria-busy="true">Loading</p>'}, "again": wait}

    async def list_bills(self, call: Call) -> Reply:
        """List the bills: one of each account that counts."""
        month, account = self._bill_month(call), self._state(call)["account"]
        rows = [self._bill(call, account, month)]
        if call.user.says("row-other-first", "rows-move"):
            rows.insert(0, self._bill(call, call.portal.people.numbered(f"row {call.user.name}", 1)[0], month))
        return {"show": {"[data-place=bills]": call.render("globys_list", rows=rows)}}

    async def open_documents(self, call: Call) -> Reply:
        """Show the dialog of a bill's documents."""
        account, month = call.value("value"), self._bill_month(call)
        if call.user.says("rows-move"):
            account = call.portal.people.numbered(f"row {call.user.name}", 1)[0]
        if call.user.says("dialog-stays"):
            account = call.accounts[-1]
        newer = [each for each in call.months if (each.year, each.number) > (month.year, month.number)][-1:]
        items = [month, month.before, month.before.before]
        if call.user.says("document-other-first"):
            items = [*newer, month.before, month, month.before.before]
        if call.user.says("document-missing"):
            items.remove(month)
        html = call.render(
            "globys_documents", bill_account=account, items=items, month=month, by_month=self.edition.dated_items
        )
        return {"delay": call.delay, "show": {"[data-place=documents]": html}}

    async def download_bill(self, call: Call) -> Reply:
        """Hand out a bill: the value is its account and month."""
        account, _, short = call.value("value").partition(" ")
        month = next((each for each in self._offered(call) if each.short == short), None)
        known = {*call.accounts, *call.portal.people.numbered(f"row {call.user.name}", 1)}
        if month is None or account not in known:
            return {"show": {"[data-place=bill-error]": '<p role="alert">This document is not available.</p>'}}
        if call.user.says("wrong-account-file"):
            account = call.portal.people.numbered(f"wrong file {call.user.name}", 1)[0]
        if call.user.says("wrong-month"):
            month = month.before
        invoice = of_user(call.user, account, month, self.edition.currency)
        name = f"{account}_{month.year}{month.number:02}.pdf"
        return offer(call, File("invoice", name, PDF_TYPE, lambda: invoice_pdf(invoice)))

    # What a session holds

    def _first(self, call: Call) -> dict[str, Any]:
        """Return the state of a new session: the filters show the last account, and the second newest month."""
        month = call.months[1] if len(call.months) > 1 else call.months[0]
        account = call.accounts[-1] if len(call.accounts) > 1 else call.account
        return {
            "account": account,
            "month": month.short,
            "bill_month": month.short,
            "ticked": "",
            "view": self.edition.views[0].number,
            "tab": "",
            "report": "",
            "listed": False,
        }

    def _state(self, call: Call) -> dict[str, Any]:
        kept: dict[str, Any] = call.data.get("bills", {})
        return self._first(call) | kept

    def _keep(self, call: Call, **changes: Any) -> None:
        call.keep(bills=self._state(call) | changes)

    def _reset(self, call: Call) -> None:
        first = self._first(call)
        self._keep(call, account=first["account"], month=first["month"])

    def _view(self, call: Call) -> View:
        asked = call.page.rpartition("view=")[2]
        numbers = [str(view.number) for view in self.edition.views]
        return self.edition.view(int(asked) if asked in numbers else self._state(call)["view"])

    def _offered(self, call: Call) -> list[Month]:
        """Return the months of which there are bills, two more than the filters offer."""
        last = call.months[-1]
        return [*call.months, last.before, last.before.before]

    def _month(self, call: Call, key: str) -> Month:
        return next((each for each in call.months if each.short == self._state(call)[key]), call.months[0])

    def _counting_month(self, call: Call) -> Month:
        """Return the month of the reports: the one before the chosen one in the scenario `wrong-month`."""
        month = self._month(call, "month")
        return month.before if call.user.says("wrong-month") else month

    def _bill_month(self, call: Call) -> Month:
        return self._month(call, "bill_month")

    # What is drawn

    def _page(self, call: Call, title: str, content: str) -> Reply:
        return self.framed(call, title, call.render("globys_page", content=content, edition=self.edition))

    def start(self, call: Call) -> Reply:
        """The product's first page: its menu."""
        return self._page(call, "Billing", "")

    def _values(self, call: Call) -> dict[str, Any]:
        """Return what the templates of filters and reports know."""
        state, edition = self._state(call), self.edition
        view = edition.view(state["view"])
        tab = next((each for each in view.tabs if each.title == state["tab"]), view.tabs[0])
        shown = [(section, self._buttons(call, section.reports)) for section in tab.sections]
        return {
            "view": view,
            "tab": tab,
            "sections": [(section, buttons) for section, buttons in shown if buttons],
            "scope": state["account"],
            "multiple": edition.multiple,
            "listed_accounts": call.accounts[:NEAR],
            "ticked": state["ticked"],
            "month_text": edition.text(self._month(call, "month")),
            "months": [(edition.value(month), edition.text(month)) for month in call.months],
            "month_value": edition.value(self._month(call, "month")),
            "bill_month": self._bill_month(call).name,
            "bill_months": [month.name for month in call.months],
            "scope_ms": call.setting("scope_ms"),
        }

    def _buttons(self, call: Call, reports: tuple[Report, ...]) -> list[str]:
        """Return the texts of the reports' buttons; with the tag `older-labels` the last ones."""
        place = -1 if call.user.says("older-labels") else 0
        there = [report for report in reports if not call.user.says(f"missing-{_hyphened(report)}")]
        return [report.labels[place] for report in there]

    def _items(self, call: Call, found: list[str]) -> str:
        return call.render("globys_accounts", found=found, ticked=self._state(call)["ticked"])

    def _drawn(self, call: Call, template: str) -> str:
        return call.render(template, **self._values(call))

    def _filtered(self, call: Call) -> Reply:
        """Draw the filters anew, of reports and of bills: the page has one of the two."""
        bills = call.place == BILLS
        places = {"filters": "globys_bill_filters" if bills else "globys_filters"}
        places |= {} if bills else {"accordion": "globys_sections"}
        shown = {f"[data-place={place}]": self._drawn(call, template) for place, template in places.items()}
        return {"delay": call.delay, "show": shown | ({"[data-place=bills]": ""} if bills else {})}

    def _bill(self, call: Call, account: str, month: Month) -> dict[str, Any]:
        invoice = of_user(call.user, account, month, self.edition.currency)
        dates = {"issued": invoice.issued.isoformat(), "due": invoice.due.isoformat()}
        return {"account": account, "number": invoice.number, "total": f"${invoice.total:,.2f}", **dates}


def _hyphened(report: Report) -> str:
    """Return a report's slug as tags write it."""
    return report.slug.replace("_", "-")
