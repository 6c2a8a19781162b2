"""What a job is about, as it stands: clocks and appeals that are open, and what was done about them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.clocks.acceptance import Attempt


class OnWhat(msgspec.Struct, frozen=True):
    """What a clock runs on, as far as it is told of; see `telling.Concerned`."""

    id: UUID
    appeal_no: str | None
    visit_id: UUID | None
    unit_code: str
    handling_unit_code: str
    owner: str | None
    first_contact: str | None


class OpenClock(msgspec.Struct):
    """An open clock as it stands, without what only the ORM needs; see `clocks.recalculation.Running`. `was_held`: what
    it runs on, at any time. `is_over`: it was past when its appeal or its round ended, and nobody recorded that yet."""

    on: OnWhat
    id: UUID
    subject_kind: str
    subject_id: UUID
    round: int
    milestone: str
    appeal_type: str | None
    started_at: datetime
    due_at: datetime
    policy: str
    calendar: str
    provisional: bool
    state: str
    follows: UUID | None
    promised_by: UUID | None
    is_merged: bool
    was_held: bool
    is_over: bool = False


class OpenAppeal(NamedTuple):
    """An appeal as it stands; `state` is how far it has come, held there or not."""

    on: OnWhat
    type: str
    state: str
    round: int
    received_at: datetime
    reopened_at: datetime | None
    policy: str
    calendar: str | None
    assumed: bool
    anonymous: bool

    @property
    def id(self) -> UUID:
        return self.on.id

    @property
    def has_moved_on(self) -> bool:
        """Whether anything may have been done about it that stops a clock or starts one."""
        return self.state != State.OPEN


class RunsBy(NamedTuple):
    """That something open in a unit, which began on a civil day, runs by a policy on a calendar; older appeals do not
    say on which. Of a visit it is a `fact` on which its clocks began, or none did."""

    unit: str
    day: date
    fact: str | None
    policy: str | None
    calendar: str | None


class Place(NamedTuple):
    """Where a clock belongs: what it runs on, and the clock that speaks for those merged with it."""

    subject_id: UUID
    leader: UUID


class Milestone(NamedTuple):
    """A clock of an appeal's present round, whatever became of it."""

    id: UUID
    subject_id: UUID
    milestone: str
    state: str
    calendar: str


class Deeds(NamedTuple):
    """What was done that stops a clock or starts one: the contacts that count, when it was answered, if it was, and the
    callbacks, if the customer counts as called back."""

    attempts: Sequence[Attempt]
    answered_at: datetime | None
    callbacks: Sequence[Attempt]


NOTHING_DONE = Deeds((), None, ())
