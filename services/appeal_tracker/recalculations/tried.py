"""What was tried about appeals before they were brought to another policy, and counts by that: the milestones that are
reached with it. A dry run says so, and `appeals.counting` does it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.clocks.acceptance import Attempt, called_back_at, contacted_at
from appeal_tracker.clocks.replanning import Plan
from appeal_tracker.clocks.states import ClockState
from appeal_tracker.clocks.verdict import last_in_time
from appeal_tracker.policies.policy import Policy
from appeal_tracker.policies.service import Shelf
from appeal_tracker.recalculations.concerned import attempts_of
from appeal_tracker.recalculations.starting import CALLBACK, CONTACT, Relabelling
from appeal_tracker.recalculations.subjects import Milestone
from chassis.db import driver

# Whether it counts by now or not; of callbacks only those about an answer that still waits for one.
_TRIED = """
SELECT a.id, ARRAY(SELECT (c.at, c.result) FROM contacts c
                   WHERE c.appeal_id = a.id AND c.round >= coalesce(a.facts_round, a.round) AND c.counts ORDER BY c.at),
       (SELECT min(n.at) FROM answers n WHERE n.appeal_id = a.id AND n.round >= coalesce(a.facts_round, a.round)),
       ARRAY(SELECT (b.at, b.result) FROM callbacks b
             WHERE b.appeal_id = a.id AND b.round >= coalesce(a.facts_round, a.round)
                 AND coalesce(a.held_in, a.state) = 'answered' ORDER BY b.at)
FROM appeals a WHERE a.id = ANY ($1::uuid[])
"""
_OPEN = (ClockState.RUNNING, ClockState.HELD)


class Tried(msgspec.Struct, frozen=True):
    """The contacts of an appeal by somebody responsible, when it was answered, and the callbacks since that count as
    none so far."""

    contacts: Sequence[Attempt]
    answered_at: datetime | None
    callbacks: Sequence[Attempt]

    def reached(
        self, its: Relabelling, standing: Sequence[Milestone], plans: Mapping[str, Plan], now: datetime
    ) -> dict[str, datetime]:
        """The milestones that are reached by the other policy, and when; `plans` holds by milestone those of the clocks
        that are open, or begin."""
        appeal, policy, found = its.appeal, its.policy, dict[str, datetime | None]()
        over = {clock.milestone for clock in standing if clock.state not in (*_OPEN, ClockState.CANCELLED)}
        since = appeal.reopened_at or appeal.received_at
        if CONTACT not in over and (CONTACT in plans or appeal.state == State.OPEN):
            plan = plans.get(CONTACT)
            start, end = (plan.started_at, last_in_time(plan, now)) if plan else (since, now)
            found[CONTACT] = contacted_at(self.contacts, policy.contact, start, end)
        if CALLBACK not in over and appeal.state == State.ANSWERED:
            plan, answered = plans.get(CALLBACK), self.answered_at or since
            start = max(answered, plan.started_at) if plan else answered
            found[CALLBACK] = called_back_at(self.callbacks, policy.callback, start, now)
        return {milestone: at for milestone, at in found.items() if at is not None}


async def tried(
    tx: AsyncSession, shelf: Shelf, changing: Sequence[Relabelling], standing: Mapping[UUID, Sequence[Milestone]]
) -> dict[UUID, Tried]:
    """What was tried about those appeals of which the policies differ about what counts; nothing where nothing was."""
    asked = [each.appeal.id for each in changing if _may_count(shelf, each, standing[each.appeal.id])]
    if not asked:
        return {}
    rows = await (await driver(tx)).fetch(_TRIED, asked)
    return {row[0]: Tried(attempts_of(row[1]), row[2], attempts_of(row[3])) for row in rows if row[1] or row[3]}


def _may_count(shelf: Shelf, its: Relabelling, standing: Collection[Milestone]) -> bool:
    old, new = shelf.published(its.appeal.policy), its.policy
    if old is None or (old.contact, _tries(old)) == (new.contact, _tries(new)):
        return False
    waits = its.appeal.state in (State.OPEN, State.ANSWERED)
    return waits or any(clock.milestone == CONTACT and clock.state in _OPEN for clock in standing)


def _tries(policy: Policy) -> tuple[int, int]:
    return policy.callback.attempts, policy.callback.hours_apart
