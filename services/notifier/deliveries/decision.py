"""What is to be done with a delivery that is due. Pure: everything it depends on is given."""

from datetime import datetime

import msgspec

from notifier.deliveries.quiet import NIGHT, Window, next_allowed, next_morning, spread

NOBODY = "nobody"  # the recipient of a message for which nobody was found
QUIET_HOURS = "quiet_hours"
DAY_OFF = "day_off"
HELD = "held"  # its clock stands still
READDRESSED = "readdressed"
PASSED = "passed_quiet_hours"
NO_RECEIPT = "no_receipt"


class Go(msgspec.Struct, frozen=True):
    """It may leave now; `why`, where that needs a reason."""

    why: str | None = None


class Wait(msgspec.Struct, frozen=True):
    """It may leave at `until`, because of `why`."""

    until: datetime
    why: str


class Drop(msgspec.Struct, frozen=True):
    """It need not leave any more, because of `why`."""

    why: str


class Readdress(msgspec.Struct, frozen=True):
    """It must reach someone else: its addressee has left, is away or off duty, or there was none."""


Decision = Go | Wait | Drop | Readdress


def decide(
    *,
    recipient: str,
    recipient_gone: bool,
    obsolete: str | None,
    held: bool = False,
    now: datetime,
    channel: str = "mailbox",
    window: Window = NIGHT,
    working: datetime | None = None,
    passes: str | None = None,
) -> Decision:
    """Truth first, then the addressee, then the hour: nobody is looked for, or woken, for what is no longer true. What
    is held is looked at again each morning, whatever was heard meanwhile. `working` is when the next working day
    allows it, where its route wants one; `passes`, the route that lets it pass."""
    if obsolete is not None:
        return Drop(obsolete)
    if recipient == NOBODY or recipient_gone:
        return Readdress()
    if held and (passes is not None or not window.holds(now)):
        return Wait(next_morning(now, window) + spread(recipient, channel), HELD)
    if (allowed := next_allowed(now, window)) > now and passes is None:
        if working is not None and working > allowed:
            return Wait(working + spread(recipient, channel), DAY_OFF)
        return Wait(allowed + spread(recipient, channel), QUIET_HOURS)
    if allowed > now:
        return Go(f"{PASSED}:{passes}")
    if working is not None and working > now:
        return Wait(working + spread(recipient, channel), DAY_OFF)
    return Go()
