"""The loop of the upkeep. Several may run: they do the same once."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals.apart import apart
from appeal_tracker.appeals.errors import MergedMeanwhile
from appeal_tracker.upkeep import service
from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.worker import Worker

Act = Callable[[AsyncSession], Awaitable[None]]

AT_ONCE = 50  # appeals whose texts are sealed in one transaction: whoever fires timers is kept for moments only


class Upkeep(Worker):
    """Looks at some appeals that changed at a time; each act is a transaction of its own, as those of people are.
    One that fails is passed by."""

    class Config(Worker.Config):
        idle = 1.0

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.upkeep")
        self._runtime = runtime

    async def run_once(self) -> bool:
        db = self._runtime.db
        async with db.transaction() as tx:
            found = await service.look(tx)
        if found is None:
            return False
        acts: list[tuple[UUID, Act]] = []
        acts += [(each, partial(service.ask, runtime=self._runtime, appeal=each)) for each in found.unasked]
        acts += [(each, partial(service.put_right, runtime=self._runtime, appeal=each)) for each in found.misasked]
        acts += [
            (each, partial(service.link, runtime=self._runtime, appeal=each, days=days))
            for each, days in found.returned
        ]
        acts += [
            (each, partial(service.hand, runtime=self._runtime, appeal=each, hand_over=its)) for each, its in found.left
        ]
        for appeal, act in acts:
            await self._do(appeal, act)
        units = sorted(found.all.items())
        for at in range(0, len(units), AT_ONCE):
            await self._seal(dict(units[at : at + AT_ONCE]))
        async with db.transaction() as tx:
            await service.done(tx, found)
        return True

    async def _do(self, appeal: UUID, act: Act) -> None:
        try:
            await apart(self._runtime, self.name, appeal, act)
        except MergedMeanwhile:
            return  # it changed, and so is met again

    async def _seal(self, units: dict[UUID, str]) -> None:
        """Seals what was written about some appeals together; where that fails, about each by itself."""
        try:
            async with self._runtime.db.transaction() as tx:
                await service.seal(tx, self._runtime, units)
        except Exception as error:
            if is_outage(error):
                raise
            for appeal, unit in units.items():
                await self._do(appeal, partial(service.seal, runtime=self._runtime, units={appeal: unit}))
