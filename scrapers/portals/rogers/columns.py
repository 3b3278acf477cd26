"""Rogers's locale, and the columns of its extracts. None is stated by a fact: columns not listed here are stored under their title."""

from dataclasses import replace

from scrapers.families.carriers.columns import ACCOUNT, CHARGES, CURRENCY, PERIOD, PHONE, USER
from scrapers.portals.rogers import PORTAL
from scrapers.reading.values.days import day
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import integer, money
from scrapers.reading.values.sizes import gigabytes, megabytes
from scrapers.reading.values.texts import text
from scrapers.reading.workbooks import Column

LOCALE = Locale(PORTAL.locale, PORTAL.time_zone, day_first=False)

LINE = (
    replace(ACCOUNT, header=rf"{ACCOUNT.header}|account (no\.?|#)"),
    replace(PHONE, header=rf"{PHONE.header}|(subscriber|ctn)( number| no\.?| #)?"),
    Column("user_name", rf"{USER}|subscriber name|name", text),
)
BILLED = (*LINE, replace(PERIOD, required=False))
COST_CENTRE = Column("cost_centre", r"cost cent(re|er)( (name|code))?", text, repeats=True)
AMOUNT = Column("amount", rf"(charge |credit |total )?amount{CURRENCY}", money)
DESCRIPTION = Column("description", r"(charge |credit )?(description|type)", text, repeats=True)

REPORTS = {
    "ccd_monthly": (*BILLED, COST_CENTRE, *CHARGES),
    "data": (
        *BILLED,
        COST_CENTRE,
        Column("data_used", r"(total )?data (used|usage) \(mb\)", megabytes),
        Column("data_used", r"(total )?data (used|usage) \(gb\)", gigabytes),
        Column("voice_minutes", r"(voice |airtime )?minutes( used)?", integer),
        Column("text_messages", r"text messages|texts", integer),
    ),
    "ccc_chg": (*BILLED, DESCRIPTION, AMOUNT, *CHARGES),
    "ccc_credits": (*BILLED, DESCRIPTION, Column("credit_date", r"(credit )?date", day), AMOUNT),
    "bcr": (
        *LINE,
        Column("device", r"device( (make|model|description|name))?|hardware( model)?", text, repeats=True),
        Column("imei", r"imei( number)?", text),
        Column("upgrade_eligible", r"(hardware )?(upgrade )?eligib(le|ility)( status)?", text, repeats=True),
        Column("eligible_on", r"(hardware )?(upgrade )?eligib(le|ility) date", day),
        Column("contract_end", r"(contract|commitment) end( date)?", day),
    ),
}
