"""Electric companies: people, contracts, meters and readings. A job's target is a person, named by the label of the credential."""

from scrapers.core.stated import Export, Family

FAMILY = Family(
    word="electricity",
    exports={"readings": Export("scrapers.families.electricity.exports:readings")},
)
