"""SQL of what was heard of subjects. Each statement bears any order and repetition."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.base import NEXT_HEARD
from notifier.subjects.models import Stop, Subject


async def name(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores number and type of appeals; `rows` have id, number, appeal_type and round."""
    new = insert(Subject)
    known: dict[str, Any] = {name: new.excluded[name] for name in ("number", "appeal_type")}
    known["round"] = func.greatest(Subject.round, new.excluded.round)
    await tx.execute(new.on_conflict_do_update(index_elements=[Subject.id], set_=known), rows)


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
INSERT INTO moves AS known (subject_id, round, milestone, said_at)
SELECT DISTINCT ON (m.subject_id, m.round, m.milestone) m.*
FROM unnest(CAST(:subjects AS uuid[]), CAST(:rounds AS integer[]), CAST(:milestones AS text[]),
            CAST(:said AS timestamptz[])) AS m (subject_id, round, milestone, said_at)
ORDER BY m.subject_id, m.round, m.milestone, m.said_at DESC
ON CONFLICT (subject_id, round, milestone) DO UPDATE SET said_at = excluded.said_at, heard = nextval('hearing')
WHERE known.said_at <= excluded.said_at
""")


async def move(tx: AsyncSession, moved: Sequence[tuple[UUID, int, str, datetime]]) -> None:
    """Stores that clocks (subject, round, milestone) were held or put later, as it was said last: there may be many, as
    when a calendar changes."""
    if moved:
        subjects, rounds, milestones, said = (list(column) for column in zip(*moved, strict=True))
        await tx.execute(_MOVE, {"subjects": subjects, "rounds": rounds, "milestones": milestones, "said": said})


async def stop(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores that what clocks waited for has happened, as it was said last; `rows` have all but the place."""
    if rows:
        new = insert(Stop)
        again = {"heard": NEXT_HEARD, "at": new.excluded.at, "said_at": new.excluded.said_at}
        newer = or_(Stop.said_at.is_(None), Stop.said_at <= new.excluded.said_at)
        key = list(Stop.__table__.primary_key)
        await tx.execute(new.on_conflict_do_update(index_elements=key, set_=again, where=newer), rows)
