"""Everything the service hears."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.handlers import Handlers
from chassis.runtime import Runtime
from contracts.appeals import (
    AppealAct,
    AppealCalledBack,
    AppealClosed,
    AppealOpened,
    AppealReclassified,
    AppealReopened,
)
from contracts.deadlines import DeadlineBreached, DeadlineCorrected
from contracts.envelope import Message
from visit_api.archive import service as archive
from visit_api.risks import service as risks


def handlers(runtime: Runtime) -> Handlers:
    """The table: event and what it does here."""

    async def suggest_risks(tx: AsyncSession, messages: Sequence[Message]) -> None:
        await risks.hear(tx, runtime, [message.event for message in messages])

    async def follow_appeals(tx: AsyncSession, messages: Sequence[Message]) -> None:
        acts = [message.event for message in messages if isinstance(message.event, AppealAct)]
        await archive.follow(tx, runtime, acts)
        await suggest_risks(tx, messages)

    # One each, not one for all: a supplement to an archive shows an appeal as it was left by the event it tells of.
    return Handlers(
        {
            AppealClosed: partial(follow_appeals),
            AppealReopened: partial(follow_appeals),
            AppealCalledBack: partial(follow_appeals),
            AppealReclassified: partial(follow_appeals),
            AppealOpened: suggest_risks,
            DeadlineBreached: suggest_risks,
            DeadlineCorrected: suggest_risks,
        }
    )
