"""Israel Electric Company: the customers API behind OKTA."""

from scrapers.core.stated import Portal

PORTAL = Portal(
    word="iec", name="Israel Electric Company", family="electricity", time_zone="Asia/Jerusalem", locale="he_IL"
)
