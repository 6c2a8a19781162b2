"""When a contact clock stops, and a callback clock: by a recorded attempt whose result the policy accepts, or by enough
in vain. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from appeal_tracker.calendars.civil import ticks_of
from appeal_tracker.policies.policy import CallbackRule, ContactRule


class Attempt(msgspec.Struct, frozen=True):
    """One recorded attempt to reach the customer, at its true time, whenever it was recorded."""

    at: datetime
    result: str


# What the rule of contacts calls the results of a callback.
_AS_A_CONTACT = {"completed": "reached", "refused": "refused", "unreachable": "no_answer"}


def called_back_at(
    callbacks: Iterable[Attempt], rule: CallbackRule, start: datetime, until: datetime
) -> datetime | None:
    """Return the instant at which the customer counts as called back, or None: reached or refusing, or tried in vain
    often enough up to an instant. The results are those of callbacks."""
    accepted = ContactRule(frozenset({"reached", "refused"}), rule.attempts, rule.hours_apart)
    return contacted_at((Attempt(each.at, _AS_A_CONTACT[each.result]) for each in callbacks), accepted, start, until)


def counted_at(callbacks: Iterable[Attempt], rule: CallbackRule, start: datetime) -> datetime | None:
    """Return when a customer who counts as called back came to: by this rule, or else by the last of the calls since
    `start`, for whoever it was under another rule stays so; None where nobody called."""
    since = [each for each in callbacks if each.at >= start]
    last = max((each.at for each in since), default=None)
    return None if last is None else called_back_at(since, rule, start, last) or last


def contacted_at(attempts: Iterable[Attempt], rule: ContactRule, start: datetime, due_at: datetime) -> datetime | None:
    """Return the instant at which the customer counts as contacted, or None.

    An accepted result counts whenever it comes. `no_answer` counts only as the last of enough attempts, each far enough
    from the one counted before it, and all of them from the start up to the deadline.
    """
    in_vain: list[datetime] = []
    apart = timedelta(hours=rule.hours_apart)
    for attempt in sorted(attempts, key=lambda attempt: ticks_of(attempt.at)):
        if attempt.at < start:
            continue
        if attempt.result in rule.accepts:
            return attempt.at
        in_time = attempt.result == "no_answer" and attempt.at <= due_at
        if in_time and (not in_vain or attempt.at - in_vain[-1] >= apart):
            in_vain.append(attempt.at)
            if len(in_vain) == rule.attempts:
                return attempt.at
    return None
