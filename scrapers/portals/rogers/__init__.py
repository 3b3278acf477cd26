"""Rogers: Bizonline with its reports, data notifications and bills, behind an identity provider of its own."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="rogers", name="Rogers", family="carriers", time_zone="America/Toronto", locale="en_CA")

# Steps of which no fact says how they look: by constant. They are found by role and meaning.
UNKNOWN_STEPS = {
    "REFUSED": "How a wrong user name, password or code is told; that the fields of a code stay is known.",
    "LOCKED": "How a locked user is told.",
    "LATER": "The control that postpones new terms.",
    "CAPTCHA": "Whether the sign-in shows a captcha; a block of automated browsers was seen, and not how it looks.",
    "BY_TEXT": "Whether codes are offered by text message, too.",
    "requests.FAILED": "How a request for an extract that could not be made is told.",
    "reports.SAID": "Where the page of a report says which bill cycle is chosen.",
}
