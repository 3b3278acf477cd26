"""Bell's locale, and the columns of its workbooks. Columns that are not listed here are stored under their title."""

from scrapers.families.carriers.columns import ACCOUNT, PERIOD, PHONE, USER
from scrapers.portals.bell import PORTAL
from scrapers.reading.values.days import day
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import integer, money
from scrapers.reading.values.sizes import gigabytes, megabytes
from scrapers.reading.values.texts import text, text_up_to
from scrapers.reading.workbooks import Column

LOCALE = Locale(PORTAL.locale, PORTAL.time_zone, day_first=False)

USAGE = (
    ACCOUNT,
    PHONE,
    Column("user_name", USER, text_up_to(300)),
    Column("usage_type", r"usage type|plan type", text_up_to(200), repeats=True),
    Column("used", r"data used \(gb\)|usage \(gb\)", gigabytes, required=True),
    Column("used", r"data used \(mb\)|usage \(mb\)", megabytes),
)

SHARED = (ACCOUNT, PERIOD, PHONE, Column("user_name", USER, text))
REPORTS = {
    "cost_overview": (
        *SHARED,
        Column("cost_centre", r"cost cent(re|er)", text, repeats=True),
        Column("monthly_charges", r"monthly charges( \(\w+\))?", money),
        Column("usage_charges", r"usage charges( \(\w+\))?", money),
        Column("taxes", r"tax(es)?( \(\w+\))?", money),
        Column("total_charges", r"total( charges)?( \(\w+\))?", money, required=True),
    ),
    "usage_overview": (
        *SHARED,
        Column("data_used", r"data used \(mb\)", megabytes, required=True),
        Column("voice_minutes", r"voice minutes|minutes", integer),
        Column("text_messages", r"text messages|texts", integer),
        Column("last_used", r"last used( on)?", day),
    ),
    "enhanced_user_profile": (
        *SHARED,
        Column("device", r"device( model)?", text, repeats=True),
        Column("rate_plan", r"rate plan( name)?", text, required=True, repeats=True),
        Column("status", r"(line )?status", text, repeats=True),
        Column("contract_end", r"contract end( date)?", day),
    ),
    "invoice_charge_report": (
        *SHARED,
        Column("invoice_number", r"invoice number", text, repeats=True),
        Column("charge_type", r"charge type", text, required=True, repeats=True),
        Column("charge_date", r"charge date", day),
        Column("quantity", r"quantity", integer),
        Column("amount", r"amount( \(\w+\))?", money, required=True),
        Column("tax", r"tax( \(\w+\))?", money),
    ),
}
