"""Columns that carriers' files have alike, by the words of their headings."""

from scrapers.reading.values.days import month
from scrapers.reading.values.texts import account_number, phone_number
from scrapers.reading.workbooks import Column

ACCOUNT = Column("account_number", r"(billing )?account( number)?|ban", account_number, required=True, repeats=True)
PHONE = Column("phone_number", r"(mobile|phone|wireless|telephone) (phone )?number|subscriber", phone_number)
PERIOD = Column("period", r"(invoice|billing|bill) (month|period)", month, required=True, repeats=True)
USER = r"user( name)?"
