"""What an appeal should have beside it and older code did not know of: its words wanted, the callback that its pack
requires asked for, and of whom it may be asked, the earlier appeal that it repeats, by what is known now, and what was
written about it sealed. One that is heard of only after the work of whoever heard it was handed over goes along.

Appeals are followed in the order in which they change, from the first one on: what an older process still writes while
it is being replaced is met a moment later, as is what was there before. What is done is done once, whoever does it.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import asking, repeating
from appeal_tracker.appeals import repository as appeals
from appeal_tracker.appeals.acting import begin
from appeal_tracker.appeals.deeds import NOBODY
from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.leaving import service as leaving
from appeal_tracker.leaving.service import Heard
from appeal_tracker.policies import service as policies
from appeal_tracker.texts import service as texts
from appeal_tracker.upkeep import repository
from appeal_tracker.upkeep.repository import Place
from appeal_tracker.words import service as words
from chassis.runtime import Runtime


class Found(msgspec.Struct, frozen=True):
    """Some appeals that changed: the last of them, all of them with the units that raised them, those to be called back
    of which nobody was asked it, or perhaps the wrong ones, those that repeat another one than they say, each looked at
    for so many days back, and those that should have gone along with a hand-over of work, each with which."""

    last: Place
    all: Mapping[UUID, str]
    unasked: Sequence[UUID]
    misasked: Sequence[UUID]
    returned: Sequence[tuple[UUID, int]]
    left: Sequence[tuple[UUID, UUID]]


async def look(tx: AsyncSession) -> Found | None:
    """Looks at the appeals that changed next; None where there are none."""
    rows = await repository.following(tx, await repository.where(tx))
    if not rows:
        return None
    shelf = await policies.shelf(tx)
    # Of one that runs by what was never published nothing can be said, but by the self-audit.
    ruled = [(row, rule) for row in rows if (rule := shelf.published(row["policy"])) is not None]
    answered = {
        row["merged_into"] or row["id"]  # which speaks for it
        for row, rule in ruled
        if State.ANSWERED in (row["state"], row["held_in"])
        and rule.callback.is_required(row["type"], anonymous=row["anonymous"])
    }
    hidden = [row["id"] for row, _ in ruled if row["confidential"] or row["anonymous"]]
    own = {row["id"]: row["policy"] for row in rows if row["state"] != State.CLOSED}
    open_now = own | await appeals.later(tx, [row["id"] for row in rows])
    days = {each: rule.repeat_days for each, label in open_now.items() if (rule := shelf.published(label)) is not None}
    its = [row[0] for row in await appeals.returned(tx, days)] if days else []
    heard = {
        row["id"]: Heard(row["first_contact"], row["received_at"])
        for row in rows
        if row["state"] != State.CLOSED and row["handler"] is None and row["first_contact"]
    }
    return Found(
        Place(rows[-1]["changed_xid"], rows[-1]["id"]),
        {row["id"]: row["unit_code"] for row in rows},
        await repository.unasked(tx, answered) if answered else (),
        await repository.misasked(tx, hidden) if hidden else (),
        [(each, days[each]) for each in its],
        await leaving.owed(tx, heard),
    )


async def ask(tx: AsyncSession, runtime: Runtime, appeal: UUID) -> None:
    """Asks for the callback that the pack of an appeal requires, if nobody else did meanwhile; what was asked for in an
    earlier round ends. Raises `MergedMeanwhile`."""
    deed = await begin(tx, runtime, NOBODY, appeal)
    if asking.wanted(deed, deed.case) and await repository.unasked(tx, [appeal]):
        await asking.end_others(deed)
        await asking.required(deed, deed.case)
        await deed.settle()


async def put_right(tx: AsyncSession, runtime: Runtime, appeal: UUID) -> None:
    """Has nobody called about a hidden appeal by those whom it may be about, nor anybody who gave no name."""
    deed = await begin(tx, runtime, NOBODY, appeal)
    await asking.put_right(deed)
    await deed.settle()


async def link(tx: AsyncSession, runtime: Runtime, appeal: UUID, days: int) -> None:
    """Links an appeal to the one that it repeats, or to none, if nobody else did, and nobody closed it, meanwhile."""
    if (await appeals.lock(tx, appeal)).state != State.CLOSED:
        await repeating.link(tx, runtime, {appeal: days})


async def hand(tx: AsyncSession, runtime: Runtime, appeal: UUID, hand_over: UUID) -> None:
    """Hands over an appeal that was heard of only after the work of whoever heard it was handed over. Raises
    `MergedMeanwhile`."""
    await leaving.hand(tx, runtime, hand_over, appeal)


async def seal(tx: AsyncSession, runtime: Runtime, units: Mapping[UUID, str]) -> None:
    """Seals what was written in the clear about some appeals, by the units that raised them."""
    await texts.take_away(tx, runtime, units)


async def done(tx: AsyncSession, found: Found) -> None:
    """Has the words be wanted that are nowhere, and goes on from there."""
    await words.want(tx, found.all)
    await repository.came_to(tx, found.last)
