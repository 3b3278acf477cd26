"""Verizon: My Business, with raw data, reports and bills; the second factor is a link in a mail."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="verizon", name="Verizon", family="carriers", time_zone="America/New_York", locale="en_US")

# Steps of which no fact says how they look: by constant. They are found by role and meaning.
UNKNOWN_STEPS = {
    "REFUSED": "How a wrong user name or password is told.",
    "LOCKED": "How a locked user is told.",
    "DENIED": "How a sign-in is told that was denied, or allowed too late.",
    "SENT": "What is shown where a mail was sent unasked.",
    "LATER": "The control that postpones new terms.",
    "NAMED": "Where the portal names its user, if its greeting does.",
    "login.LINK": "Whether links in messages lead to another host; VERIZON_LINK_HOSTS names further ones.",
    "CLOSE_MODAL": "The control that closes the modal of the raw data; the Escape key is pressed where there is none.",
    "MONTH_BUTTON": "How the months of the raw data are offered, where they are no drop-down that says so.",
}
