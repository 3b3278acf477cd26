"""What users do with the channels by which they are told of alerts besides mail: for routes and pages alike."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.engine import Database, now
from database.families.sending import drop_channel
from database.models.prices import AlertChannel, AlertDelivery, User
from jobs.channels import check_own
from webhook.api.models import ChannelAnswer, NewChannel

MOST = 10  # channels of a user


@dataclass(frozen=True)
class Channels:
    """The channels of users."""

    db: Database

    def of(self, user_id: int) -> list[ChannelAnswer]:
        """Return the channels of a user, the oldest first."""
        with self.db.transaction() as session:
            mine = select(AlertChannel).where(AlertChannel.user_id == user_id).order_by(AlertChannel.id)
            return [self._told(session, row) for row in session.scalars(mine).all()]

    def add(self, user_id: int, body: NewChannel) -> ChannelAnswer:
        """Store a new channel; raise ChannelRefused for an address that cannot be one, Conflict where there are enough."""
        address = body.address.strip()
        service = check_own(address)
        with self.db.transaction() as session:
            session.get_one(User, user_id, with_for_update=True)  # two that come at once are counted one after another
            mark = fingerprint(own_key(session), address)
            mine = select(AlertChannel).where(AlertChannel.user_id == user_id)
            if (session.scalar(select(func.count()).select_from(mine.subquery())) or 0) >= MOST:
                raise Conflict(f"There are {MOST} channels already: delete one first.")
            if session.scalar(mine.where(AlertChannel.fingerprint == mark)) is not None:
                raise Conflict("There is a channel of that address already.")
            facts = {"user_id": user_id, "service": service, "label": body.label, "address": address}
            row = AlertChannel(**facts, fingerprint=mark, created_at=now(session))
            session.add(row)
            session.flush()
            return self._told(session, row)

    def remove(self, user_id: int, channel_id: int) -> None:
        """Delete a channel of a user; raise NotFound for one that is none of theirs."""
        with self.db.transaction() as session:
            row = session.get(AlertChannel, channel_id)
            if row is None or row.user_id != user_id:
                raise NotFound("There is no such channel.")
            drop_channel(session, row)

    @staticmethod
    def _told(session: Session, row: AlertChannel) -> ChannelAnswer:
        """Return a channel with what became of the newest alert by it."""
        of_channel = select(AlertDelivery).where(AlertDelivery.channel_id == row.id)
        newest = session.scalars(of_channel.order_by(AlertDelivery.id.desc()).limit(1)).one_or_none()
        last = {"last_result": newest.result, "last_error": newest.error} if newest is not None else {}
        return ChannelAnswer.model_validate(row).model_copy(update=last)
