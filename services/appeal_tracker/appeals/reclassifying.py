"""An appeal turns out to be of another type than it was taken for, and so was from the beginning (咨询 → 投诉).

A new round begins, in which nothing starts anew: its clocks run since the customer spoke (or since it was reopened),
and what was done about the appeal in the round before counts for them by its true time, as if the type had always been
known. The old clocks are cancelled; a breach that was recorded of one stays where it is. The new ones run by the policy
that `choosing` finds; who counted as contacted by the one before stays so.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import belated, choosing, repository
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.closing import JUDGED
from appeal_tracker.appeals.deeds import Deed
from appeal_tracker.appeals.errors import ComplaintNotHidden, OthersFollow, SameType
from appeal_tracker.appeals.insiders import may_void
from appeal_tracker.appeals.lifecycle import Act, State
from appeal_tracker.appeals.models import Appeal
from appeal_tracker.clocks import service as clocks
from appeal_tracker.clocks import telling, timeline
from appeal_tracker.clocks.acceptance import Attempt, contacted_at
from appeal_tracker.clocks.planning import NewClock, no_clock_reason
from appeal_tracker.policies.policy import ContactRule
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.appeals import AppealReclassified, ClockStarted

CONTACT, COMPLAINT = "contact", "complaint"


async def reclassify(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, *, type: str, reason: str
) -> Appeal:
    """Makes it an appeal of another type. What accuses somebody is made something else, but for a complaint, by a
    supervisor alone, as it is declared void (002 §6.4.5.6): a report may have no deadline. Raises `SameType`,
    `ComplaintNotHidden`, `OthersFollow`.
    """
    deed = await begin(tx, runtime, caller, id)
    appeal = deed.appeal
    await deed.move(Act.RECLASSIFY, deed.now)
    if type == appeal.type:
        raise SameType
    if appeal.type in JUDGED and type != COMPLAINT and not await may_void(tx, deed.caller, appeal):
        raise ComplaintNotHidden
    if len(deed.group) > 1:
        raise OthersFollow
    contact_made = appeal.reopened_at is not None and appeal.state != State.OPEN and deed.case.clock(CONTACT) is None
    await _cancel(deed)
    old, appeal.type = appeal.type, type
    appeal.facts_round, appeal.round = appeal.counts_from, appeal.round + 1
    appeal.finding = appeal.finding if type in JUDGED else None
    appeal.category = appeal.category if type == COMPLAINT else None
    rules = [deed.case.policy.contact]
    if turned := await choosing.choose_anew(deed):
        rules.insert(0, deed.case.policy.contact)
    appeal.no_clock_reason = no_clock_reason(type, deed.case.policy)
    started = await _start(deed, rules, (CONTACT,) if contact_made else ())
    told = [
        ClockStarted(clock_id=its.id, milestone=its.milestone, due_at=its.due_at, provisional=its.provisional)
        for its in started
    ]
    types: dict[str, Any] = {"appeal_type": type, "old_appeal_type": old}
    its: dict[str, Any] = {"policy": appeal.policy} if turned else {}
    event = AppealReclassified(**deed.facts(deed.case, deed.now), **types, clocks=told)
    deed.say(deed.case, "reclassified", deed.now, event, **types, round=appeal.round, reason=reason, **its)
    deed.case.clocks = []
    await deed.start(deed.case, started)
    await _stop(deed, rules)
    return await deed.done()


async def _cancel(deed: Deed) -> None:
    for clock in await clocks.cancel(deed.tx, deed.case.clocks, deed.now):
        event = telling.cancelled(deed.appeal, clock, deed.now)
        deed.tell(telling.cancelled_entry(deed.appeal, clock, deed.now, deed.caller.sub), event)


async def _start(deed: Deed, rules: Sequence[ContactRule], but: tuple[str, ...]) -> list[NewClock]:
    """Starts the clocks that run from what came true by now, each from when it did."""
    case, started = deed.case, []
    for fact, at in (await _facts(deed, rules)).items():
        started += await clocks.start_from(deed.tx, case.subject, fact, at, case.policy, but, heard_at=deed.now)
    return started


async def _facts(deed: Deed, rules: Sequence[ContactRule]) -> Mapping[str, datetime]:
    appeal = deed.appeal
    its = [each for each in await repository.answers(deed.tx, appeal.id) if each.round >= appeal.counts_from]
    facts = {"received": appeal.since}
    answered = min((each.at for each in its), default=None)
    contacts = [at for at in (await _contacted(deed, rules), answered) if at is not None]
    if contacts:
        facts["contacted"] = min(contacts)
    if answered is not None:
        facts["answered"] = answered
    return facts


async def _contacted(deed: Deed, rules: Sequence[ContactRule]) -> datetime | None:
    """When the customer counted as contacted by the first of some rules by which they do."""
    appeal, case = deed.appeal, deed.case
    its = await repository.contacts(deed.tx, appeal.id)
    attempts = [Attempt(each.at, each.result) for each in its if each.round >= appeal.counts_from and each.counts]
    clock = case.clock(CONTACT)
    end = clock.due_at if clock else deed.now
    counted = (contacted_at(attempts, rule, appeal.since, end) for rule in rules)
    return next((at for at in counted if at is not None), None)


async def _stop(deed: Deed, rules: Sequence[ContactRule]) -> None:
    """Stops the new clocks by what was done in time, or late."""
    facts = await _facts(deed, rules)
    recorded = await timeline.of(deed.tx, deed.appeal.id)
    for clock in deed.case.clocks:
        if clock.milestone == CONTACT:
            done = facts.get("contacted")
        else:
            done = belated.done_at(recorded, clock.milestone, clock.started_at, deed.case.called_back)
        if done is not None:
            await deed.stop(clock.milestone, done)
