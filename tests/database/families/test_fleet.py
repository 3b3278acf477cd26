"""What is new and what is gone in a fleet, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from database.families.fleet import (
    Seen,
    conclude_sync,
    is_critical,
    known_vins,
    last_complete_sync,
    note_vehicles,
    tenant_named,
)
from database.models import Run
from database.models.fleet import Fault, FaultChange, FaultEvent, Severity, Tenant, Vehicle
from database.upsert import upsert

KEY = ("tenant_id", "vin", "source_address", "spn", "fmi")
VINS = ("1XPBDP9X0FD000001", "1XPBDP9X0FD000002")


class Fleet:
    """A tenant whose syncs can be told in a line: each fault is (vehicle's index, SPN, FMI)."""

    def __init__(self, store, name="default"):
        self.store = store
        with store.transaction() as session:
            self.tenant = tenant_named(session, "meadow", name).id

    def sync(self, *active, inactive=(), unknown=(), complete=True, severity=Severity.MINOR):
        rows = [self.row(fault, True, severity) for fault in active]
        rows += [self.row(fault, False, severity) for fault in inactive]
        rows += [self.row(fault, None, severity) for fault in unknown]
        with self.store.transaction() as session:
            run = Run(crawl="c", spider="meadow_faults", portal="meadow", report_type="faults")
            session.add(run)
            session.flush()
            upsert(session, Fault, rows, KEY)
            sync = conclude_sync(session, self.tenant, run.id, Seen(VINS, rows), complete=complete, errors=["x"])
            return sync.new_faults, sync.closed_faults

    def row(self, fault, is_active, severity):
        at, spn, fmi, *address = fault
        row = {"tenant_id": self.tenant, "vin": VINS[at], "spn": spn, "fmi": fmi, "is_active": is_active}
        return {**row, "source_address": address[0] if address else 0, "severity": severity}

    def faults(self):
        """Return SPN: (active, closed) of all faults."""
        with self.store.transaction() as session:
            rows = session.scalars(select(Fault).where(Fault.tenant_id == self.tenant))
            return {row.spn: (row.is_active, row.closed_at is not None) for row in rows}

    def history(self):
        with self.store.transaction() as session:
            query = select(Fault.spn, FaultEvent.change).join(Fault, Fault.id == FaultEvent.fault_id)
            rows = session.execute(query.where(Fault.tenant_id == self.tenant).order_by(FaultEvent.id))
            return [(spn, change) for spn, change in rows]


@pytest.fixture
def fleet(store):
    return Fleet(store)


def test_new_and_gone_are_measured_against_the_last_complete_sync(fleet):
    assert fleet.sync((0, 100, 1), (1, 200, 2)) == (2, 0)
    assert fleet.sync((0, 100, 1), (1, 200, 2)) == (0, 0)
    assert fleet.sync((0, 100, 1), (0, 300, 3)) == (1, 1)
    assert fleet.faults() == {100: (True, False), 200: (False, True), 300: (True, False)}


def test_an_incomplete_sync_closes_nothing_and_is_no_measure(fleet):
    fleet.sync((0, 100, 1), (1, 200, 2))
    assert fleet.sync((1, 300, 3), complete=False) == (1, 0)
    assert fleet.faults()[100] == (True, False)
    assert fleet.faults()[200] == (True, False)
    # Still new to whoever acts on complete syncs only.
    assert fleet.sync((0, 100, 1), (1, 300, 3)) == (1, 1)
    assert fleet.faults() == {100: (True, False), 200: (False, True), 300: (True, False)}


def test_what_only_an_incomplete_sync_has_seen_does_not_stay_active(fleet):
    fleet.sync((0, 100, 1))
    fleet.sync((0, 300, 3), complete=False)
    assert fleet.sync((0, 100, 1)) == (0, 0)
    assert fleet.faults()[300] == (False, False)


def test_a_fault_that_the_portal_calls_inactive_is_closed(fleet):
    fleet.sync((0, 100, 1))
    assert fleet.sync(inactive=[(0, 100, 1)]) == (0, 1)
    assert fleet.faults() == {100: (False, True)}


def test_a_fault_in_an_unknown_state_is_not_active_and_is_closed_once_it_is_gone(fleet):
    fleet.sync((0, 100, 1))
    assert fleet.sync(unknown=[(0, 100, 1), (0, 300, 3)], complete=False) == (0, 0)
    assert fleet.faults() == {100: (None, False), 300: (None, False)}
    assert fleet.sync() == (0, 1)
    assert fleet.faults() == {100: (False, True), 300: (False, False)}


def test_a_fault_that_comes_back_is_new_again_and_keeps_its_history(fleet):
    fleet.sync((0, 100, 1))
    fleet.sync()
    assert fleet.sync((0, 100, 1)) == (1, 0)
    assert fleet.faults() == {100: (True, False)}
    opened, closed = FaultChange.OPENED, FaultChange.CLOSED
    assert fleet.history() == [(100, opened), (100, closed), (100, opened)]


def test_the_same_code_from_two_control_units_is_two_faults(fleet):
    assert fleet.sync((0, 100, 1, 0), (0, 100, 1, 11)) == (2, 0)
    assert fleet.sync((0, 100, 1, 11)) == (0, 1)


def test_tenants_are_apart(store, fleet):
    other = Fleet(store, "acme-trucking")
    fleet.sync((0, 100, 1))
    assert other.sync((0, 100, 1)) == (1, 0)
    assert other.sync() == (0, 1)
    assert fleet.faults() == {100: (True, False)}


def test_counts_of_a_sync(store, fleet):
    fleet.sync((0, 100, 1), (1, 3364, 2), inactive=[(0, 5246, 0)])
    with store.transaction() as session:
        sync = last_complete_sync(session, fleet.tenant)
        assert (sync.vehicles_found, sync.faults_found, sync.new_faults) == (2, 3, 2)
        assert sync.critical_faults == 1  # on the list and active; the inactive one does not count
        assert sync.errors == ["x"]


def test_critical_wants_an_active_fault():
    assert is_critical(Severity.CRITICAL, 100, True)
    assert is_critical(Severity.MINOR, 1569, True)
    assert not is_critical(Severity.CRITICAL, 100, False)
    assert not is_critical(Severity.MAJOR, 100, True)


def test_vehicles_that_leave_the_list_are_marked_and_come_back(store, fleet):
    rows = [{"tenant_id": fleet.tenant, "vin": vin} for vin in VINS]
    with store.transaction() as session:
        upsert(session, Vehicle, rows, ("tenant_id", "vin"))
        note_vehicles(session, fleet.tenant, VINS[:1], "fleet@example.com")
    with store.transaction() as session:
        assert known_vins(session, fleet.tenant) == {VINS[0]}
        assert session.get(Tenant, fleet.tenant).username == "fleet@example.com"
        note_vehicles(session, fleet.tenant, VINS, "fleet@example.com")
    with store.transaction() as session:
        assert known_vins(session, fleet.tenant) == set(VINS)


def test_a_tenant_is_made_once(store, fleet):
    with store.transaction() as session:
        assert tenant_named(session, "meadow", "default").id == fleet.tenant
        assert tenant_named(session, "brook", "default").id != fleet.tenant
