"""Editions: what a calendar lists of its own, version by version, and how one is laid over another."""

from collections.abc import Mapping

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.festivals import CalendarDay
from appeal_tracker.calendars.notice import Notice
from appeal_tracker.calendars.refusals import CyclicParents, UnknownParent


class Edition(msgspec.Struct, frozen=True):
    """One version of a calendar as published: its own days, over the calendar it `extends` if any."""

    id: str
    version: int
    days: tuple[CalendarDay, ...]
    extends: str | None = None

    def with_notice(self, notice: Notice) -> "Edition":
        """Return the next version, in which the notice says everything about its year.

        The first lies over what the notice names, if it names anything; the others stay where it lies.
        """
        kept = tuple(day for day in self.days if day.date.year != notice.year)
        days = tuple(sorted((*kept, *notice.days), key=lambda day: day.date))
        extends = notice.extends or self.extends
        return msgspec.structs.replace(self, version=self.version + 1, days=days, extends=extends)


def assemble(id: str, editions: Mapping[str, Edition]) -> Calendar:
    """Build a calendar from its edition and those it lies over.

    Refused: UnknownParent, CyclicParents, and what `Calendar` refuses; KeyError if the calendar itself is missing.
    """
    chain = [editions[id]]
    while (parent := chain[-1].extends) is not None:
        if parent not in editions:
            raise UnknownParent(chain[-1].id, parent)
        if any(edition.id == parent for edition in chain):
            raise CyclicParents([*(edition.id for edition in chain), parent])
        chain.append(editions[parent])
    root = chain.pop()
    calendar = Calendar.from_days(root.id, root.version, root.days)
    for edition in reversed(chain):
        calendar = calendar.overlay(edition.id, edition.version, edition.days)
    return calendar
