"""Leases: mutual exclusion across processes and machines; a dead holder's lease is freed."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from database.dialects import postgresql, sqlite
from database.engine import Transacting, now
from database.models import Lease
from database.processes import has_ended, signature
from database.upsert import table_of

_HOLDER = select(table_of(Lease).c.holder).where(table_of(Lease).c.name == bindparam("of")).with_for_update()


def holder(run: str) -> str:
    """Return the holder's text for something that this process runs."""
    return f"{run} {signature()}"


def is_held(session: Session, name: str, holder: str) -> bool:
    """Tell whether *holder* has the lease, and lock its row until this transaction ends, so that it stays so."""
    # An expired lease that no other holder took is still the holder's: no other one has worked meanwhile.
    return session.connection().scalar(_HOLDER, {"of": name}) == holder


class Leases:
    """
    Leases by name, such as `sign-in:bell_self_serve:ana`. Each call is one short transaction.

    A holder is a text that no other process and no other run uses; one made by `holder` is seen to be dead by the others on
    its machine, which take over at once. The epoch rises with each new holder of a name and never falls, so that two
    holders can be told apart.
    """

    def __init__(self, db: Transacting) -> None:
        self.db = db

    def acquire(self, name: str, holder: str, seconds: float) -> int | None:
        """
        Take a lease that is free, expired or a dead process's, or prolong one's own.

        Return its epoch, or None while another holder has it.
        """
        with self.db.transaction() as session:
            time = now(session)
            present = session.scalar(select(Lease.holder).where(Lease.name == name, Lease.expires_at > time))
            gone = present if present and has_ended(present.rpartition(" ")[2]) else holder
            expires_at = time + timedelta(seconds=seconds)
            make_insert = postgresql.insert if self.db.dialect == "postgresql" else sqlite.insert
            mine = and_(Lease.holder == holder, Lease.expires_at > time)
            statement = (
                make_insert(Lease)
                .values(name=name, holder=holder, epoch=1, taken_at=time, expires_at=expires_at)
                .on_conflict_do_update(
                    index_elements=["name"],
                    set_={
                        "holder": holder,
                        "epoch": case((mine, Lease.epoch), else_=Lease.epoch + 1),
                        "taken_at": case((mine, Lease.taken_at), else_=time),
                        "expires_at": expires_at,
                    },
                    where=or_(Lease.holder.in_((holder, gone)), Lease.expires_at <= time),
                )
                .returning(Lease.epoch)
            )
            return session.execute(statement).scalar_one_or_none()

    def renew(self, name: str, holder: str, seconds: float) -> bool:
        """Prolong one's own lease; False when it was lost: stop, and write nothing more."""
        with self.db.transaction() as session:
            statement = (
                update(Lease)
                # An expired lease that no other holder took is still the holder's: no other one has worked meanwhile.
                .where(Lease.name == name, Lease.holder == holder)
                .values(expires_at=now(session) + timedelta(seconds=seconds))
                .returning(Lease.epoch)
            )
            return session.execute(statement).first() is not None

    def release(self, name: str, holder: str) -> bool:
        """Release one's own lease; False when it was lost before."""
        with self.db.transaction() as session:
            statement = (
                update(Lease)
                .where(Lease.name == name, Lease.holder == holder)
                .values(holder="", expires_at=now(session))
                .returning(Lease.epoch)
            )
            return session.execute(statement).first() is not None

    def holder_of(self, name: str) -> str | None:
        """Return who holds a lease now, or None."""
        with self.db.transaction() as session:
            return session.scalar(select(Lease.holder).where(Lease.name == name, Lease.expires_at > now(session)))
