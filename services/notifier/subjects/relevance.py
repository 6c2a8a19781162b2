"""Whether a message is still true. Pure.

The order of hearing decides, not times: a deadline event heard after a contact shows that the tracker did not count
that contact (someone else's, or one that reached nobody), so the message stands; one heard before it is obsolete.
"""

import msgspec


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard of a message's subject, and of the stop of its milestone in its round."""

    round: int = 1
    ended: str | None = None
    stopped: int | None = None  # place of the stop in the order of hearing


def obsolete(heard: Heard, *, round: int, at: int) -> str | None:
    """Why a message of `round`, heard as number `at`, need not be sent any more, as a code; None while it must be."""
    if heard.ended is not None:
        return f"subject_ended:{heard.ended}"
    if heard.round > round:
        return "later_round"
    if heard.stopped is not None and heard.stopped > at:
        return "milestone_done"
    return None
