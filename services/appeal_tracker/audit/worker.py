"""The loop of the self-audit. Several may run; whoever is first takes the look that is due."""

from datetime import timedelta

from appeal_tracker.audit import service
from appeal_tracker.settings import Settings
from chassis.runtime import Runtime
from chassis.worker import Worker


class SelfAudit(Worker):
    """Takes a run of looks every so many real seconds, `audit_every` of the settings; with 0, none.

    It runs beside the relay and not beside the escalation, which it watches.
    """

    class Config(Worker.Config):
        idle = 5.0
        subjects = 500  # of each kind, in a look: few, for the relay works in the same process
        looks = 50  # in a run, at most: so a million appeals are gone through in a little over three hours

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.audit")
        settings = runtime.settings
        assert isinstance(settings, Settings)
        self._runtime, self._every, self._left = runtime, timedelta(seconds=settings.audit_every), 0

    async def run_once(self) -> bool:
        if not self._every:
            return False
        async with self._runtime.db.transaction() as tx:
            look = await service.look(tx, self._runtime, self.config.subjects, None if self._left else self._every)
            self._left = (self._left or self.config.looks) - 1 if look is not None and look.more else 0
            if not self._left:  # also of what another process found, or found gone
                await service.measure(tx)
        return self._left > 0
