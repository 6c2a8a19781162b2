"""Stricter, never laxer: a pack may tighten what it extends, and may not loosen it.

Whether one period is the stricter is not read off its words but counted, start by start: "1 working day" may end after
"24 hours" on any day at all, and on a Friday surely does. Within one civil day a deadline either stays or moves along
with its start, so the first and the last instant of each day show all there is to see.
"""

from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, instant_of, number_of, wall_text
from appeal_tracker.calendars.counting import due
from appeal_tracker.calendars.period import Period
from appeal_tracker.policies.pack import VISITS
from appeal_tracker.policies.policy import Limit, Policy


class Laxness(msgspec.Struct, frozen=True):
    """One place where a policy asks less than its parent; with the first start that shows it, where a start does."""

    pointer: str
    fault: str
    start: datetime | None = None
    own_due_at: datetime | None = None
    parent_due_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.pointer}: {self.fault}"


def laxer(own: Policy, parent: Policy, calendar: Calendar) -> Iterator[Laxness]:
    """Find each place where a policy is laxer than its parent, counting on the published years of a calendar."""
    yield from _laxer_rules(own, parent)
    for section, milestones in _sections(parent):
        kept = dict(_sections(own)).get(section, {})
        for milestone, limit in milestones.items():
            pointer = f"{section}/{milestone}"
            if milestone in kept:
                yield from _laxer_limit(pointer, kept[milestone], limit, calendar)
            else:
                yield Laxness(pointer, f"{milestone} is missing")


def _sections(policy: Policy) -> Iterator[tuple[str, dict[str, Limit]]]:
    for appeal_type, limits in policy.appeals.items():
        yield f"/appeals/{appeal_type}", {limit.milestone: limit for limit in limits}
    yield VISITS, {limit.milestone: limit for limit in policy.visits}


def _laxer_limit(pointer: str, own: Limit, parent: Limit, calendar: Calendar) -> Iterator[Laxness]:
    if own.starts != parent.starts:
        yield Laxness(f"{pointer}/starts", f"runs from {own.starts}, its parent from {parent.starts}")
    elif shown := first_laxer_start(own.within, parent.within, calendar):
        start, own_due, parent_due = shown
        fault = (
            f"{own.within} is laxer than {parent.within}: started {start.isoformat()}, "
            f"it would be due {wall_text(own_due)} instead of {wall_text(parent_due)}"
        )
        yield Laxness(f"{pointer}/within", fault, start, own_due, parent_due)
    if own.holdable and not parent.holdable:
        yield Laxness(f"{pointer}/holdable", "its parent times this milestone and lets nothing hold it")
    for step in parent.ladder:
        told = next((each.tell for each in own.ladder if each.moment == step.moment), ())
        if step.mandatory and not {*step.tell} <= {*told}:
            missing = ", ".join(audience for audience in step.tell if audience not in told)
            yield Laxness(f"{pointer}/ladder", f"the mandatory step {step.moment.text} no longer tells {missing}")


def first_laxer_start(own: Period, parent: Period, calendar: Calendar) -> tuple[datetime, datetime, datetime] | None:
    """Return the first start in the published years whose own deadline is later, with both deadlines."""
    if own == parent:
        return None
    for year in sorted(calendar.published_years):
        for number in range(number_of(date(year, 1, 1)), number_of(date(year + 1, 1, 1))):
            for start in (instant_of(number * DAY), instant_of((number + 1) * DAY - 1)):
                own_due, parent_due = due(start, own, calendar).due_at, due(start, parent, calendar).due_at
                if own_due > parent_due:
                    return start, own_due, parent_due
    return None


def _laxer_rules(own: Policy, parent: Policy) -> Iterator[Laxness]:
    """Compare what is no deadline: contact, callback, targets."""
    if not own.contact.accepts <= parent.contact.accepts:
        more = ", ".join(sorted(own.contact.accepts - parent.contact.accepts))
        yield Laxness("/contact/accepts", f"accepts {more}, its parent does not")
    if own.contact.attempts < parent.contact.attempts:
        yield Laxness("/contact/attempts", f"{own.contact.attempts} are fewer than {parent.contact.attempts}")
    if own.contact.hours_apart < parent.contact.hours_apart:
        yield Laxness("/contact/hours_apart", f"{own.contact.hours_apart} are fewer than {parent.contact.hours_apart}")
    if missing := parent.callback.required_for - own.callback.required_for:
        yield Laxness("/callback_for", f"its parent requires a callback for {', '.join(sorted(missing))} too")
    if parent.callback.by not in ("anyone", own.callback.by):
        yield Laxness("/callback_by", f"its parent asks for {parent.callback.by}")
    for name, target in parent.targets.items():
        if own.targets[name].at_least < target.at_least:
            yield Laxness(f"/targets/{name}", f"{own.targets[name].at_least:g} is below {target.at_least:g}")
