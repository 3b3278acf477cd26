"""Verizon's locale, and the columns of its files. None is stated by a fact: columns not listed here are stored under their title."""

from dataclasses import replace

from scrapers.families.carriers.columns import ACCOUNT, CHARGES, CURRENCY, PERIOD, PHONE, USER
from scrapers.portals.verizon import PORTAL
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

    >>> billing_month("Oct 2026", LOCALE), billing_month("10/31/2026", LOCALE)
    ('2026-10', '2026-10')
    """
    try:
        return month(cell, locale)
    except ValueError:
        ends = day(cell, locale)
        return None if ends is None else ends[:7]


LINE = (
    replace(ACCOUNT, header=rf"{ACCOUNT.header}|(billing )?acc(oun)?t\.? ?(no\.?|num\.?|number|#)"),
    replace(PHONE, header=rf"{PHONE.header}|(wireless|mobile) (number|no\.?|#)|mdn"),
    Column("user_name", rf"{USER}|(wireless )?user( name)?|subscriber name|name", text_up_to(300)),
)
CYCLE = replace(PERIOD, header=r"bill(ing)? cycle( end)?( date)?|bill date", read=billing_month, required=False)
BILLED = (*LINE, replace(PERIOD, required=False), CYCLE)
COST_CENTRE = Column("cost_centre", r"cost cent(er|re)( (name|code))?", text, repeats=True)
USED = (
    Column("used", r"(total |domestic )?(data )?(used|usage)( \(gb\)| gb)", gigabytes),
    Column("used", r"(total |domestic )?(data )?(used|usage)( \(mb\)| mb)", megabytes),
)
DATA_USED = tuple(replace(column, name="data_used") for column in USED)
VOICE = Column("voice_minutes", r"(total |voice |peak )?minutes( used)?", integer)
AMOUNT = Column("amount", rf"(charge |total )?amount{CURRENCY}|cost{CURRENCY}", money)
DEVICE = (
    Column("device", r"(current )?device( (make|model|description|name|type))?|equipment( model)?", text, repeats=True),
    Column("imei", r"(device id|imei|esn)( ?/ ?\w+)*( number)?", text),
)

USAGE = (
    *LINE,
    Column("usage_type", r"usage (type|category)|(rate |calling )?plan( name)?", text_up_to(200), repeats=True),
    *USED,
)
BILLED_CHARGES = (
    *CHARGES,
    Column("equipment_charges", rf"equipment charges{CURRENCY}", money),
    Column("surcharges", rf"(vzw |verizon )?surcharges( (and|&) other charges( (and|&) credits)?)?{CURRENCY}", money),
)
REPORTS = {
    "account_wireless": (*BILLED, COST_CENTRE, *BILLED_CHARGES, *DATA_USED, VOICE),
    "wireless_charges_detail": (
        *BILLED,
        COST_CENTRE,
        Column("description", r"(item |charge )?(description|category|type)", text, repeats=True),
        AMOUNT,
        *BILLED_CHARGES,
    ),
    "wireless_usage_detail": (
        *BILLED,
        Column("usage_date", r"(usage |call )?date", day),
        Column("usage_type", r"usage (type|category)", text, repeats=True),
        *DATA_USED,
        VOICE,
        AMOUNT,
    ),
    "device_report": (
        *LINE,
        *DEVICE,
        Column("contract_end", r"(contract|agreement|term) end( date)?", day),
        Column("early_termination_fee", rf"(early termination|etf)( fee)?( amount)?{CURRENCY}", money),
        Column("offer_recovery", rf"offer recovery( fee)?( amount)?{CURRENCY}", money),
    ),
    "activation_and_deactivation": (
        *LINE,
        *DEVICE,
        Column("status", r"((line|wireless number) )?(status|activity|action)( type)?", text, repeats=True),
        Column("status_date", r"(status |activity |effective |activation |deactivation )?date", day),
    ),
    "suspended_wireless_numbers": (
        *LINE,
        Column("status", r"((line|wireless number) )?status|suspen(d|sion) (type|reason)", text, repeats=True),
        Column("suspended_on", r"suspen(d|ded|sion)( start)?( date| on)", day),
        Column("resumes_on", r"(reconnect|resume|suspen(d|sion) end)( date| on)?", day),
    ),
}
