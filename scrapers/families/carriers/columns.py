"""Columns that carriers' files have alike, by the words of their headings."""

from scrapers.reading.values.days import month
from scrapers.reading.values.numbers import money
from scrapers.reading.values.texts import account_number, phone_number
from scrapers.reading.workbooks import Column

ACCOUNT = Column("account_number", r"(billing )?account( number)?|ban", account_number, required=True, repeats=True)
PHONE = Column("phone_number", r"(mobile|phone|wireless|telephone) (phone )?number|subscriber", phone_number)
PERIOD = Column("period", r"(invoice|billing|bill) (month|period)", month, required=True, repeats=True)
USER = r"user( name)?"
CURRENCY = r"( ?\((\$|\w+)\))?"  # behind the heading of an amount
CHARGES = (
    Column("monthly_charges", rf"(monthly|plan|recurring) charges{CURRENCY}|frais mensuels{CURRENCY}", money),
    Column("usage_charges", rf"usage charges{CURRENCY}|frais d.utilisation{CURRENCY}", money),
    Column("credits", rf"credits?( (and|&) adjustments)?{CURRENCY}|cr[ée]dits?{CURRENCY}", money),
    Column("taxes", rf"(total |government )?(fees (and|&) )?tax(es)?{CURRENCY}", money),
    Column("total_charges", rf"total( current)?( charges)?{CURRENCY}|total des frais{CURRENCY}", money),
)
