"""A version of a calendar before it is published: what it would change, of itself and of those that lie over it. Pure.

A document says everything its calendar has to say about one year; the other years stay as they were. It is in the
holiday-cn form for a calendar that stands on its own, and names what it `extends` beside it for an overlay, which lists
only the days it adds or takes away.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from appeal_tracker.calendars.calendar import DAYS, Calendar, Reason
from appeal_tracker.calendars.civil import date_of
from appeal_tracker.calendars.editions import Edition, assemble
from appeal_tracker.calendars.notice import Notice, parse_notice, parse_overlay
from appeal_tracker.calendars.refusals import LiesElsewhere, NoWorkingDay, StandsAlone


class Change(msgspec.Struct, frozen=True):
    """A civil day of which the new version says something else: whether it works, of which kind, by which name."""

    date: date
    before: Reason
    after: Reason


class Prepared(msgspec.Struct, frozen=True):
    """A version that can be published.

    `before` is the version it follows; for a new calendar what it lies over, or the estimate without any notice.
    `calendars` holds each calendar that changes with it as it will be: itself, and those that lie over it.
    """

    edition: Edition
    notice: Notice
    before: Calendar
    calendar: Calendar
    changes: tuple[Change, ...]
    calendars: Mapping[str, Calendar]


def draft(id: str, document: object, newest: Mapping[str, Edition]) -> Prepared:
    """Prepare the next version of a calendar, or the first, from the newest editions of all.

    Refused, with a pointer into the document: MalformedNotice, OutsideYear, DuplicateDay, HalfYear, NoWorkingDay,
    UnknownParent, CyclicParents, StandsAlone, LiesElsewhere.
    """
    known = newest.get(id)
    names_parent = isinstance(document, Mapping) and document.get("extends") is not None
    overlays = known.extends is not None if known else names_parent
    notice = parse_overlay(document) if overlays or names_parent else parse_notice(document)
    edition = (known or Edition(id, 0, ())).with_notice(notice)
    editions = {**newest, id: edition}
    calendar = _assembled(id, editions, document)
    if known is not None and edition.extends != known.extends:
        # Packs were judged on it, and units picked it, as lying over what it lies over.
        raise LiesElsewhere(id, known.extends) if known.extends else StandsAlone(id)
    before = _before(edition, known, newest)
    above = {each: _assembled(each, editions) for each in newest if each != id and _lies_over(each, id, newest)}
    return Prepared(edition, notice, before, calendar, changes(before, calendar), {id: calendar, **above})


def changes(before: Calendar, after: Calendar) -> tuple[Change, ...]:
    """List the days of which two calendars say something else, in order; that a guess was confirmed is no change."""
    return tuple(
        Change(date_of(number), was, its)
        for number in range(DAYS)
        if (was := before.reason_of(number)) is not (its := after.reason_of(number))
        and (was.working, was.kind, was.name) != (its.working, its.kind, its.name)
    )


def _before(edition: Edition, known: Edition | None, newest: Mapping[str, Edition]) -> Calendar:
    if known is not None:
        return assemble(edition.id, newest)
    if edition.extends is not None:
        return assemble(edition.extends, newest)
    return Calendar.from_days(edition.id, 0, ())


def _assembled(id: str, editions: Mapping[str, Edition], document: object = None) -> Calendar:
    try:
        return assemble(id, editions)
    except NoWorkingDay as refused:
        if document is None:
            raise NoWorkingDay(refused.after, "/days", id) from None
        raise NoWorkingDay(refused.after, _first_after(refused.after, document)) from None


def _first_after(day: date, document: object) -> str:
    """Point at the earliest day the document lists after another: where a stretch without working days goes on."""
    assert isinstance(document, Mapping)
    given = [(each["date"], index) for index, each in enumerate(document["days"]) if each["date"] > day.isoformat()]
    return f"/days/{min(given)[1]}/date" if given else "/days"


def _lies_over(id: str, below: str, editions: Mapping[str, Edition]) -> bool:
    at = editions[id].extends
    while at is not None and at != below:
        at = editions[at].extends
    return at == below
