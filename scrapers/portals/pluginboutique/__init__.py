"""Plugin Boutique: a shop of plug-ins for music."""

from scrapers.core.stated import Portal

PORTAL = Portal(
    word="pluginboutique", name="Plugin Boutique", family="prices", time_zone="Europe/London", locale="en_GB"
)
