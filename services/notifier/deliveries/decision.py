"""What is to be done with a delivery that is due. Pure: everything it depends on is given."""

from datetime import datetime

import msgspec

from notifier.deliveries.quiet import next_allowed, next_morning

NOBODY = "nobody"  # the recipient of a message for which nobody was found
QUIET_HOURS = "quiet_hours"
HELD = "held"  # its clock stands still
READDRESSED = "readdressed"


class Go(msgspec.Struct, frozen=True):
    """It may leave now."""


class Wait(msgspec.Struct, frozen=True):
    """It may leave at `until`, because of `why`."""

    until: datetime
    why: str


class Drop(msgspec.Struct, frozen=True):
    """It need not leave any more, because of `why`."""

    why: str


class Readdress(msgspec.Struct, frozen=True):
    """It must reach someone else: its addressee has left, or there was none."""


Decision = Go | Wait | Drop | Readdress


def decide(
    *, recipient: str, recipient_gone: bool, obsolete: str | None, held: bool = False, now: datetime
) -> Decision:
    """Truth first, then the addressee, then the hour: nobody is looked for, or woken, for what is no longer true. What
    is held is looked at again each morning, whatever was heard meanwhile."""
    if obsolete is not None:
        return Drop(obsolete)
    if recipient == NOBODY or recipient_gone:
        return Readdress()
    if (allowed := next_allowed(now)) > now:
        return Wait(allowed, QUIET_HOURS)
    return Wait(next_morning(now), HELD) if held else Go()
