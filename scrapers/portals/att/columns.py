"""AT&T's locale, and the columns of its exports. None is stated by a fact: columns not listed here are stored under their title."""

from dataclasses import replace

from scrapers.families.carriers.columns import ACCOUNT, CHARGES, CURRENCY, PERIOD, PHONE
from scrapers.portals.att import PORTAL
from scrapers.reading.values.days import day, month
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import integer, money
from scrapers.reading.values.sizes import gigabytes, megabytes
from scrapers.reading.values.texts import Cell, text, text_up_to
from scrapers.reading.workbooks import Column

LOCALE = Locale(PORTAL.locale, PORTAL.time_zone, day_first=False)


def billing_month(cell: Cell, locale: Locale) -> str | None:
    """
    Return the month (YYYY-MM) of a billing month, or of the day on which a billing cycle ends.

    >>> billing_month("October 2026", LOCALE), billing_month("10/20/2026", LOCALE)
    ('2026-10', '2026-10')
    """
    try:
        return month(cell, locale)
    except ValueError:
        ends = day(cell, locale)
        return None if ends is None else ends[:7]


CYCLE = replace(PERIOD, header=r"(bill(ing)?|market) cycle( end)?( date)?", read=billing_month, required=False)
LINE = (ACCOUNT, replace(PHONE, header=f"{PHONE.header}|(wireless|mobile) number|ctn"))
NAME = Column("user_name", r"(wireless )?user( name)?", text_up_to(300))
BILLED = (*LINE, NAME, replace(PERIOD, required=False), CYCLE)
USED = (
    Column("used", r"(total )?(data )?(used|usage)( \(gb\)| gb)", gigabytes),
    Column("used", r"(total )?(data )?(used|usage)( \(mb\)| mb)", megabytes),
)

USAGE = (
    *LINE,
    NAME,
    Column("usage_type", r"usage type|type of usage|rate plan( name)?", text_up_to(200), repeats=True),
    *(replace(column, required=True) for column in USED),
)

BILLED_CHARGES = (
    *CHARGES,
    Column("equipment_charges", rf"equipment charges{CURRENCY}", money),
    Column("surcharges", rf"(fees|surcharges|surcharges (and|&) (other )?fees){CURRENCY}", money),
)
AMOUNT = Column("amount", rf"(charge )?amount{CURRENCY}", money)
REPORTS = {
    "all_billing_cycle_charges": (
        *BILLED,
        *BILLED_CHARGES,
        Column("charge_type", r"charge (type|category)", text, repeats=True),
        AMOUNT,
    ),
    "wireless_charges": (
        *BILLED,
        Column("rate_plan", r"(rate )?plan( name)?", text, repeats=True),
        *(replace(column, name="data_used") for column in USED),
        Column("voice_minutes", r"(voice )?minutes( used)?", integer),
        Column("text_messages", r"(text )?messages( used)?", integer),
        *BILLED_CHARGES,
    ),
    "usage_details": (
        *BILLED,
        Column("usage_date", r"(usage )?date", day),
        Column("usage_type", r"usage type|type of usage", text, repeats=True),
        *(replace(column, name="data_used") for column in USED),
        AMOUNT,
    ),
    "device_installment": (
        *BILLED,
        Column("device", r"device( (make|model|description|name))?|equipment", text, repeats=True),
        Column("installment_number", r"installment( number| no\.?)", text),
        Column("installment_amount", rf"(monthly )?installment( amount)?{CURRENCY}", money),
        Column("remaining", rf"(remaining )?balance( remaining)?{CURRENCY}", money),
        Column("started", r"(agreement |installment )?start date", day),
        Column("ends", r"(agreement |installment )?end date", day),
    ),
    "upgrade_and_inventory": (
        *LINE,
        NAME,
        Column("device", r"device( (make|model|description|name))?", text, repeats=True),
        Column("imei", r"imei( number)?", text),
        Column("status", r"((line|wireless number) )?status", text, repeats=True),
        Column("upgrade_eligible", r"upgrade eligib(le|ility)( status)?", text, repeats=True),
        Column("eligible_on", r"(upgrade )?eligib(le|ility) date", day),
        Column("contract_end", r"contract end( date)?", day),
    ),
}
