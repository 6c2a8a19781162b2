"""What is due on a channel, with all that a decision about it depends on; and the decision."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.deliveries import quieting
from notifier.deliveries.decision import Decision, Drop, decide
from notifier.deliveries.planning import HANDED, whose
from notifier.deliveries.quiet import QuietHours, next_working
from notifier.deliveries.workdays import workdays
from notifier.directory import service as directory
from notifier.directory.audience import GROUP, OWNER, Known, Matter, by_name
from notifier.routes.events import APPOINTMENTS, CALLBACKS, ENDS, LADDER, PLANS, UNTIL_ANSWERED
from notifier.subjects.relevance import Heard, Move, Said, obsolete

WARNING = "deadline.warned"
# Some at a time: between two statements a transaction may not stand idle for long, and a machine in a storm is slow.
PORTION = 1_000
FOUND_AGAIN = 10  # times that somebody is lost and found; then they are told, whoever else should be
MOST = 20_000  # deliveries that are looked at together: what waits for one person leaves together

_DELIVERY = """
SELECT d.id, d.event_id, d.recipient, d.recipient_kind, d.channel, d.attempts, d.tries, d.send_id,
       d.audience, d.audience_unit, d.audience_role, d.on_duty, d.instead_of, d.route, d.passes, d.working_days,
       d.found_again, n.scheduled_at, p.scheduled_at AS scheduled_now, p.scheduled_said, p.appointed_said,
       n.heard, n.said_at, n.event_type, n.at, n.owner, coalesce(n.first_contact, p.first_contact) AS first_contact,
       n.person, n.kind, n.late, n.late_arrival, n.handling_unit_code, n.asked_unit_code, n.round,
       n.subject_kind, n.subject_id, n.milestone, n.due_at, n.step,
       p.owner AS owner_now, p.owned_said, p.handling_unit_code AS unit_now,
       s.number, s.appeal_type, s.ended, coalesce(s.round, 1) AS current_round,
       said.heard AS stopped, said.said_at AS stopped_said,
       done.heard AS acted, done.said_at AS acted_said, done.at AS acted_at,
       moved.heard AS moved, moved.said_at AS moved_said, moved.due_at AS moved_due, moved.old_due_at AS moved_old_due,
       held.heard AS held, held.said_at AS held_said,
       followed.said_at AS followed_said,
       n.packs <@ ARRAY(SELECT pack FROM withdrawn_packs) AS silenced,
       n.event_type LIKE 'appeal.callback_%' AND EXISTS (
           SELECT FROM notices m WHERE (m.subject_id, m.round) = (n.subject_id, n.round) AND m.heard > n.heard
               AND (n.task_id IS NULL OR m.task_id = n.task_id) AND (m.event_type = n.event_type
                   OR m.event_type LIKE 'appeal.callback_%' AND m.person IS DISTINCT FROM n.person)) AS said_again,
       d.recipient_kind = 'customer' AND n.event_type = 'appeal.callback_asked' AND EXISTS (
           SELECT FROM notices m JOIN deliveries e ON e.event_id = m.event_id
           WHERE (m.subject_id, m.round, m.event_type) = (n.subject_id, n.round, n.event_type) AND m.heard < n.heard
               AND (e.recipient, e.channel) = (d.recipient, d.channel) AND e.state NOT IN ('cancelled', 'dead')
               AND (e.state IN ('sent', 'delivered', 'unknown') OR (done.said_at <= m.said_at) IS NOT FALSE)
           ) AS told_before
FROM d JOIN notices n ON n.event_id = d.event_id
LEFT JOIN subjects s ON s.id = n.subject_id
LEFT JOIN parties p ON p.subject_id = n.subject_id
LEFT JOIN stops said ON said.certain
    AND (said.subject_id, said.round, said.milestone) = (n.subject_id, n.round, coalesce(n.milestone, 'answer'))
LEFT JOIN stops done ON NOT done.certain
    AND (done.subject_id, done.round, done.milestone) = (n.subject_id, n.round, coalesce(n.milestone, 'callback'))
LEFT JOIN stops followed ON n.kind = 'follow_up' AND NOT followed.certain
    AND (followed.subject_id, followed.round, followed.milestone) = (n.subject_id, n.round, n.kind)
LEFT JOIN moves moved ON (moved.subject_id, moved.round, moved.milestone) = (n.subject_id, n.round, n.milestone)
LEFT JOIN holds held ON (held.subject_id, held.round) = (n.subject_id, n.round) AND n.milestone = ANY (held.milestones)
"""
# What only waits to be told tells nobody any more once the call was made; then the customer was not told before.
# What is locked comes first, as the rows that it is by then; all else is looked up for those rows. Joined the other way
# round, with as many tables as these, all that was ever sent would be read.
# The states are literal, or a generic plan would miss the partial indexes; so is how many, or it would expect a tenth
# of all, and the server would plan anew each time.
_IS_DUE = """
SELECT * FROM deliveries
WHERE state IN ('queued', 'deferred', 'failed') AND channel = :channel AND not_before <= :now
    AND (next_try_at IS NULL OR next_try_at <= now())
"""
_OTHERS = text(
    f"WITH d AS MATERIALIZED ({_IS_DUE} AND recipient = ANY (CAST(:recipients AS text[])) "
    f"AND id <> ALL (CAST(:had AS uuid[])) AND id > :after ORDER BY id LIMIT {PORTION} FOR UPDATE SKIP LOCKED)"
    f"{_DELIVERY} ORDER BY d.id"
)
_CARRIED = text(
    "WITH d AS MATERIALIZED (SELECT * FROM deliveries WHERE send_id = ANY (CAST(:sends AS uuid[])) "  # noqa: S608
    f"AND state = 'sending' ORDER BY id FOR UPDATE) {_DELIVERY} ORDER BY d.id"
)


@cache
def _due(limit: int) -> TextClause:
    return text(
        f"WITH d AS MATERIALIZED ({_IS_DUE} ORDER BY not_before, recipient LIMIT {limit:d} FOR UPDATE SKIP LOCKED)"
        f"{_DELIVERY} ORDER BY d.not_before, d.recipient"
    )


class Due(msgspec.Struct, frozen=True):
    """A locked delivery, and what is to be done with it."""

    row: Any
    decision: Decision


async def due(tx: AsyncSession, channel: str, *, now: datetime, limit: int) -> list[Due]:
    """Deliveries that are due on `channel`, locked: the `limit` that waited longest, and all others for the same
    people."""
    rows = (await tx.execute(_due(limit), {"channel": channel, "now": now})).all()
    if len(rows) == limit:
        people = {"recipients": list({row.recipient for row in rows}), "had": [row.id for row in rows]}
        rows, after, full = list(rows), UUID(int=0), True
        while full and len(rows) < MOST:
            its = {"channel": channel, "now": now, "after": after, **people}
            others = (await tx.execute(_OTHERS, its)).all()
            rows += others
            full, after = len(others) == PORTION, others[-1].id if others else after
    return await _decided(tx, rows, now)


async def carried(tx: AsyncSession, sends: Sequence[UUID], *, now: datetime) -> list[Due]:
    """The deliveries that `sends` carry, locked."""
    return await _decided(tx, await tx.execute(_CARRIED, {"sends": sends}), now)


def due_at(row: Any) -> datetime | None:
    """The due that a message names: a warning that of today, and what tells of a breach the one that was not met."""
    its: datetime | None = row.due_at
    return _heard(row).due(Said(row.heard, row.said_at), its) if row.event_type == WARNING and its else its


async def _decided(tx: AsyncSession, rows: Iterable[Any], now: datetime) -> list[Due]:
    rows = list(rows)
    if not rows:
        return []
    matters = {row.id: _matter(row) for row in rows}
    named = {each for its in matters.values() for each in (its.owner, its.first_contact, its.caller) if each}
    people = {row.recipient for row in rows} | {row.instead_of for row in rows if row.instead_of}
    units = {row.audience_unit for row in rows if row.audience_role and row.audience_unit}
    moved = {its.unit for row in rows if (its := matters[row.id]).unit != row.handling_unit_code}
    known = await directory.standing(tx, units, people, now, named=named, moved=moved)
    hours = await quieting.in_force(tx)
    return [Due(row, _decide(row, known, hours, now)) for row in rows]


def _decide(row: Any, known: Known, hours: QuietHours, now: datetime) -> Decision:
    ladder = row.event_type in LADDER
    if not ladder and (why := _outdated(row)):
        return Drop(why)
    heard, said, warning = _heard(row), Said(row.heard, row.said_at), row.event_type == WARNING
    its, window = due_at(row), hours.of(row.recipient_kind, row.channel)
    working = next_working(now, window, workdays()) if row.working_days else None
    if warning and working is not None and its is not None and working > its:
        working = None  # a warning that comes too late warns nobody
    return decide(
        recipient=row.recipient,
        recipient_gone=row.found_again < FOUND_AGAIN and _lost(row, known),
        obsolete=obsolete(heard, round=row.round, said=said, due_at=its, warning=warning) if ladder and its else None,
        held=warning and heard.stands_still(said),
        now=now,
        channel=row.channel,
        window=window,
        working=working,
        passes=row.route if row.passes == "always" or (row.passes == "on_duty" and _on_duty(row, known)) else None,
    )


def _outdated(row: Any) -> str | None:
    """Why an act need not be told of any more: what it was about has ended, began anew, is another's to do, or done."""
    if row.ended is not None and row.event_type not in ENDS and row.kind != "follow_up":  # which is owed after the end
        return f"subject_ended:{row.ended}"
    if row.current_round > row.round:
        return "later_round"
    if row.event_type in HANDED and row.audience == OWNER and row.owner and _owned_since(row):
        return "handed_on"
    if row.event_type in PLANS and _replanned(row):
        return "replanned"
    if row.event_type in APPOINTMENTS and _later(row.appointed_said, row.said_at):
        return "appointed_anew"
    if row.event_type in UNTIL_ANSWERED and _later(row.stopped_said, row.said_at):
        return "answered"
    return _called(row) if row.event_type in CALLBACKS else None


def _called(row: Any) -> str | None:
    """Why nobody need be told of a callback that was asked for, or planned."""
    if _later(row.acted_said, row.said_at):
        return "called_back"
    if _later(row.followed_said, row.said_at):  # of several there is one at a time
        return "followed_up"
    if row.told_before:  # the callback went to somebody else: the customer is asked once
        return "told_before"
    return "handed_on" if row.said_again and row.recipient_kind == "staff" else None


def _lost(row: Any, known: Known) -> bool:
    """Whether somebody else is to be told by now: they left, are away or back, off duty, or it is not theirs, nor their
    unit's. Asked the same way as by the planner, who would otherwise find them again."""
    if row.recipient_kind != "staff":
        return False
    person = row.instead_of or row.recipient
    if row.recipient in known.gone or known.stand_in(person) != row.recipient:
        return True
    if row.audience_role:
        # One who is on duty and away is told where nobody else is there: then they are not lost.
        there = known.on_duty(row.audience_unit, row.audience_role)
        on_duty = known.duty.get((row.audience_unit, row.audience_role), ())
        if person not in on_duty and (there or row.on_duty):
            return True
    matter = _matter(row)
    if row.audience == OWNER and (meant := by_name(OWNER, matter, known)) is not None:
        return meant != person or row.audience_role is not None
    if row.audience_role is None or row.audience.startswith(GROUP):
        return False
    elsewhere = matter.unit != row.handling_unit_code
    return elsewhere and row.audience_unit not in known.lines.get(matter.unit, (row.audience_unit,))


def _matter(row: Any) -> Matter:
    return whose(row, owned_said=row.owned_said, owner_now=row.owner_now, unit_now=row.unit_now)


def _replanned(row: Any) -> bool:
    """Whether it was said later that the visit is for another time; or something, by whom nobody noted of the time."""
    noted = row.scheduled_at is not None and row.scheduled_said == row.owned_said
    return _later(row.owned_said, row.said_at) and not (noted and row.scheduled_at == row.scheduled_now)


def _owned_since(row: Any) -> bool:
    """Whether it was said later that it is somebody else's."""
    return _later(row.owned_said, row.said_at) and row.owner_now not in (None, row.owner)


def _later(said: datetime | None, other: datetime | None) -> bool:
    return said is not None and other is not None and said > other


def _on_duty(row: Any, known: Known) -> bool:
    return any((row.instead_of or row.recipient) in people for people in known.duty.values())


def _heard(row: Any) -> Heard:
    moved = Said(row.moved, row.moved_said) if row.moved else None
    return Heard(
        round=row.current_round,
        ended=row.ended,
        stopped=Said(row.stopped, row.stopped_said) if row.stopped else None,
        acted=Said(row.acted, row.acted_said) if row.acted else None,
        acted_at=row.acted_at,
        moved=Move(moved, row.moved_due, row.moved_old_due) if moved else None,
        held=Said(row.held, row.held_said) if row.held else None,
        silenced=bool(row.silenced),
    )
