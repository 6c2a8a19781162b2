"""SQL of what was heard of subjects. Each statement bears any order and repetition."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.base import NEXT_HEARD
from notifier.subjects.models import Hold, Stop, Subject, WithdrawnPack


async def name(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores number and type of appeals; `rows` have id, number, appeal_type and round."""
    new = insert(Subject)
    known: dict[str, Any] = {name: new.excluded[name] for name in ("number", "appeal_type")}
    known["round"] = func.greatest(Subject.round, new.excluded.round)
    await tx.execute(new.on_conflict_do_update(index_elements=[Subject.id], set_=known), rows)


async def of(tx: AsyncSession, ids: Collection[UUID]) -> list[Subject]:
    """The subjects of these ids that were heard of."""
    return list(await tx.scalars(select(Subject).where(Subject.id.in_(ids))))


async def retype(tx: AsyncSession, id: UUID, appeal_type: str, round: int) -> None:
    """Stores that an appeal is of another type."""
    new = insert(Subject).values(id=id, appeal_type=appeal_type, round=round)
    known = {"appeal_type": new.excluded.appeal_type, "round": func.greatest(Subject.round, new.excluded.round)}
    await tx.execute(new.on_conflict_do_update(index_elements=[Subject.id], set_=known))


async def end(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores how subjects ended; `rows` have id and ended."""
    new = insert(Subject)
    await tx.execute(new.on_conflict_do_update(index_elements=[Subject.id], set_={"ended": new.excluded.ended}), rows)


async def reopen(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores that subjects are open again; `rows` have id and round."""
    new = insert(Subject)
    known = {"round": func.greatest(Subject.round, new.excluded.round), "ended": None}
    await tx.execute(new.on_conflict_do_update(index_elements=[Subject.id], set_=known), rows)


_MOVE = text("""
INSERT INTO moves AS known (subject_id, round, milestone, due_at, old_due_at, said_at)
SELECT * FROM unnest(CAST(:subjects AS uuid[]), CAST(:rounds AS integer[]), CAST(:milestones AS text[]),
                     CAST(:dues AS timestamptz[]), CAST(:old AS timestamptz[]), CAST(:said AS timestamptz[]))
ON CONFLICT (subject_id, round, milestone) DO UPDATE
SET due_at = excluded.due_at, old_due_at = excluded.old_due_at, said_at = excluded.said_at, heard = nextval('hearing')
WHERE known.said_at <= excluded.said_at
""")
Moved = tuple[UUID, int, str, datetime | None, datetime | None, datetime]


async def move(tx: AsyncSession, moved: Sequence[Moved]) -> None:
    """Stores when clocks are due (subject, round, milestone, due, due before, said at), each once, as it was said last:
    there may be many, as when a calendar changes."""
    if moved:
        names = ("subjects", "rounds", "milestones", "dues", "old", "said")
        await tx.execute(_MOVE, dict(zip(names, map(list, zip(*moved, strict=True)), strict=True)))


async def hold(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores which milestones of subjects stand still, as it was said last; `rows` have all but the place."""
    if rows:
        new = insert(Hold)
        again = {"heard": NEXT_HEARD, "milestones": new.excluded.milestones, "said_at": new.excluded.said_at}
        newer = Hold.said_at <= new.excluded.said_at
        key = [Hold.subject_id, Hold.round]
        await tx.execute(new.on_conflict_do_update(index_elements=key, set_=again, where=newer), rows)


async def withdraw(tx: AsyncSession, packs: Collection[str]) -> None:
    """Stores that packs were withdrawn."""
    await tx.execute(insert(WithdrawnPack).on_conflict_do_nothing(), [{"pack": pack} for pack in sorted(packs)])


async def stop(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores that what clocks waited for has happened, as it was said last; `rows` have all but the place."""
    if rows:
        new = insert(Stop)
        again = {"heard": NEXT_HEARD, "at": new.excluded.at, "said_at": new.excluded.said_at}
        newer = or_(Stop.said_at.is_(None), Stop.said_at <= new.excluded.said_at)
        key = list(Stop.__table__.primary_key)
        await tx.execute(new.on_conflict_do_update(index_elements=key, set_=again, where=newer), rows)
