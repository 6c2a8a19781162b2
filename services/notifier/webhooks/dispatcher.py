"""The dispatcher: what is due for an endpoint goes there, a few at a time for each, so that one that is slow or dead
takes up its own few and nobody else's.

A message is leased and committed before it is sent. Whatever dies in between, the lease runs out and it is sent again
under its id, by which the other side knows it.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import crash
from chassis.clock import RealClock
from chassis.outage import is_outage
from chassis.runtime import Runtime
from chassis.worker import Worker
from notifier.channels.outward import AGENT, Answer, Outward, policy_of
from notifier.channels.port import Ambiguous, Refused
from notifier.channels.secret import SECRET_UNREADABLE, UNREADABLE
from notifier.channels.signing import standard_webhook
from notifier.webhooks import claims, metrics, repository, service
from notifier.webhooks.claims import Claimed
from notifier.webhooks.envelope import CONTENT_TYPE
from notifier.webhooks.schedule import pause

log = logging.getLogger(__name__)

KEPT_FOR = 30  # days
LONGEST_LOGGED = 1024  # bytes of an answer


class Dispatcher(Worker):
    """Sends what endpoints subscribed to."""

    class Config(Worker.Config):
        idle = 0.5
        most = 4  # requests under way to one endpoint
        most_failing = 1  # to one where the last did not arrive
        patience = 15.0  # seconds for one request
        lease = timedelta(seconds=60)
        purge_every = 600.0  # seconds

    config: Config

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(f"{runtime.service}.webhooks")
        self._db, self._clock, self._vault = runtime.db, runtime.clock, runtime.vault
        self.outward = Outward(policy_of(runtime))
        self._under_way: dict[asyncio.Task[None], UUID] = {}
        self._purged = float("-inf")

    async def run_once(self) -> bool:
        await self._purge()
        self._settle()
        async with self._db.transaction() as tx:
            claimed = await claims.claim(
                tx,
                in_flight=Counter(self._under_way.values()),
                most=self.config.most,
                most_failing=self.config.most_failing,
                lease=self.config.lease,
            )
            keys = {its.id: await self._open(tx, its) for its in claimed}
        if claimed:
            crash.point("webhook.leased")
        for its in claimed:
            task = asyncio.create_task(self._send(its, keys[its.id]), name=f"webhook {its.id}")
            self._under_way[task] = its.endpoint_id
        if self._under_way:
            # Whichever ends first makes room; the others are not waited for.
            await asyncio.wait(self._under_way, timeout=self.config.idle, return_when=asyncio.FIRST_COMPLETED)
        return bool(self._under_way)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.outward.close()

    def _settle(self) -> None:
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            error = None if task.cancelled() else task.exception()
            if error is not None and not is_outage(error):
                raise error  # of an outage: the lease runs out, and it is sent again

    async def _open(self, tx: Any, its: Claimed) -> list[str]:
        """What it is signed by; nothing, where the present secret cannot be opened."""
        opened = []
        for column, sealed in zip(("secret", "old_secret"), its.secrets, strict=False):
            try:
                opened.append(await self._vault.open(tx, service.place(its.endpoint_id, column), sealed))
            except UNREADABLE as error:
                log.error("a secret cannot be opened", extra={"endpoint": str(its.endpoint_id), "error": str(error)})
                if column == "secret":
                    return []
        return opened

    async def _send(self, its: Claimed, secrets: list[str]) -> None:
        body, at, began = its.payload.encode(), RealClock().now(), time.monotonic()
        headers = {**standard_webhook(secrets, str(its.id), at, body), "Content-Type": CONTENT_TYPE}
        answer: Answer | None = None
        error: str | None = None
        try:
            if not secrets:
                raise Refused(SECRET_UNREADABLE)
            answer = await self.outward.request("POST", its.url, headers, body, within=self.config.patience, keep=True)
            crash.point("webhook.answered")
        except (Refused, Ambiguous) as failure:
            error = failure.reason
        except Exception as failure:  # whatever it is, it is this endpoint's alone
            log.exception("a request failed in a way nobody knew of", extra={"endpoint": str(its.endpoint_id)})
            error = type(failure).__name__
        attempt = {
            "message_id": its.id,
            "at": at,
            "milliseconds": int((time.monotonic() - began) * 1000),
            "status": answer.status if answer else None,
            "error": error,
            "request_head": _head(f"POST {its.url}", {**headers, "User-Agent": AGENT}),
            **_answered(answer),
        }
        async with self._db.transaction() as tx:
            await claims.note(tx, attempt)
            await self._end(tx, its, answer, error, self._clock.now())

    async def _end(self, tx: Any, its: Claimed, answer: Answer | None, error: str | None, now: datetime) -> None:
        if answer is not None and 200 <= answer.status < 300:
            await claims.delivered(tx, its, now)
            metrics.sent.labels("delivered").inc()
        elif answer is not None and answer.status == 410:
            await claims.gone(tx, its, now)
            metrics.sent.labels("gone").inc()
            log.warning("an endpoint is gone and disabled", extra={"endpoint": str(its.endpoint_id)})
        else:
            why = error or f"status {answer.status if answer else '-'}"
            again = pause(its.tries, random.random(), answer.retry_after if answer else 0.0)
            await claims.failed(tx, its, why, again, now)
            outcome = why if why == SECRET_UNREADABLE else "failed"
            metrics.sent.labels("dead" if again is None else outcome).inc()

    async def _purge(self) -> None:
        if time.monotonic() - self._purged > self.config.purge_every:
            self._purged = time.monotonic()
            async with self._db.transaction() as tx:
                await repository.purge(tx, KEPT_FOR, 5000)


def _answered(answer: Answer | None) -> dict[str, str | None]:
    if answer is None:
        return {"response_head": None, "response_body": None}
    body = answer.body[:LONGEST_LOGGED].decode(errors="replace").replace("\0", "�")
    return {"response_head": _head(str(answer.status), answer.headers), "response_body": body}


def _head(first: str, headers: Any) -> str:
    text = "\n".join([first, *(f"{name}: {value}" for name, value in headers.items())])
    return text[:8000].replace("\0", "�")
