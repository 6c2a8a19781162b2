"""SQL of the code tables."""

from sqlalchemy import Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from appeal_tracker.sources.models import CodeTable


def newest() -> Select[CodeTable]:
    """The newest version of each."""
    newer = aliased(CodeTable)
    return select(CodeTable).where(~exists().where(newer.source == CodeTable.source, newer.version > CodeTable.version))


async def find(tx: AsyncSession, source: str) -> CodeTable | None:
    """What counts for a source now."""
    query = select(CodeTable).where(CodeTable.source == source).order_by(CodeTable.version.desc()).limit(1)
    return (await tx.scalars(query)).one_or_none()


async def lock(tx: AsyncSession) -> None:
    """Makes others who would write a code table wait."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("code_tables"))))
