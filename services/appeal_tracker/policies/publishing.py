"""Packs of one's own: a version is checked, and published for good; a pack is withdrawn, and its history stays.

What runs by a version never changes under it: versions are immutable, an appeal has the one in force when it was
received, and none takes effect before the day after it was published, but for the first, which nobody went by before.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import DAY, date_of, day_number, instant_of, number_of
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import relaxing, repository
from appeal_tracker.policies.errors import (
    CyclicPolicies,
    EffectiveTooEarly,
    FloorStays,
    LaxerPolicy,
    MalformedPack,
    NotTheNextVersion,
    PackagedPolicy,
    PolicyIsWithdrawn,
    PolicyWithdrawnBefore,
    PolicyWithoutParent,
    UnknownParentPolicy,
)
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.loader import FLOOR, packaged_packs
from appeal_tracker.policies.models import Withdrawal
from appeal_tracker.policies.pack import Pack, PolicyError, parse_pack
from appeal_tracker.policies.pointing import place
from appeal_tracker.policies.policy import Policy, in_force, reigns, usable
from appeal_tracker.policies.relaxing import InUse, Question, Relaxed
from appeal_tracker.policies.repository import Standing
from appeal_tracker.policies.service import Shelf, line, shelf
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from contracts.policies import PolicyWithdrawn


class Prepared(msgspec.Struct, frozen=True):
    """A version that can be published, what it builds on, and the packs built on older versions of it that it would
    leave laxer than itself; these are marked, not changed. `without_effect` points at what it says and no deadline of
    its own goes by, though one of a pack that extends it may."""

    pack: Pack
    extends_version: int
    policy: Policy
    laxer: list[Relaxed]
    without_effect: list[str]


async def prepare(
    tx: AsyncSession, caller: Principal, document: Mapping[str, object], at: datetime, *, lock: bool = False
) -> Prepared:
    """The next version of a pack, or the first; nothing is stored. `lock` makes others who would publish wait.

    Raises `Forbidden`, and the problem that says what is wrong with the pack.
    """
    await directory.demand_top(tx, caller)
    if lock:
        await repository.lock(tx)
    its, today = await shelf(tx), date_of(day_number(at))
    pack = _in_turn(_parsed(document), document, its, today)
    parent = _parent(pack, its, today)
    policy = _resolved(pack, await line(tx, parent))
    newest = await calendars.newest(tx)
    relaxing.demand_over(policy.calendar, parent.calendar, newest)
    begins = max(today, pack.effective_from or today)
    for calendar in (await repository.picked_calendars(tx, begins)).get(policy.id, ()):
        relaxing.demand_over(calendar, policy.calendar, newest)  # or its units would miss the days of the pack's
    # The newest version of a pack is the last to begin: it has no end yet.
    extended = its.extended(policy, begins, date.max)
    picked = await repository.picked_calendars(tx, today)
    for relaxed in await relaxing.found(relaxing.questions(policy, extended, newest, picked)):
        pointers = [place(pack, each.pointer) for each in relaxed.places]
        raise LaxerPolicy(relaxed.policy, relaxed.calendar, relaxed.places, pointers)
    built_on_it = [
        question
        for versions in its
        for each in usable(versions, today)
        if each.id not in its.withdrawn and policy.id in (label.partition("@")[0] for label in each.lineage[1:])
        for question in relaxing.questions(each, [policy], newest, picked)
    ]
    laxer = await relaxing.shown(tx, await relaxing.found(built_on_it), caller.unit)
    without_effect = ["/close_of_business"] if pack.close_of_business and not policy.closes_early else []
    return Prepared(pack, parent.version, policy, laxer, without_effect)


async def publish(tx: AsyncSession, prepared: Prepared, by: str, at: datetime) -> None:
    """Stores a version that was prepared under lock in this transaction."""
    await repository.add(tx, prepared.pack, prepared.extends_version, by, at)


async def withdraw(tx: AsyncSession, runtime: Runtime, caller: Principal, policy: str, reason: str) -> Withdrawal:
    """Has nothing begin by a pack any more that is received from now on, and tells of it. What it already times is for
    whoever keeps the clocks to silence. Raises `Forbidden`, `PolicyNotFound`, `FloorStays`, `PolicyWithdrawnBefore`.
    """
    await directory.demand_top(tx, caller)
    await repository.lock(tx)
    its = await shelf(tx)
    its.versions(policy)
    if policy == FLOOR:
        raise FloorStays(policy=policy)
    if policy in its.withdrawn:
        raise PolicyWithdrawnBefore(policy=policy)
    at = runtime.clock.now()
    withdrawal = Withdrawal(policy=policy, withdrawn_at=at, withdrawn_by=caller.sub, reason=reason)
    await repository.withdraw(tx, withdrawal)
    told = PolicyWithdrawn(withdrawal_id=new_id(), policy=policy, unit_code=caller.unit or "", at=at, by=caller.sub)
    await runtime.outbox.append(tx, [told], at=at)
    return withdrawal


async def hold(tx: AsyncSession) -> Standing:
    """How packs stand; until the transaction ends none is published, withdrawn or picked."""
    await repository.lock(tx, shared=True)
    return await repository.standing(tx)


async def relaxed_by(
    tx: AsyncSession, moved: Mapping[str, Calendar], at: datetime, in_use: Iterable[InUse] = ()
) -> list[Relaxed]:
    """The packs that calendars, by id, leave laxer than what they extend, on these calendars as they will be: each
    version that something can still begin under, on its own calendar and on those that units picked for it; and each
    that is still `in_use`. They are measured by every version of what they extend that is in force while they are."""
    its, today = await shelf(tx), date_of(day_number(at))
    picked = await repository.picked_calendars(tx, today)
    questions = [
        question
        for versions in its
        for reign in reigns(versions, today)
        for question in relaxing.questions(reign.policy, its.extended(*reign), moved, picked)
    ]
    for each in in_use:
        policy = its.published(each.policy)
        if policy is not None and each.calendar in moved:
            first, last = (date_of(day_number(instant)) for instant in (each.first, each.last))
            questions.append(Question(policy, its.extended(policy, first, last), moved[each.calendar]))
    return await relaxing.found(relaxing.joined(each for each in questions if each.policy.id not in its.withdrawn))


def _parsed(document: Mapping[str, object]) -> Pack:
    try:
        return parse_pack(document)
    except PolicyError as refused:
        raise MalformedPack(refused.pointer, refused.fault) from None


def _in_turn(pack: Pack, document: Mapping[str, object], its: Shelf, today: date) -> Pack:
    """The pack with its version, once it is sure to be the next one and to change no day gone by."""
    if pack.id in packaged_packs():
        raise PackagedPolicy(pack.id)
    if pack.id in its.withdrawn:
        raise PolicyIsWithdrawn(pack.id, "/id")
    published = its.find(pack.id)
    expected = 1 + (published[0].version if published else 0)
    if "version" in document and pack.version != expected:
        raise NotTheNextVersion(expected)
    # Nobody can have gone by a pack before its first version: that one alone may begin today, or be without a lower
    # bound. What was received earlier today runs by the version before already.
    if pack.effective_from is not None or published:
        soonest = today + timedelta(days=1) if published else today
        earliest = max([soonest, *(each.effective_from for each in published if each.effective_from)])
        if pack.effective_from is None or pack.effective_from < earliest:
            raise EffectiveTooEarly(earliest)
    return replace(pack, version=expected)


def _parent(pack: Pack, its: Shelf, today: date) -> Policy:
    """The version that a pack builds on: the one in force when it takes effect itself."""
    if pack.extends is None:
        raise PolicyWithoutParent
    if pack.extends == pack.id:
        raise CyclicPolicies([pack.id, pack.id])
    if pack.extends in its.withdrawn:
        raise PolicyIsWithdrawn(pack.extends, "/extends")
    begins = max(today, pack.effective_from or today)
    parent = in_force(its.find(pack.extends), instant_of(number_of(begins) * DAY))
    if parent is None:
        raise UnknownParentPolicy(pack.extends)
    line = [label.partition("@")[0] for label in parent.lineage]
    if pack.id in line:
        raise CyclicPolicies([pack.id, *line[: line.index(pack.id) + 1]])
    return parent


def _resolved(pack: Pack, packs: Mapping[str, Pack]) -> Policy:
    try:
        return resolve(pack, packs)
    except PolicyError as refused:
        raise MalformedPack(place(pack, refused.pointer), refused.fault) from None
