"""Whether a message is still true. Pure.

The order of hearing decides: a deadline event heard after a contact shows that the tracker did not count that contact
(someone else's, or one that reached nobody), so the message stands. Where a stop comes in time the tracker says so; an
act of before the deadline that it says nothing about did not count. Of an act after it, the tracker has nothing to say:
it makes warnings pointless, but a breach or an escalation is told all the same, for it happened.
"""

from datetime import datetime

import msgspec


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard of a message's subject, and of the stop of its milestone in its round: places in the order of
    hearing of what the tracker said, and of the act, with that act's true time."""

    round: int = 1
    ended: str | None = None
    stopped: int | None = None
    acted: int | None = None
    acted_at: datetime | None = None


def obsolete(heard: Heard, *, round: int, place: int, due_at: datetime, warning: bool) -> str | None:
    """Why a message (a `warning`, or of a breach) of `round` about a clock due at `due_at`, heard at `place`, need not
    be sent any more, as a code; None while it must be."""
    if heard.ended is not None:
        return f"subject_ended:{heard.ended}"
    if heard.round > round:
        return "later_round"
    if heard.stopped is not None and heard.stopped > place:
        return "milestone_done"
    if warning and heard.acted is not None and heard.acted_at is not None:
        return "milestone_done" if heard.acted > place and heard.acted_at > due_at else None
    return None
