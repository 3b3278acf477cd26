"""AT&T: Premier Care, with the billing product that it shares with Telus."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="att", name="AT&T", family="carriers", time_zone="America/New_York", locale="en_US")

# Steps of which no fact says how they look: by constant. They are found by role and meaning.
UNKNOWN_STEPS = {
    "REFUSED": "How a wrong user name or password is told.",
    "WRONG_CODE": "How a wrong code is told; that its field stays is known.",
    "LOCKED": "How a locked user is told.",
    "USER_LOCKED": "How a locked user is told where only the user name was given.",
    "LATER": "The control that postpones new terms.",
    "NAMED": "Where Premier Care names its user, if it does.",
    "CAPTCHA": "Whether Premier Care shows a captcha.",
}
