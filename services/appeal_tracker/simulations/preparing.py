"""From what a caller names to a candidate, and from what was stored of one to the same candidate again."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import repository as calendar_rows
from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.errors import refusal
from appeal_tracker.calendars.refusals import CalendarError
from appeal_tracker.policies import repository as policy_rows
from appeal_tracker.policies import service as policies
from appeal_tracker.policies.errors import MalformedPack
from appeal_tracker.policies.pack import Pack, PolicyError
from appeal_tracker.policies.policy import Policy
from appeal_tracker.policies.stored import stored_pack
from appeal_tracker.simulations.candidate import Asked, Candidate, build_calendars, build_policy
from appeal_tracker.simulations.errors import NoCandidate, NoticeWithoutCalendar, TwoPolicies, UnknownVersion
from chassis.web.errors import FieldError, Problem

_NUMBER = re.compile("[0-9]{1,9}")


async def ask(
    tx: AsyncSession,
    policy: str | None,
    pack: dict[str, Any] | None,
    calendar: str | None,
    notice: dict[str, Any] | None,
) -> Asked:
    """What is to be stored of a candidate, once it is sure that it can be built.

    `policy` and `calendar` are labels of published versions, `state-grid@1`, or names, for the newest. Raises
    `NoCandidate`, `TwoPolicies`, `NoticeWithoutCalendar`, `UnknownVersion`, and what a pack or a notice is refused for,
    with a pointer into it.
    """
    if policy is None and pack is None and calendar is None and notice is None:
        raise NoCandidate
    if policy is not None and pack is not None:
        raise TwoPolicies
    if notice is not None and calendar is None:
        raise NoticeWithoutCalendar
    asked = Asked(pack=pack, notice=notice)
    if policy is not None:
        asked = msgspec.structs.replace(asked, policy=await _published(tx, policy))
    if pack is not None:
        asked = msgspec.structs.replace(asked, packs=await _below(tx, pack))
    if calendar is not None:
        editions = await _editions(tx, calendar, known=notice is None)
        asked = msgspec.structs.replace(asked, calendar=calendar.partition("@")[0], editions=editions)
    await build(tx, asked)
    return asked


async def build(tx: AsyncSession, asked: Asked) -> Candidate:
    """The candidate, the same whenever it is built."""
    policy = None
    if asked.policy is not None:
        policy = (await policies.shelf(tx)).written(asked.policy)
    elif asked.pack is not None:
        policy = _inline(asked.pack, await _packs(tx, asked.packs))
        if policy.calendar not in await calendars.newest(tx):
            raise UnknownVersion("/pack/calendar", policy.calendar)
    if asked.calendar is None:
        return Candidate(policy)
    editions = await calendar_rows.editions(tx, [*asked.editions.items()])
    try:
        # Tens of milliseconds for each calendar: others are served meanwhile.
        its, over = await asyncio.to_thread(build_calendars, asked.calendar, asked.notice, editions)
    except CalendarError as refused:
        raise _within("/notice", refusal(refused, asked.calendar)) from None
    return Candidate(policy, its, over)


async def _published(tx: AsyncSession, name: str) -> str:
    """The label of a policy that is named, of its newest version where no version is."""
    shelf = await policies.shelf(tx)
    label = next((each.label for versions in shelf for each in versions if name in (each.label, each.id)), None)
    if label is None:
        raise UnknownVersion("/policy", name)
    return label


def _inline(pack: dict[str, Any], packs: Mapping[str, Pack]) -> Policy:
    try:
        return build_policy(pack, packs)
    except PolicyError as refused:
        raise MalformedPack(f"/pack{refused.pointer}", refused.fault) from None


async def _below(tx: AsyncSession, pack: dict[str, Any]) -> tuple[str, ...]:
    """The labels of what an inline pack extends: the newest version of its parent, and what that was built on."""
    parent = pack.get("extends")
    versions = next((each for each in await policies.shelf(tx) if each[0].id == parent), None)
    return versions[0].lineage if versions else ()


async def _packs(tx: AsyncSession, labels: Sequence[str]) -> dict[str, Pack]:
    rows = await policy_rows.versions(tx) if labels else ()
    return {row.id: stored_pack(row.body) for row in rows if f"{row.id}@{row.version}" in labels}


async def _editions(tx: AsyncSession, name: str, *, known: bool) -> dict[str, int]:
    """The newest version of each calendar, but the named ones at the versions that are named; `known`: there must be
    such a calendar already."""
    editions = {head.calendar: head.version for head in (await calendar_rows.newest(tx)).values()}
    if known and name.partition("@")[0] not in editions:
        raise UnknownVersion("/calendar", name)
    for label in name.split("+"):
        calendar, _, version = label.partition("@")
        if version:
            wanted = int(version) if _NUMBER.fullmatch(version) else 0
            if not 1 <= wanted <= editions.get(calendar, 0):
                raise UnknownVersion("/calendar", label)
            editions[calendar] = wanted
    return editions


def _within(pointer: str, problem: Problem) -> Problem:
    """The same problem, its pointers leading into a part of the body."""
    problem.errors = [FieldError(pointer + each.pointer, each.code, each.words, each.place) for each in problem.errors]
    return problem
