"""What the past is run against: another policy, another calendar, or both; what is not named stays what it was. Pure.

A calendar counts for every clock that is judged, but where one was counted on another that lies over it, that is laid
over the candidate. Without a calendar of its own a candidate policy counts on the one by which each clock was counted,
if that is the policy's or lies over it, else on the newest version of the policy's.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.drafting import draft
from appeal_tracker.calendars.editions import Edition, assemble
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.pack import Pack, parse_pack
from appeal_tracker.policies.policy import Policy


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A candidate as it is stored, whole: published versions by label or number, what was inline in full.

    `policy` is published, `pack` inline and built on `packs`. `editions` numbers the versions of all calendars that
    count; with a `notice`, `calendar` is at the version that would follow its own.
    """

    policy: str | None = None
    pack: dict[str, Any] | None = None
    packs: tuple[str, ...] = ()
    calendar: str | None = None
    notice: dict[str, Any] | None = None
    editions: dict[str, int] = {}


class Candidate(msgspec.Struct, frozen=True):
    """Ready to judge by. `over` holds the calendars that lie over the candidate one, each laid over it."""

    policy: Policy | None = None
    calendar: Calendar | None = None
    over: Mapping[str, Calendar] = {}

    def policy_for(self, own: Policy) -> Policy:
        return self.policy or own

    def calendar_for(self, counted_on: Calendar, newest: Mapping[str, Calendar]) -> Calendar:
        """The calendar for a clock that was counted on another."""
        if self.calendar is not None:
            return self.over.get(counted_on.id, self.calendar)
        if self.policy is None or counted_on.lies_over(self.policy.calendar):
            return counted_on
        return newest[self.policy.calendar]


def build_policy(pack: object, packs: Mapping[str, Pack]) -> Policy:
    """The policy of an inline pack. Refused: PolicyError."""
    return resolve(parse_pack(pack), packs)


def build_calendars(
    id: str, notice: object | None, editions: Mapping[str, Edition]
) -> tuple[Calendar, dict[str, Calendar]]:
    """A calendar at the version that `editions` hold, or at the one that a notice would make of it; and those that lie
    over it. Refused: CalendarError."""
    if notice is not None:
        calendars = dict(draft(id, notice, editions).calendars)
    else:
        calendars = {each: assemble(each, editions) for each in editions if id in _line(each, editions)}
    return calendars.pop(id), calendars


def _line(id: str, editions: Mapping[str, Edition]) -> list[str]:
    """A calendar and those it lies over."""
    line, at = [], editions.get(id)
    while at is not None and at.id not in line:
        line.append(at.id)
        at = editions.get(at.extends) if at.extends else None
    return line
