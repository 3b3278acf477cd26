"""T-Mobile for Business: billing and reporting behind a sign-in in two steps."""

from scrapers.core.stated import Portal

# No fact says by which zone the portal dates what it makes: this is a guess.
PORTAL = Portal(word="tmobile", name="T-Mobile", family="carriers", time_zone="America/New_York", locale="en_US")

# Steps of which no fact says how they look: by constant. They are found by role and meaning.
UNKNOWN_STEPS = {
    "REFUSED": "How a wrong user name, password or code is told; that the code's field stays is known.",
    "LOCKED": "How a locked user is told.",
    "LATER": "The control that postpones new terms.",
    "CAPTCHA": "Whether the sign-in shows a captcha.",
    "NAMED": "Where the portal names its user, if it does.",
    "DIALOG": "What marks a dialog; that there are some is known.",
    "CLOSE": "The control that closes a dialog.",
    "OPEN": "What marks the tab that is open.",
    "SAVE": "What the button says that starts the download of a report; that it is in a dialog is known.",
    "TAKE": "Whether a choice in the hierarchy has to be confirmed, and how.",
    "OTHER_HIERARCHY": "The control of the hierarchy beside the other templates, which is another one.",
    "PERIOD": "The control of a bill's period; its options are known.",
    "DETAILED": "What the radio button of the detailed bill says; that it is the second one is known.",
    "RADIOS": "How that choice is drawn.",
    "hierarchy.NODES": "The elements of the tree of accounts.",
    "billing.ROWS": "Whether the elements of the list that are known are its rows or their cells.",
}
