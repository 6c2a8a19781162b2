"""The words of an appeal are read: freely by whoever sees it, unless it is hidden."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import service, showing
from appeal_tracker.appeals.schemas import WordsView
from appeal_tracker.words import service as words
from chassis.runtime import Runtime
from chassis.web.tokens import Principal


async def read(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID) -> WordsView:
    """What was said, for whoever may read it (see `confidence`); a trail tells who read those of a hidden one.
    Raises `AppealNotFound`."""
    appeal = await service.show(tx, caller, id)
    state, said = await words.read(tx, runtime, id)
    if said is not None and not await showing.reads_words(tx, caller, appeal):
        said = None
    if said is not None:
        await showing.note_read(tx, runtime, caller, appeal, "words")
    summary, reason = (said.summary, said.reason_not_answered) if said else (None, None)
    return WordsView.model_validate(
        {"appeal_id": id, "state": state, "summary": summary, "reason_not_answered": reason}
    )
