"""Everything the service hears."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.handlers import Handlers
from chassis.runtime import Runtime
from contracts.appeals import AppealOpened
from contracts.envelope import Message
from visit_api.appeals.following import FOLLOWED
from visit_api.archive import service as archive
from visit_api.risks import service as risks


def handlers(runtime: Runtime) -> Handlers:
    """The table: event and what it does here."""

    async def hear(tx: AsyncSession, messages: Sequence[Message]) -> None:
        # All in one, for whoever locks visits and customers locks the visits first.
        events = [message.event for message in messages]
        await archive.follow(tx, runtime, [event for event in events if isinstance(event, FOLLOWED)])
        await risks.hear(tx, runtime, [event for event in events if isinstance(event, risks.HEARD)])

    return Handlers(dict.fromkeys((*FOLLOWED, AppealOpened), hear))
