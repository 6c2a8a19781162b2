"""The loop that fetches the words of appeals from visit_api, where they were said; while that is away it waits."""

import asyncio
import logging
from uuid import UUID

from appeal_tracker.settings import Settings
from appeal_tracker.words import repository, service
from appeal_tracker.words.service import Said
from chassis.peer import Peer
from chassis.runtime import Runtime
from chassis.worker import Worker

log = logging.getLogger(__name__)

_FIRST = UUID(int=0)  # no appeal is called so


class Fetching(Worker):
    """Fetches the words of some appeals at a time; without an address to fetch them from it does nothing."""

    class Config(Worker.Config):
        idle = 1.0
        batch = 40  # appeals

    config: Config

    def __init__(self, runtime: Runtime, peer: Peer | None = None) -> None:
        super().__init__(f"{runtime.service}.words")
        settings = runtime.settings
        assert isinstance(settings, Settings)
        self._runtime = runtime
        self._peer, self._after = peer, _FIRST
        if peer is None and settings.visit_api_url is not None:
            self._peer = Peer(settings.visit_api_url, settings.service_token_file)

    async def run_once(self) -> bool:
        if self._peer is None:
            return False
        async with self._runtime.db.transaction() as tx:
            wanted = await repository.wanted(tx, self._after, self.config.batch)
        if not wanted:
            begun, self._after = self._after, _FIRST
            return begun != _FIRST
        self._after = wanted[-1].appeal_id
        # No transaction is open while another service is asked.
        asked = (self._peer.get(f"/appeals/{each.appeal_id}") for each in wanted)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        said = [
            Said(each.appeal_id, each.unit_code, each.hidden, service.told(answer))
            for each, answer in zip(wanted, answers, strict=True)
            if not isinstance(answer, BaseException)
        ]
        if missing := [str(each.appeal_id) for each in said if each.words is None]:
            log.error("visit_api does not know appeals that it raised", extra={"appeals": missing})
        if said:
            async with self._runtime.db.transaction() as tx:
                await service.keep(tx, self._runtime, said)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer  # an outage is waited for; the others are tried first next time
        return True

    async def close(self) -> None:
        if self._peer is not None:
            await self._peer.close()
