"""Electric companies: people, contracts, meters and readings. A job's target is a person, named by the label of the credential."""

from scrapers.core.stated import Export, Family

FAMILY = Family(
    word="electricity",
    models=("database.models.electricity", "database.models.readings"),
    exports={"readings": Export("scrapers.families.electricity.exports:readings")},
)
