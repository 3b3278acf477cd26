"""Israel Electric Company: the customers API behind OKTA."""

from scrapers.core.stated import Portal

PORTAL = Portal(
    word="iec", name="Israel Electric Company", family="electricity", time_zone="Asia/Jerusalem", locale="he_IL"
)

# Steps of which the fact sheet says how, and not by which words: they are found by guesses alone.
UNKNOWN_STEPS: dict[str, str] = {
    "tariffs.page_prices": "the sheet has the tables' order and columns, not the words of their labels",
}
