"""Whether packs are still as strict as what they extend, asked of every calendar that they are counted on.

Beside the pack's own calendar these are the calendars that units picked for it. A pack is measured against all that it
extends: on another calendar than their own, those between need not be as strict as the floor any more.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.directory import service as directory
from appeal_tracker.policies.errors import CalendarElsewhere, LaxerPolicy, UnknownCalendar
from appeal_tracker.policies.policy import Policy
from appeal_tracker.policies.repository import PickedCalendars
from appeal_tracker.policies.strictness import Laxness, laxer


class Question(NamedTuple):
    """Is a policy as strict as all that it extends, on a calendar? `units` are those that picked it for themselves."""

    policy: Policy
    extended: Sequence[Policy]
    calendar: Calendar
    units: Sequence[str] = ()


class InUse(NamedTuple):
    """That something open runs by a version of a pack, counted on a calendar, and when the first and the last of it
    began."""

    policy: str
    calendar: str
    first: datetime
    last: datetime


class Relaxed(msgspec.Struct, frozen=True):
    """A policy that is laxer, on a calendar, than something it extends; `units` picked that calendar for themselves;
    so did some `elsewhere`, which are not named."""

    policy: str
    calendar: str
    units: tuple[str, ...]
    places: tuple[Laxness, ...]
    elsewhere: int = 0


def questions(
    policy: Policy, extended: Sequence[Policy], on: Mapping[str, Calendar], picked: PickedCalendars
) -> list[Question]:
    """The questions to ask of a policy on those of some calendars that it is counted on: its own, and those picked."""
    counted = {policy.calendar: list[str](), **picked.get(policy.id, {})}
    return [Question(policy, extended, on[calendar], units) for calendar, units in counted.items() if calendar in on]


def joined(questions: Iterable[Question]) -> list[Question]:
    """The same, each policy asked about once on each calendar."""
    asked: dict[tuple[str, str], Question] = {}
    for each in questions:
        key = each.policy.label, each.calendar.label
        known = asked.get(key, each)
        extended = {policy.label: policy for policy in (*known.extended, *each.extended)}
        units = dict.fromkeys((*known.units, *each.units))
        asked[key] = known._replace(extended=[*extended.values()], units=[*units])
    return [*asked.values()]


async def found(questions: Sequence[Question]) -> list[Relaxed]:
    """The policies that are laxer than what they extend."""
    # Tens of milliseconds for each figure restated, once: others are served meanwhile.
    return await asyncio.to_thread(_found, questions)


async def shown(tx: AsyncSession, relaxed: Sequence[Relaxed], unit: str | None) -> list[Relaxed]:
    """The same, for a caller of `unit`, to whom no other units are named than they see."""
    seen = await directory.visible(tx, {code for each in relaxed for code in each.units}, unit)
    return [
        msgspec.structs.replace(each, units=its, elsewhere=len(each.units) - len(its))
        for each in relaxed
        for its in [tuple(code for code in each.units if code in seen)]
    ]


def _found(questions: Sequence[Question]) -> list[Relaxed]:
    return [
        Relaxed(policy.label, calendar.label, tuple(units), places)
        for policy, extended, calendar, units in questions
        if (places := _places(policy, extended, calendar))
    ]


def _places(policy: Policy, extended: Sequence[Policy], calendar: Calendar) -> tuple[Laxness, ...]:
    # The nearest comes first: what is laxer than it need not be said of those it extends itself.
    places: dict[str, Laxness] = {}
    for parent in extended:
        for place in laxer(policy, parent, calendar):
            places.setdefault(place.pointer, place)
    return tuple(places.values())


def demand_over(calendar: str, below: str, newest: Mapping[str, Calendar]) -> None:
    """Raises `UnknownCalendar`, and `CalendarElsewhere` unless a calendar is another or lies over it."""
    if calendar not in newest:
        raise UnknownCalendar(calendar)
    if not newest[calendar].lies_over(below):
        raise CalendarElsewhere(calendar, below)


async def demand_strict(questions: Sequence[Question], pointer: str) -> None:
    """Raises `LaxerPolicy` of the first that is laxer, pointing at what the caller gave."""
    for relaxed in await found(questions):
        raise LaxerPolicy(relaxed.policy, relaxed.calendar, relaxed.places, [pointer] * len(relaxed.places))
