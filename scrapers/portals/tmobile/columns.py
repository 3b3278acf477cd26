"""T-Mobile's locale, and the columns of its files. None is stated by a fact: columns not listed here are stored under their title."""

from dataclasses import replace

from scrapers.families.carriers.columns import ACCOUNT, CHARGES, CURRENCY, PERIOD, PHONE
from scrapers.portals.tmobile import PORTAL
from scrapers.reading.values.days import day
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import integer, money
from scrapers.reading.values.sizes import gigabytes, megabytes
from scrapers.reading.values.texts import text, text_up_to
from scrapers.reading.workbooks import Column

LOCALE = Locale(PORTAL.locale, PORTAL.time_zone, day_first=False)

LINE = (
    replace(ACCOUNT, header=rf"{ACCOUNT.header}|account (no\.?|#)"),
    replace(PHONE, header=rf"{PHONE.header}|(subscriber|line|msisdn)( number| no\.?| #)?|(mobile|wireless) number"),
    Column("user_name", r"(subscriber |line |user )?name|user", text_up_to(300)),
)
BILLED = (*LINE, replace(PERIOD, required=False))
USED = (
    Column("used", r"(total )?(data )?(used|usage)( \(gb\)| gb)", gigabytes),
    Column("used", r"(total )?(data )?(used|usage)( \(mb\)| mb)", megabytes),
)
DATA = tuple(replace(column, name="data_used") for column in USED)
DEVICE = Column("device", r"(device|equipment)( (make|model|description|name|type))?|model", text, repeats=True)
IMEI = Column("imei", r"imei( number)?", text)

USAGE = (
    *LINE,
    Column("usage_type", r"usage type|type of usage|(rate )?plan( name)?", text_up_to(200), repeats=True),
    *(replace(column, required=True) for column in USED),
)

REPORTS = {
    "charges_and_usage": (
        *BILLED,
        Column("rate_plan", r"(rate )?plan( name)?", text, repeats=True),
        *DATA,
        Column("voice_minutes", r"(voice )?minutes( used)?", integer),
        Column("text_messages", r"(text )?messages( used)?|texts", integer),
        *CHARGES,
    ),
    "usage_detail": (
        *BILLED,
        Column("usage_date", r"(usage )?date", day),
        Column("usage_type", r"usage type|type of usage", text, repeats=True),
        *DATA,
        Column("amount", rf"(charge )?amount{CURRENCY}", money),
    ),
    "statement_detail": (
        *BILLED,
        Column("description", r"(charge )?(description|type|category)", text, repeats=True),
        Column("amount", rf"(charge )?amount{CURRENCY}", money),
        *CHARGES,
    ),
    "inventory_report": (
        *LINE,
        DEVICE,
        IMEI,
        Column("sim", r"(sim|iccid)( (card )?number)?", text),
        Column("status", r"((line|device) )?status", text, repeats=True),
        Column("upgrade_eligible", r"upgrade eligib(le|ility)( status)?", text, repeats=True),
        Column("eligible_on", r"(upgrade )?eligib(le|ility) date", day),
    ),
    "equipment_installment": (
        *LINE,
        DEVICE,
        IMEI,
        Column("installment_number", r"installment( number| no\.?)|installment plan id", text),
        Column("installment_amount", rf"(monthly )?installment( amount)?{CURRENCY}", money),
        Column("remaining", rf"(remaining )?balance( remaining)?{CURRENCY}", money),
        Column("started", r"((agreement|installment|plan) )?start date", day),
        Column("ends", r"((agreement|installment|plan) )?end date", day),
    ),
}
