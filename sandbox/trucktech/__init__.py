"""An imitation of TruckTech+, a fleet portal with vehicles and their faults: see README.md beside this file."""
