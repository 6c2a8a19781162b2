"""SQL of what was heard of subjects. Each statement bears any order and repetition."""

from typing import Any

from sqlalchemy import func, or_
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


async def stop(tx: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Stores that what clocks waited for has happened, as it was said last; `rows` have all but the place."""
    if rows:
        new = insert(Stop)
        again = {"heard": NEXT_HEARD, "at": new.excluded.at, "said_at": new.excluded.said_at}
        newer = or_(Stop.said_at.is_(None), Stop.said_at <= new.excluded.said_at)
        key = list(Stop.__table__.primary_key)
        await tx.execute(new.on_conflict_do_update(index_elements=key, set_=again, where=newer), rows)
