"""Deadlines on demand: what an appeal's clocks would be, without any appeal. Nothing is stored."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import day_number
from appeal_tracker.calendars.counting import Day, due, explain
from appeal_tracker.calendars.period import Unit
from appeal_tracker.calendars.refusals import NotCovered
from appeal_tracker.clocks.errors import OutsideCalendars
from appeal_tracker.clocks.planning import no_clock_reason
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.loader import FLOOR
from appeal_tracker.policies.policy import Limit, Policy
from chassis.web.errors import Problem
from chassis.web.tokens import Principal


class Case(Protocol):
    """What is asked: a type, an instant, and at most the pack or the unit to go by."""

    @property
    def appeal_type(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def policy(self) -> str | None: ...
    @property
    def unit_code(self) -> str | None: ...


class CalculatedClock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A deadline, and if asked for the days that make it."""

    milestone: str
    within: str
    clause: str
    stated_by: str
    due_at: datetime
    provisional: bool
    days: tuple[Day, ...] | None = None


class Calculation(msgspec.Struct, frozen=True):
    """The clocks that run from the receipt of the appeal."""

    policy: str
    calendar: str
    clocks: list[CalculatedClock]
    no_clock_reason: str | None


class _OfDay(NamedTuple):
    """What holds for all cases of a type that are received on one civil day; hours are counted for each by itself."""

    policy: str
    calendar: Calendar
    label: str
    clocks: Sequence[CalculatedClock | Limit]
    no_clock_reason: str | None


class Calculator:
    """Every published policy and calendar at hand, and the choices of some units: calculates without the database.

    What depends on the civil day of the receipt alone is computed once for a day.
    """

    def __init__(
        self, shelf: policies.Shelf, newest: Mapping[str, Calendar], units: Collection[str], *, explained: bool
    ) -> None:
        self._shelf, self._newest, self._units, self._explained = shelf, newest, units, explained
        self._by_day: dict[tuple[str | None, str, int], _OfDay] = {}

    def calculate(self, case: Case) -> Calculation:
        """The clocks of one case: by the pack it names, on the calendar that counts for it in its unit; else by the one
        its unit goes by, else the floor.

        Raises `UnknownPolicy`, `PolicyNotInForce`, `OutsideCalendars`.
        """
        start = case.received_at
        try:
            its = self._of_day(case)
            clocks = [
                self._counted(clock, start, its.calendar) if isinstance(clock, Limit) else clock for clock in its.clocks
            ]
        except NotCovered as refused:
            raise OutsideCalendars(refused.first, refused.last) from refused
        return Calculation(its.policy, its.label, clocks, its.no_clock_reason)

    def _of_day(self, case: Case) -> _OfDay:
        unit, at = case.unit_code, case.received_at
        if unit is not None and unit in self._units:  # what it picked may be withdrawn in the middle of a day
            choice = self._shelf.chosen(unit, at)
            named = case.policy and choice.calls_for(self._shelf.named(case.policy, at), self._newest)
            return self._begun(case, named or choice.policy)
        key = case.policy, case.appeal_type, day_number(case.received_at)
        known = self._by_day.get(key)
        if known is None:
            policy = self._shelf.named(case.policy or FLOOR, case.received_at)
            known = self._by_day[key] = self._begun(case, policy)
        return known

    def _begun(self, case: Case, policy: Policy) -> _OfDay:
        calendar = self._newest[policy.calendar]
        clocks = [
            limit if limit.within.unit is Unit.HOURS else self._counted(limit, case.received_at, calendar)
            for limit in policy.limits(case.appeal_type)
            if limit.starts == "received"
        ]
        return _OfDay(policy.label, calendar, calendar.label, clocks, no_clock_reason(case.appeal_type, policy))

    def _counted(self, limit: Limit, start: datetime, calendar: Calendar) -> CalculatedClock:
        deadline = due(start, limit.within, calendar)
        return CalculatedClock(
            limit.milestone,
            str(limit.within),
            limit.clause,
            limit.stated_by,
            deadline.due_at,
            deadline.provisional,
            explain(start, limit.within, calendar) if self._explained else None,
        )


async def calculator(
    tx: AsyncSession, caller: Principal, cases: Collection[Case | Problem], *, explained: bool
) -> Calculator:
    """A calculator for `cases`, in a few round trips however many they are. A unit that the caller does not see goes
    by the floor, as one that does not exist."""
    named = {case.unit_code for case in cases if not isinstance(case, Problem) and case.unit_code is not None}
    units = await directory.visible(tx, named, caller.unit)
    return Calculator(await policies.shelf(tx, units), await calendars.newest(tx), units, explained=explained)
