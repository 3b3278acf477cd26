"""Fleet portals: tenants, vehicles and faults."""

from scrapers.core.stated import Export, Family, Target

_EXPORTS = "scrapers.families.fleet.exports"

FAMILY = Family(
    word="fleet",
    exports={
        "vehicles": Export(f"{_EXPORTS}:vehicles"),
        "faults": Export(f"{_EXPORTS}:faults"),
        "syncs": Export(f"{_EXPORTS}:syncs"),
        "fault_events": Export(f"{_EXPORTS}:fault_events"),
    },
    counts=("vehicles_found", "faults_found", "new_faults", "critical_faults"),
    target=Target("tenant", "name of the fleet (default: default)", short="t"),
)
