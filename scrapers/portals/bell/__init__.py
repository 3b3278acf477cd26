"""Bell: Corporate Self Serve and the Enterprise Centre."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="bell", name="Bell", family="carriers", time_zone="America/Toronto", locale="en_CA")

# Steps of which no fact says how they look: by constant. They are found by role and meaning, in at least two ways.
UNKNOWN_STEPS = {
    "FIND_ACCOUNT": "The button beside the search for an account in the global selection.",
    "EXCEL": "What marks the image that orders an e-report as a workbook.",
    "ROWS": "How a row of the e-reports' status table names its report and its months.",
    "ORDERED": "How the Enterprise Centre says that it has taken an order.",
}
