"""TELUS: My Telus with its bills, Bill Analyzer, and TELUS IQ."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="telus", name="TELUS", family="carriers", time_zone="America/Toronto", locale="en_CA")

# Steps of which no fact says how they look: by constant. They are found by role and meaning, in at least two ways.
UNKNOWN_STEPS = {
    "REFUSED": "How My Telus and TELUS IQ say that a password is wrong.",
    "LOCKED": "How a locked user is told.",
    "LATER": "The control that postpones new terms.",
    "SECOND_FACTOR": "Whether a code is ever asked for; none was seen.",
    "QUEUE": "How the queue of TELUS IQ is opened without ordering a report.",
}
