"""How webhooks hear what the service hears: beside whatever else an event does here, in its transaction."""

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.messaging.handlers import Apply, Handler, Handlers
from contracts.envelope import Event, Message
from notifier.webhooks import service
from notifier.webhooks.envelope import EVENTS


def beside(heard: Handlers) -> Handlers:
    """`heard` with webhooks told of every event that can be subscribed to; what nobody else here needs holds nothing up
    if it cannot be read."""
    both: dict[Apply, Apply] = {}  # one for each, so that what is applied together stays together
    its: dict[type[Event], Handler | Apply] = dict(heard)
    for event in EVENTS:
        if event in heard:
            apply = heard[event].apply
            both.setdefault(apply, _then(apply))
            its[event] = msgspec.structs.replace(heard[event], apply=both[apply])
        else:
            its[event] = Handler(service.heard, commutes=True, holds=False)
    return Handlers(its, heard.versioned)


def _then(apply: Apply) -> Apply:
    async def both(tx: AsyncSession, messages: Sequence[Message]) -> None:
        await apply(tx, messages)
        await service.heard(tx, messages)

    return both
