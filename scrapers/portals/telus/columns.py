"""
Telus's locale, and columns of its files. Columns that are not listed here are stored under their title.

No fact names the columns of these files: a heading that says something else than expected costs no more than its column.
"""

from scrapers.families.carriers.columns import CHARGES, CURRENCY, USER
from scrapers.portals.telus import PORTAL
from scrapers.reading.values.days import day, month
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import integer, money
from scrapers.reading.values.sizes import gigabytes, megabytes
from scrapers.reading.values.texts import account_number, phone_number, text, text_up_to
from scrapers.reading.workbooks import Column

LOCALE = Locale(PORTAL.locale, PORTAL.time_zone, day_first=False)
LOCALES = {"en": LOCALE, "fr": Locale("fr_CA", PORTAL.time_zone, day_first=False)}

NUMBER = r"( ?(number|no\.?|#|num[ée]ro))?"
ACCOUNT = Column(
    "account_number",
    rf"(billing |customer )?account{NUMBER}|ban|(num[ée]ro (de|du) )?compte",
    account_number,
    required=True,
    repeats=True,
)
PHONE = Column(
    "phone_number",
    rf"(mobile|phone|wireless|telephone|subscriber|cell(ular)?)( phone)?{NUMBER}|num[ée]ro de (t[ée]l[ée]phone|mobile)",
    phone_number,
)
PERIOD = Column("period", r"(invoice|billing|bill|statement) (month|period)|mois de facturation", month, repeats=True)
SHARED = (ACCOUNT, PERIOD, PHONE, Column("user_name", rf"{USER}|subscriber name|nom( de l.utilisateur)?", text))

USAGE = (
    ACCOUNT,
    PHONE,
    Column("user_name", rf"{USER}|subscriber name|nom( de l.utilisateur)?", text_up_to(300)),
    Column("usage_type", r"usage type|plan type|type d.utilisation", text_up_to(200), repeats=True),
    Column("used", r"(total )?data (used|usage) \(gb\)|usage \(gb\)|donn[ée]es utilis[ée]es \(go\)", gigabytes),
    Column("used", r"(total )?data (used|usage) \(mb\)|usage \(mb\)|donn[ée]es utilis[ée]es \(mo\)", megabytes),
)
REPORTS = {
    "group_summary": (*SHARED, Column("cost_centre", r"cost cent(re|er)|group( name)?", text, repeats=True), *CHARGES),
    "individual_detail": (
        *SHARED,
        *CHARGES,
        Column("data_used", r"data (used|usage) \(mb\)", megabytes),
        Column("data_used", r"data (used|usage) \(gb\)", gigabytes),
        Column("voice_minutes", r"(voice )?minutes( used)?", integer),
        Column("text_messages", r"text messages|texts", integer),
    ),
    "airtime_detail": (
        *SHARED,
        Column("call_date", r"(call )?date", day),
        Column("voice_minutes", r"(voice |call )?minutes|duration( \(min(utes)?\))?", integer),
        Column("amount", rf"(amount|charges?|cost){CURRENCY}", money),
    ),
    "mobility_device": (
        *SHARED,
        Column("device", r"device( model| name)?|model", text, repeats=True),
        Column("imei", r"imei( number)?", text),
        Column("device_balance", rf"(device )?balance( remaining)?{CURRENCY}", money),
        Column("contract_end", r"(contract|term) end( date)?", day),
        Column("upgrade_date", r"(upgrade|renewal) (eligibility )?date", day),
    ),
}
