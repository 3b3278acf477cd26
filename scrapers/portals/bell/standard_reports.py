"""The standard reports of the e-reports tab: opens their page, and chooses report and months in its form."""

from datetime import date

from scrapers.core.page import PortalPage, Selectors, guess

STANDARD = (
    "says=Standard reports",
    "xpath=/html[1]/body[1]/header[1]/div[1]/div[2]/div[1]/div[1]/div[1]/ul[1]/li[2]/div[1]/span[1]/a[1]",
)
REPORT = ("#reportsDropDown", guess("label=Report"), "select")
MONTHS = "xpath=(//select[option[contains(., ' 20')]])"
FROM, TO = (
    ("#fromReportDate", guess("label=From"), guess(f"{MONTHS}[1]")),
    ("#toReportDate", guess("label=To"), guess(f"{MONTHS}[2]")),
)
APPLY = ("#btnApply", "says=Apply")
CRITERIA = (*REPORT[:2], *APPLY)
MARKS = [f"{name}*={kind} i" for kind in ("excel", "xls") for name in ("alt", "title", "aria-label", "src", "class")]
EXCEL = tuple(guess(f":is(img, input, a, button)[{mark}]") for mark in MARKS)


async def open_standard_reports(page: PortalPage) -> None:
    """Open the standard reports, also after the page was loaded again."""
    if not await page.shown(CRITERIA):
        await page.click(STANDARD)
        await page.find(CRITERIA)


async def choose_criteria(page: PortalPage, report: str, today: date) -> Selectors:
    """Choose a report and the months of the job's cycle; return the selectors of the image that orders it as a workbook."""
    target = page.job.target
    await page.pick(REPORT, report)
    await page.month(FROM, target.start, "%b %Y", today)
    await page.month(TO, target.end, "%b %Y", today)
    await page.click(APPLY)
    await page.is_at_rest(10)  # the image may be there before the choices are applied
    await page.find(EXCEL)
    return EXCEL
