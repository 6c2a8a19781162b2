"""Everything the service hears."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.handlers import Handlers
from chassis.runtime import Runtime
from contracts.appeals import AppealAct, AppealClosed, AppealReopened
from contracts.envelope import Message
from visit_api.archive import service as archive


def handlers(runtime: Runtime) -> Handlers:
    """The table: event and what it does here."""

    async def follow_appeals(tx: AsyncSession, messages: Sequence[Message]) -> None:
        acts = [message.event for message in messages if isinstance(message.event, AppealAct)]
        await archive.follow(tx, runtime, acts)

    # One each, not one for both: a supplement to an archive shows an appeal as it was left by the event it tells of.
    return Handlers(
        {
            AppealClosed: partial(follow_appeals),
            AppealReopened: partial(follow_appeals),
        }
    )
