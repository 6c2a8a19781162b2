"""Stricter, never laxer: a pack may tighten what it extends, and may not loosen it.

Whether one period is the stricter is not read off its words but counted, start by start: "1 working day" may end after
"24 hours" on any day at all, and on a Friday surely does. Within one civil day a deadline either stays or moves along
with its start, so the first and the last instant of each day show all there is to see.

Periods are counted as they run, without holds. Held time is left out in a period's own unit, held hours or whole days,
so what may be held, or goes on when it is reopened, keeps its parent's unit: in that the shorter ends first whatever is
left out.
"""

from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, HOUR, instant_of, number_of, wall_text
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.policies.ladder import Measure
from appeal_tracker.policies.pack import VISITS
from appeal_tracker.policies.policy import NEW_ROUND, CallbackRule, Limit, Policy


class Laxness(msgspec.Struct, frozen=True):
    """One place where a policy asks less than `than`, which it extends; with the first start that shows it, where a
    start does. In the pointer a limit is named by its milestone."""

    than: str
    pointer: str
    fault: str
    start: datetime | None = None
    own_due_at: datetime | None = None
    parent_due_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.pointer}: {self.fault}"


def laxer(own: Policy, parent: Policy, calendar: Calendar) -> Iterator[Laxness]:
    """Find each place where a policy is laxer than its parent, counting on the published years of a calendar."""
    for pointer, fault in _laxer_rules(own, parent):
        yield Laxness(parent.label, pointer, fault)
    for section, milestones in _sections(parent):
        kept = dict(_sections(own)).get(section, {})
        for milestone, limit in milestones.items():
            pointer = f"{section}/{milestone}"
            if milestone not in kept:
                yield Laxness(parent.label, pointer, f"{milestone} is missing")
                continue
            if shown := _laxer_period(kept[milestone], limit, calendar):
                fault, start, own_due, parent_due = shown
                yield Laxness(parent.label, f"{pointer}/within", fault, start, own_due, parent_due)
            for field, fault in _laxer_terms(kept[milestone], limit):
                yield Laxness(parent.label, f"{pointer}/{field}", fault)


def _sections(policy: Policy) -> Iterator[tuple[str, dict[str, Limit]]]:
    for appeal_type, limits in policy.appeals.items():
        yield f"/appeals/{appeal_type}", {limit.milestone: limit for limit in limits}
    yield VISITS, {limit.milestone: limit for limit in policy.visits}


def _laxer_period(own: Limit, parent: Limit, calendar: Calendar) -> tuple[str, datetime, datetime, datetime] | None:
    if own.starts != parent.starts or not (shown := first_laxer_start(own.within, parent.within, calendar)):
        return None
    start, own_due, parent_due = shown
    fault = (
        f"{own.within} is laxer than {parent.within}: started {start.isoformat()}, "
        f"it would be due {wall_text(own_due)} instead of {wall_text(parent_due)}"
    )
    return fault, start, own_due, parent_due


def _laxer_terms(own: Limit, parent: Limit) -> Iterator[tuple[str, str]]:
    """Compare what a limit sets beside its period."""
    if own.starts != parent.starts:
        yield "starts", f"runs from {own.starts}, its parent from {parent.starts}"
    if own.holdable and not parent.holdable:
        yield "holdable", "its parent times this milestone and lets nothing hold it"
    elif own.holdable and own.within.unit is not parent.within.unit:
        yield "holdable", f"what is held is left out in {own.within.unit}, by its parent in {parent.within.unit}"
    told: dict[tuple[Measure, int], set[str]] = {}
    for step in own.ladder:
        for point in step.moment.points:
            told.setdefault(point, set()).update(step.tell)
    for step in parent.ladder:
        # Point by point: a step that repeats may repeat more often, or be written out.
        heard = set.intersection(*(told.get(point, set()) for point in step.moment.points))
        if step.mandatory and not {*step.tell} <= heard:
            missing = ", ".join(audience for audience in step.tell if audience not in heard)
            yield "ladder", f"the mandatory step {step.moment.text} no longer tells {missing}"


@lru_cache(maxsize=1024)  # tens of milliseconds, asked for again for every type of appeal and at every look
def first_laxer_start(own: Period, parent: Period, calendar: Calendar) -> tuple[datetime, datetime, datetime] | None:
    """Return the first start in the published years whose own deadline is later, with both deadlines."""
    if own == parent:
        return None
    for year in sorted(calendar.published_years):
        days = range(number_of(date(year, 1, 1)), number_of(date(year + 1, 1, 1)))
        for day, its, parents in zip(days, _ends(own, calendar, days), _ends(parent, calendar, days), strict=False):
            for start, own_due, parent_due in zip((day * DAY, (day + 1) * DAY - 1), its, parents, strict=True):
                if own_due > parent_due:
                    return instant_of(start), instant_of(own_due), instant_of(parent_due)
    return None


def _ends(period: Period, calendar: Calendar, days: range) -> Iterator[tuple[int, int]]:
    """Yield, in ticks, the deadlines of what starts at the first and at the last instant of each of some days, as far
    as the calendar reaches."""
    hours = period.count * HOUR
    try:
        for day in days:
            if period.unit is Unit.HOURS:
                yield day * DAY + hours, (day + 1) * DAY - 1 + hours
            elif period.unit is Unit.WORKING_DAYS:
                yield (end := calendar.after(day, period.count) * DAY + period.closes), end
            else:
                yield (end := calendar.rolled(day + period.count) * DAY + period.closes), end
    except NotCovered:
        return


def _laxer_rules(own: Policy, parent: Policy) -> Iterator[tuple[str, str]]:
    """Compare what is no deadline: quiet hours, contact, callback, targets."""
    if parent.quiet and not (own.quiet and own.quiet.contains(parent.quiet)):
        yield "/quiet", f"{own.quiet or 'no hours'} are quiet, its parent keeps {parent.quiet}"
    if not own.contact.accepts <= parent.contact.accepts:
        more = ", ".join(sorted(own.contact.accepts - parent.contact.accepts))
        yield "/contact/accepts", f"accepts {more}, its parent does not"
    if own.contact.attempts < parent.contact.attempts:
        yield "/contact/attempts", f"{own.contact.attempts} are fewer than {parent.contact.attempts}"
    if own.contact.hours_apart < parent.contact.hours_apart:
        yield "/contact/hours_apart", f"{own.contact.hours_apart} are fewer than {parent.contact.hours_apart}"
    yield from _laxer_callback(own.callback, parent.callback)
    yield from _laxer_reopening(own, parent)
    if own.repeat_days < parent.repeat_days:
        yield "/repeat_days", f"{own.repeat_days} are fewer than {parent.repeat_days}"
    for name, target in parent.targets.items():
        if own.targets[name].at_least < target.at_least:
            yield f"/targets/{name}", f"{own.targets[name].at_least:g} is below {target.at_least:g}"


def _laxer_reopening(own: Policy, parent: Policy) -> Iterator[tuple[str, str]]:
    """Compare what a reopening begins again. What was left of a period never ends later than the whole of it, and a
    new round alone asks for a contact, from which other periods may run."""
    laxer: dict[str, list[str]] = {}
    for appeal_type, limits in parent.appeals.items():
        ours, its = own.reopens(appeal_type), parent.reopens(appeal_type)
        units = {limit.milestone: limit.within.unit for limit in own.limits(appeal_type)}
        again = [limit for limit in limits if limit.starts != "answered"]
        starts = {limit.starts for limit in again}
        if NEW_ROUND == its != ours and any(limit.milestone == "contact" for limit in limits):
            laxer.setdefault("are not contacted again, as its parent asks", []).append(appeal_type)
        elif its == "continue" != ours and starts:
            laxer.setdefault("have the whole period anew, its parent gives what was left", []).append(appeal_type)
        elif its == "continue" and any(limit.within.unit is not units.get(limit.milestone) for limit in again):
            laxer.setdefault("go on with what was left in another unit than by its parent", []).append(appeal_type)
        elif its == "restart" and ours == NEW_ROUND and "contacted" in starts:
            laxer.setdefault("run from another contact, its parent from the reopening", []).append(appeal_type)
    for fault, types in laxer.items():
        yield "/reopen", f"reopened {', '.join(types)} {fault}"


def _laxer_callback(own: CallbackRule, parent: CallbackRule) -> Iterator[tuple[str, str]]:
    if missing := parent.required_for - own.required_for:
        yield "/callback_for", f"its parent requires a callback for {', '.join(sorted(missing))} too"
    if parent.by not in ("anyone", own.by):
        yield "/callback_by", f"its parent asks for {parent.by}"
    if own.attempts < parent.attempts:
        yield "/callback_tries/attempts", f"{own.attempts} are fewer than {parent.attempts}"
    if own.hours_apart < parent.hours_apart:
        yield "/callback_tries/hours_apart", f"{own.hours_apart} are fewer than {parent.hours_apart}"
    if parent.dissatisfied not in ("follow_up", own.dissatisfied):
        yield "/dissatisfied", f"its parent begins a {parent.dissatisfied}"
