"""Tables of what was heard of subjects."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from notifier.base import NEXT_HEARD, Base


class Subject(Base):
    """An appeal or a visit as far as it was heard of. `ended` is how it ended, and null again once it is reopened."""

    __tablename__ = "subjects"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str | None]
    appeal_type: Mapped[str | None]
    round: Mapped[int] = mapped_column(server_default="1")
    ended: Mapped[str | None]


class Stop(Base):
    """What a clock waited for has happened; `said_at` is when that was last said, `heard` its place in the order of
    hearing.

    It is certain when the tracker says that the clock stood; an act alone is not: not everybody's contact counts.
    """

    __tablename__ = "stops"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    milestone: Mapped[str] = mapped_column(primary_key=True)
    certain: Mapped[bool] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    said_at: Mapped[datetime | None]
    heard: Mapped[int] = mapped_column(BigInteger, server_default=NEXT_HEARD)


class Move(Base):
    """A clock that was due at `old_due_at` is due at `due_at`, or was cancelled (null); `said_at` is when that was last
    said, `heard` its place in the order of hearing.

    It may be of a clock that does not run yet, or any more.
    """

    __tablename__ = "moves"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    milestone: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime | None]
    old_due_at: Mapped[datetime | None]
    said_at: Mapped[datetime]
    heard: Mapped[int] = mapped_column(BigInteger, server_default=NEXT_HEARD)


class WithdrawnPack(Base):
    """A pack by which nobody is told any more; it never comes back."""

    __tablename__ = "withdrawn_packs"

    pack: Mapped[str] = mapped_column(primary_key=True)


class Hold(Base):
    """The clocks of `milestones` stand still: none, once that was resumed; an appeal is held once at a time. `said_at`
    and `heard` as of a move."""

    __tablename__ = "holds"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    milestones: Mapped[list[str]]
    said_at: Mapped[datetime]
    heard: Mapped[int] = mapped_column(BigInteger, server_default=NEXT_HEARD)


class Party(Base):
    """Who has to do with an appeal or a visit: where it came from, whose it is, who had the first contact, and the
    customer; `withheld`: who that is must not be known. `owned_said` is when it was last said whose it is; of a visit
    `scheduled_said`, for when it is planned (as `owned_said`, unless a release before this one heard of it), and
    `appointed_said`, that it is appointed, or is not any more."""

    __tablename__ = "parties"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    handling_unit_code: Mapped[str | None]
    owner: Mapped[str | None]
    owned_said: Mapped[datetime | None]
    first_contact: Mapped[str | None]
    customer_id: Mapped[UUID | None]
    withheld: Mapped[bool] = mapped_column(server_default=text("false"))
    policy: Mapped[str | None]
    source: Mapped[str | None]
    scheduled_at: Mapped[datetime | None]
    scheduled_said: Mapped[datetime | None]
    appointed_said: Mapped[datetime | None]
