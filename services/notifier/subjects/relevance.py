"""Whether a message is still true. Pure.

The order in which the tracker said things decides, not the one in which they were heard: a dead letter is heard again
long after it was said. A deadline event said after a contact shows that the tracker did not count that contact (someone
else's, or one that reached nobody), so the message stands. Where a stop comes in time the tracker says so; an
act of before the deadline that it says nothing about did not count. Of an act after it, the tracker has nothing to say:
it makes warnings pointless, but a breach or an escalation is told all the same, for it happened.

A step that was said is never said again, whatever becomes of its clock. So a warning of a clock that is due at another
time now stays true, with that time; one of a clock that stands still waits; only one that was cancelled ends it. What
is told by packs that were all withdrawn, whenever that was, is told no more, be it that a deadline passed: that is on
record, and nobody is to act on it.
"""

from datetime import datetime

import msgspec


class Said(msgspec.Struct, frozen=True):
    """When something was said, and its place in the order of hearing; an earlier version kept the place alone."""

    heard: int
    at: datetime | None = None

    def since(self, other: "Said") -> bool:
        """Whether it was said after `other`; of one instant the order of hearing tells."""
        if self.at is None or other.at is None or self.at == other.at:
            return self.heard > other.heard
        return self.at > other.at


class Move(msgspec.Struct, frozen=True):
    """What was last said of when a clock is due: at `due_at` instead of `old_due_at`; None where it was cancelled."""

    said: Said
    due_at: datetime | None = None
    old_due_at: datetime | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard of a message's subject, and of the stop of its milestone in its round: that the tracker said so,
    and the act, with that act's true time; how its clock was `moved`, and that it was `held` and not resumed; and that
    the message is `silenced`: all packs by which it is told were withdrawn."""

    round: int = 1
    ended: str | None = None
    stopped: Said | None = None
    acted: Said | None = None
    acted_at: datetime | None = None
    moved: Move | None = None
    held: Said | None = None
    silenced: bool = False

    def due(self, said: Said, due_at: datetime) -> datetime:
        """When the clock is due of which it was `said` that it is at `due_at`.

        Services on two machines may tell the time differently: what was said of the due that a move replaced was said
        before it, whatever the times say.
        """
        if self.moved is None or self.moved.due_at is None:
            return due_at
        return self.moved.due_at if self.moved.said.since(said) or self.moved.old_due_at == due_at else due_at

    def stands_still(self, said: Said) -> bool:
        """Whether the clock of which something was `said` stands still; one that speaks after a hold has gone on."""
        return self.held is not None and self.held.since(said)


def obsolete(heard: Heard, *, round: int, said: Said, due_at: datetime, warning: bool) -> str | None:
    """Why a message (a `warning`, or of a breach) of `round` about a clock due at `due_at` need not be sent any more,
    as a code; None while it must be. `said` is when the message was, `due_at` when the clock is due by all we heard."""
    if heard.ended is not None:
        return f"subject_ended:{heard.ended}"
    if heard.round > round:
        return "later_round"
    if heard.stopped is not None and heard.stopped.since(said):
        return "milestone_done"
    if heard.silenced:
        return "pack_withdrawn"
    if warning and heard.moved is not None and heard.moved.due_at is None and heard.moved.said.since(said):
        return "deadline_cancelled"
    if warning and heard.acted is not None and heard.acted_at is not None:
        return "milestone_done" if heard.acted.since(said) and heard.acted_at > due_at else None
    return None
