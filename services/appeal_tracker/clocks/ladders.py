"""SQL of the ladders: what becomes of the timers of clocks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, case, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.clocks.models import Timer
from appeal_tracker.clocks.states import TimerState
from appeal_tracker.policies.ladder import Phase
from chassis.db import driver

# Whether the pack that a clock `c` runs by is withdrawn, and it speaks for none of another pack. Whoever is about to
# tell asks it once more: a clock may have been started or planned anew by somebody who began before the withdrawal, and
# ended after it. OFFSET: by its index, for each clock; never all that follow others for the sake of one.
SILENT = """(split_part(c.policy, '@', 1) IN (SELECT policy FROM policy_withdrawals) AND NOT EXISTS (
    SELECT FROM clocks f WHERE f.follows = c.id AND f.state IN ('running', 'held', 'breached') AND f.stopped_at IS NULL
        AND split_part(f.policy, '@', 1) NOT IN (SELECT policy FROM policy_withdrawals) OFFSET 0))"""

# The packs that a clock `c` speaks for: its own, and those of the clocks that follow it. Most are followed by none, and
# that is quickly seen.
PACKS = """CASE WHEN EXISTS (SELECT FROM clocks f WHERE f.follows = c.id OFFSET 0)
    THEN array_prepend(split_part(c.policy, '@', 1), ARRAY(
        SELECT DISTINCT split_part(f.policy, '@', 1) FROM clocks f
        WHERE f.follows = c.id AND f.state IN ('running', 'held', 'breached') AND f.stopped_at IS NULL
            AND split_part(f.policy, '@', 1) <> split_part(c.policy, '@', 1) OFFSET 0))
    ELSE ARRAY[split_part(c.policy, '@', 1)] END"""

_SILENT = f"SELECT c.id FROM clocks c WHERE c.id = ANY ($1::uuid[]) AND {SILENT}"  # noqa: S608 - made of constants

# The breach is told by whoever records it. What was to be said before it, or after the act, has no object any more; an
# escalation that should have fired before the act is not skipped because nobody was there to fire it.
_BREACH = text(f"""
WITH ended AS (
    UPDATE timers SET state = CASE WHEN phase = 'due' THEN 'fired' ELSE 'cancelled' END,
        fired_at = CASE WHEN phase = 'due' THEN CAST(:now AS timestamptz) END,
        late = CASE WHEN phase = 'due' THEN fire_at < CAST(:promptly AS timestamptz) END
    WHERE clock_id = :clock AND state IN ('pending', 'held')
        AND (phase <> 'after' OR fire_at > :at OR state = 'held' AND CAST(:at AS timestamptz) IS NOT NULL)
    RETURNING phase, step, tell, late, greatest(fire_at, set_at) AS could_at)
SELECT step, CASE WHEN {SILENT} THEN '{{}}' ELSE tell END AS tell, late, {PACKS} AS packs, could_at
FROM ended JOIN clocks c ON c.id = :clock WHERE phase = 'due'
""")  # noqa: S608 - made of constants

# What fired is taken over as the record that it did. A clock that was not breached may still be; the escalations that a
# breached one has before it keep their moments: those that are past come at once, late, and people are told once.
_INHERIT = text("""
INSERT INTO timers (clock_id, step, phase, tell, fire_at, state, fired_at, late, set_at)
SELECT c.id, t.step, t.phase, t.tell, t.fire_at,
       CASE t.state WHEN 'fired' THEN 'fired' ELSE 'pending' END, t.fired_at, t.late,
       CASE WHEN t.state = 'fired' THEN t.set_at WHEN t.fire_at < now THEN now END
FROM CAST(:now AS timestamptz) AS now, unnest(CAST(:clocks AS uuid[]), CAST(:heirs AS uuid[])) AS i (clock, heir)
     JOIN clocks c ON c.id = i.heir JOIN timers t ON t.clock_id = i.clock
WHERE CASE c.state WHEN 'breached' THEN t.state = 'fired' OR t.phase = 'after'
                   ELSE t.state = 'fired' AND t.phase = 'before' END
""")


async def of(tx: AsyncSession, clocks: Collection[UUID]) -> Sequence[Timer]:
    """The timers of `clocks`, in the order they fire, for being shown: what a withdrawn pack does not tell any more is
    cancelled, though that is written only when its moment comes."""
    query = select(Timer).where(Timer.clock_id.in_(clocks)).order_by(Timer.fire_at, Timer.step)
    found = (await tx.scalars(query)).all()
    silent = {row[0] for row in await (await driver(tx)).fetch(_SILENT, list(clocks))}
    for timer in found:
        if timer.clock_id in silent and timer.state in (TimerState.PENDING, TimerState.HELD):
            tx.expunge(timer)
            timer.tell, timer.state = [], timer.state if timer.phase == Phase.DUE else TimerState.CANCELLED
    return found


async def cancel(tx: AsyncSession, clocks: Collection[UUID], after: datetime | None = None) -> None:
    """Has the timers that did not fire yet never fire; or only those of moments `after` an instant, and those that
    something holds."""
    pending = update(Timer).where(Timer.clock_id.in_(clocks), Timer.state.in_((TimerState.PENDING, TimerState.HELD)))
    if after is not None:
        pending = pending.where(or_(Timer.state == TimerState.HELD, Timer.fire_at > after))
    await tx.execute(pending.values(state=TimerState.CANCELLED), execution_options={"synchronize_session": False})


async def inherit(tx: AsyncSession, heirs: Collection[tuple[UUID, UUID]], now: datetime) -> None:
    """Gives the clocks that go on for others from `now` on what those told already, and what they still have to
    tell."""
    if heirs:
        clocks, its = zip(*heirs, strict=True)
        await tx.execute(_INHERIT, {"clocks": list(clocks), "heirs": list(its), "now": now})


async def hush(tx: AsyncSession, clocks: Collection[UUID]) -> None:
    """Has what is left of the ladders of `clocks` tell nobody: whoever goes on for them tells it."""
    left = update(Timer).where(Timer.clock_id.in_(clocks), Timer.state == TimerState.PENDING)
    await tx.execute(left.values(tell=[]), execution_options={"synchronize_session": False})


async def escalate_again(tx: AsyncSession, clocks: Collection[UUID], now: datetime) -> None:
    """Has the escalations of breached clocks fire from `now` on that something held; to warn of them it is too late."""
    held = update(Timer).where(Timer.clock_id.in_(clocks), Timer.state == TimerState.HELD)
    state = case((Timer.phase == Phase.AFTER, TimerState.PENDING.value), else_=TimerState.CANCELLED.value)
    set_at = case((Timer.fire_at < now, now))
    await tx.execute(held.values(state=state, set_at=set_at), execution_options={"synchronize_session": False})


async def fire_breach(
    tx: AsyncSession, clock: UUID, at: datetime | None, now: datetime, promptly: datetime
) -> Row[tuple[str, list[str], bool, list[str], datetime]]:
    """Has the timer of a running clock's breach fire now, late if it was due before `promptly`, and those of
    moments after the act `at` never, if one ended it; returns its step, whom it tells, whether it is late, the packs by
    which it is told, and since when it could have fired."""
    return (await tx.execute(_BREACH, {"clock": clock, "at": at, "now": now, "promptly": promptly})).one()
