"""Bills of an account's page, of the period that is the cycle's."""

from scrapers.core.page import PortalPage, guess
from scrapers.core.panels import choose_in_panel
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import confirm_account
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.tmobile.billing import find_account, open_account
from scrapers.portals.tmobile.dialogs import SAVES, WINDOW
from scrapers.portals.tmobile.login import TmobileLogin
from scrapers.portals.tmobile.periods import place_of

SAYS = ":text-matches('\\\\bcurrent\\\\b|[a-z]{3,9} \\\\d{1,2} ?[-\u2013] ?[a-z]{3,9} \\\\d', 'i')"
PERIOD = (
    guess(f"mat-select{SAYS}"),
    guess(f"mat-select:has({SAYS})"),
    guess("select:has(option:text-matches('historical', 'i'))"),
    guess(f"[role=combobox]{SAYS}"),
    guess(f"[aria-haspopup]:is({SAYS}, :has({SAYS}))"),
    guess("mat-select"),
)
OPTIONS = ":is(mat-option, [role=option], [role=menuitem], [role=menuitemradio]):visible"
VIEW = ("says=View PDF bill",)
RADIOS = (guess(f"{WINDOW} input[type=radio]"), guess(f"{WINDOW} [role=radio]"), guess("input[type=radio]"))
DETAILED = (
    guess("label=Detailed bill"),
    guess("role=radio|Detailed bill"),
    guess("mat-radio-button:has-text('detail')"),
)
SAVE = (
    guess(f"{WINDOW} >> says=Download"),
    "says=Download",
    guess("says=Download PDF"),
    guess("says=Download bill"),
    SAVES,
)


class TmobilePdfInvoice(PdfInvoice):
    """
    Portal
      T-Mobile for Business, billing (https://tfb.t-mobile.com/apps/tfb_billing/dashboard)
    Caveats
      The list of periods names no years: they are told by today's date and the list's order. Bills behind "View historical"
      are not fetched. The detailed bill is fetched where there are two.
    """

    name = "tmobile_pdf_invoice"
    logins = (TmobileLogin,)

    async def fetch(self, page: PortalPage) -> PartFile:
        """Download the bill of the job's account and cycle."""
        target = page.job.target
        await open_account(page, await find_account(page))
        page.begin("choose the bill's period")
        await choose_in_panel(
            page,
            PERIOD,
            lambda offered: place_of(offered, target.start, target.end, self.today()),
            options=OPTIONS,
            whole=True,
        )
        await page.is_at_rest(30)  # the bill of another period may be shown still
        page.begin("open the bill")
        await confirm_account(page, target.account, is_chosen=True)
        await page.click(VIEW)
        await page.arrives(SAVE)
        await page.is_at_rest(5)  # there may be a choice of bills beside it
        several = [radios for radios in RADIOS if await page.scope.locator(radios).count() > 1]
        if several or await page.shown(DETAILED):
            await page.tick((*DETAILED, *(f"{radios} >> nth=1" for radios in several[:1])))
        return await page.download(SAVE)
