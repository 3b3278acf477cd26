"""Bell: Corporate Self Serve and the Enterprise Centre."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="bell", name="Bell", family="carriers", time_zone="America/Toronto", locale="en_CA")

# Steps of which no fact says how they look: by constant. They are found by role and meaning, in at least two ways.
UNKNOWN_STEPS = {
    "EXCEL": "What marks the image that orders an e-report as a workbook.",
    "REFUSED": "How the Enterprise Centre, and Self Serve beside its known mark, say that a password is wrong.",
    "WRONG_CODE": "How a wrong code is told; that its field stays is known.",
    "LOCKED": "How a locked user is told.",
    "LATER": "The control that postpones new terms.",
    "NAMED": "Where the Enterprise Centre names its user, if it does.",
    "ORDERED": "How the Enterprise Centre says that it has taken an order.",
    "CAPTCHA": "Whether the Enterprise Centre shows a captcha; that of Self Serve is known.",
    "EXPORT_FAILED": "How the Enterprise Centre says that it could not make a report.",
}
