"""Messages and files of channels."""

from scrapers.core.stated import Export, Family

_EXPORTS = "scrapers.families.messaging.exports"

FAMILY = Family(
    word="messaging",
    exports={
        "channel_files": Export(f"{_EXPORTS}:channel_files"),
        "channel_messages": Export(f"{_EXPORTS}:channel_messages"),
    },
)
