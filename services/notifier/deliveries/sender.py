"""The sender: one loop per channel, so that a slow provider delays nobody else's messages.

A send is leased and committed before the provider is called. Whatever dies in between, the lease runs out, the provider
is asked what it has, and only what it does not have is handed over again — under the same id.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import crash
from chassis.clock import RealClock
from chassis.outage import Outage
from chassis.peer import Peer
from chassis.runtime import Runtime
from chassis.worker import Worker
from contracts.notifications import NotificationDead
from notifier.channels import accounts
from notifier.channels.port import Ambiguous, CannotTell, Channel, Letter, Receipt, Refused
from notifier.deliveries import claims, linking, metrics, outcomes, reports
from notifier.deliveries.claims import Claimed, Leased
from notifier.deliveries.decision import Wait
from notifier.deliveries.linking import Links
from notifier.deliveries.outcomes import Asked, BackOff, Failed, Lost, Outcome, Pointless, Taken, Unknown, Unsent
from notifier.deliveries.pacing import Pace
from notifier.directory.contacts import Addressee, Contacts, Nowhere
from notifier.templates.catalogue import LanguageCode

log = logging.getLogger(__name__)

ONCE = BackOff(most=1)


class Sender(Worker):
    """Sends what is due on one channel."""

    class Config(Worker.Config):
        idle = 0.2
        batch = 50  # deliveries claimed at a time
        patience = 5.0  # seconds a channel may take for one letter
        lease = timedelta(seconds=15)  # three times what a channel may take
        back_off = BackOff()
        ask_again = timedelta(seconds=10)  # after it could not be asked how people are reached
        # Whoever is reached nowhere may be heard of by visit_api a little later than by us: some minutes.
        addressless = BackOff(first=5.0, longest=120.0, most=8)
        asked_for = timedelta(hours=1)  # how long a provider is asked what became of a send; then nobody can tell

    config: Config

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        channel: Channel,
        language: LanguageCode,
        contacts: Contacts | None = None,
        links: Links | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(f"{runtime.service}.send.{name}")
        self._db, self._clock, self._outbox = runtime.db, runtime.clock, runtime.outbox
        self._name, self.channel, self._language = name, channel, language
        self.contacts = contacts or Contacts(Peer(None, None))
        self.links = links or Links(Peer(None, None))
        self.pace = pace or Pace()

    async def run_once(self) -> bool:
        async with self._db.transaction() as tx:
            lost = await claims.expired(tx, self._name, lease=self.config.lease, limit=self.config.batch)
        claimed = await self._claim(None if self.channel.reaches is None else {})
        if asked := {*claimed.unasked.values()}:
            if (addresses := await self._ask_where(asked)) is not None:
                claimed = await self._claim(addresses)
            await self._wait([its for its, who in claimed.unasked.items() if who in asked])
        metrics.decided.labels(self._name).inc(claimed.due)
        await self._record(await self._hand_over(claimed.sends, claimed.leased_at))
        await self._record(await self._recover(lost))
        return bool(claimed.due or lost)

    async def close(self) -> None:
        await self.contacts.close()
        await self.links.close()
        await self.channel.close()

    async def _claim(self, addresses: claims.Addresses) -> Claimed:
        now = self._clock.now()
        async with self._db.transaction() as tx:
            claimed = await claims.claim(
                tx,
                self._name,
                self.channel,
                self._language,
                now=now,
                lease=self.config.lease,
                limit=self.config.batch,
                addresses=addresses,
                pace=self.pace,
            )
            dead = [*await self._give_up(tx, claimed.without_account, outcomes.NO_ACCOUNT, now, ONCE)]
            for why in Nowhere:
                ids = [delivery for delivery, its in claimed.without_address.items() if its is why]
                dead += await self._give_up(tx, ids, why.value, now, self.config.addressless)
            await outcomes.tell_plain(tx, self._outbox, claimed.plain, self._name, now)
        self._tell_dead(dead)
        for its in claimed.plain:
            metrics.plain.labels(its.template).inc()
            log.error("a template failed; people are told in plain words", extra={"template": its.template})
        return claimed

    async def _give_up(
        self, tx: AsyncSession, ids: Sequence[UUID], why: str, now: datetime, back_off: BackOff
    ) -> Sequence[NotificationDead]:
        return await outcomes.give_up(tx, self._outbox, ids, why, now=now, back_off=back_off) if ids else []

    async def _ask_where(self, people: Collection[Addressee]) -> dict[Addressee, str | Nowhere] | None:
        """Where `people` are reached; None while that cannot be asked."""
        assert self.channel.reaches is not None
        try:
            return await self.contacts.addresses({*people}, self.channel.reaches)
        except Outage as error:
            log.warning("nobody says how people are reached", extra={"channel": self._name, "error": str(error)})
            metrics.no_contact.labels(self._name).inc()
            return None

    async def _wait(self, unanswered: Sequence[UUID]) -> None:
        if not unanswered:
            return
        async with self._db.transaction() as tx:
            await claims.wait_for_contact(tx, unanswered, now=self._clock.now(), pause=self.config.ask_again)

    async def _recover(self, lost: Sequence[Leased]) -> list[Outcome]:
        """What became of sends whose lease ran out: as the provider says, or by handing them over again."""
        if self.channel.reaches is not None and lost:
            if (addresses := await self._ask_where([send.to for send in lost])) is None:
                return []  # its lease runs out again, and we ask again
            lost = [_addressed(send, addresses) for send in lost if send.to in addresses]
        ended: list[Outcome] = []
        absent = [send for send in lost if send.attempt == 0]
        lost = [send for send in lost if send.attempt]
        for send, answer in zip(lost, await asyncio.gather(*map(self._ask, lost)), strict=True):
            if isinstance(answer, Receipt):
                ended.append(_found(send, answer))
            elif answer is None:
                absent.append(send)
            elif answer.ask_again is not None and not send.insisted and self._may_ask(send):
                ended.append(Asked(send.letter.send_id, send.attempt, answer.ask_again))
            elif not send.insisted and (
                not self.channel.takes_once(send.letter) or send.attempt >= self.config.back_off.most
            ):
                ended.append(Unknown(send.letter.send_id, send.attempt))
        silent = [send for send in lost if send not in absent and send.letter.send_id not in {o.send_id for o in ended}]
        return [*ended, *await self._hand_over_again(absent, silent)]

    async def _hand_over_again(self, absent: Sequence[Leased], silent: Sequence[Leased]) -> list[Outcome]:
        """Hands over, as they are, sends that the provider does not have, or of which it does not tell."""
        # What a link is missing for stays leased for a while, and is looked at again.
        linked = await self._linked([*absent, *silent])
        ended: list[Outcome] = [*_pointless(absent, linked)]
        ended += [Unknown(its.send_id, its.attempt) for its in _pointless(silent, linked)]  # it may have left
        absent, silent = _ready(absent, linked), _ready(silent, linked)
        if not absent and not silent:
            return ended
        async with self._db.transaction() as tx:
            leased_at = time.monotonic()
            again, hindered = await claims.claim_again(
                tx, self.channel, [*absent, *silent], now=self._clock.now(), lease=self.config.lease
            )
        unclear = {send.letter.send_id for send in silent}
        again = [msgspec.structs.replace(send, doubtful=send.letter.send_id in unclear) for send in again]
        ended += await self._hand_over(again, leased_at)
        for send in absent:
            # It never left, and must not leave now: what it carried is decided anew.
            if send.letter.send_id in hindered:
                ended.append(Failed(send.letter.send_id, send.attempt, "lost before it was taken"))
        for send in silent:
            # It may have left. If it only has to wait for the morning, it does so under its lease.
            if not isinstance(hindered.get(send.letter.send_id), Wait | None):
                ended.append(Unknown(send.letter.send_id, send.attempt))
        return ended

    def _may_ask(self, send: Leased) -> bool:
        return RealClock().now() - send.letter.made_at < self.config.asked_for

    async def _ask(self, send: Leased) -> Receipt | CannotTell | None:
        try:
            async with asyncio.timeout(self.config.patience):
                return await self.channel.find(send.letter)
        except CannotTell as error:
            return error
        except TimeoutError:
            return CannotTell(f"no answer within {self.config.patience} s")

    async def _hand_over(self, sends: Sequence[Leased], leased_at: float) -> list[Outcome]:
        if sends:
            crash.point("sender.leased")
        linked = await self._linked(sends)
        ended: list[Outcome] = [*_pointless(sends, linked)]
        waiting = [send for send in sends if send.letter.send_id not in linked]
        ended += [Unsent(its.letter.send_id, its.attempt, linking.UNAVAILABLE, self.links.pause) for its in waiting]
        ready = _ready(sends, linked)
        return [*ended, *await asyncio.gather(*(self._hand_over_one(send, leased_at) for send in ready))]

    async def _linked(self, sends: Sequence[Leased]) -> dict[UUID, Letter | linking.NotDue]:
        """The letters of `sends`, each with the customer's link that it bears; see `Links.of`."""
        found = await self.links.of([send.letter for send in sends])
        if missing := len(sends) - len(found):
            metrics.no_link.labels(self._name).inc(missing)
        return found

    async def _hand_over_one(self, send: Leased, leased_at: float) -> Outcome:
        send_id = send.letter.send_id
        if self.channel.reaches is not None and send.letter.address is None:
            return Failed(send_id, send.attempt, send.nowhere.value)
        if time.monotonic() - leased_at > self.config.lease.total_seconds() - 2 * self.config.patience:
            # This process stood still for a while: by now the send may be another sender's.
            return Unsent(send_id, send.attempt)
        try:
            with metrics.latency.labels(self._name).time():
                async with asyncio.timeout(self.config.patience):
                    receipt = await self.channel.send(send.letter)
        except Refused as error:
            if error.all_wait and error.retry_after and send.letter.account is not None:
                await self._leave_alone(send.letter.account, error.retry_after)
            return _refused(send, error)
        except Ambiguous as error:
            return Lost(send_id, send.attempt, error.reason)
        except TimeoutError:
            return Lost(send_id, send.attempt, f"no answer within {self.config.patience} s")
        except Exception as error:
            log.exception("a channel failed in a way its port does not know", extra={"channel": self._name})
            return Lost(send_id, send.attempt, type(error).__name__)
        crash.point("sender.accepted")
        return Taken(send_id, receipt)

    async def _leave_alone(self, account: UUID, seconds: float) -> None:
        async with self._db.transaction() as tx:
            await accounts.pause(tx, account, seconds, self._clock.now())

    async def _record(self, ended: Sequence[Outcome]) -> None:
        if not ended:
            return
        async with self._db.transaction() as tx:
            now = self._clock.now()
            told = await outcomes.record(tx, self._outbox, ended, now=now, back_off=self.config.back_off)
            if taken := [its.send_id for its in ended if isinstance(its, Taken)]:
                await reports.early(tx, self._outbox, taken, now)
        metrics.sent.labels(self._name).inc(len(told.sent))
        self._tell_dead(told.dead)

    def _tell_dead(self, dead: Sequence[NotificationDead]) -> None:
        for death in dead:
            metrics.dead.labels(death.reason).inc()
            log.error("a delivery is given up", extra={"delivery": str(death.delivery_id), "reason": death.reason})


def _found(send: Leased, receipt: Receipt) -> Outcome:
    if receipt.failed is not None:
        return Failed(send.letter.send_id, send.attempt, receipt.failed, permanent=True)
    return Taken(send.letter.send_id, receipt)


def _refused(send: Leased, error: Refused) -> Outcome:
    """A no to what is handed over again does not say that it was not taken before: under another id it might double."""
    send_id = send.letter.send_id
    if not send.doubtful:
        return Failed(send_id, send.attempt, error.reason, error.permanent, error.retry_after)
    return Unknown(send_id, send.attempt) if error.permanent else Lost(send_id, send.attempt, error.reason)


def _pointless(sends: Sequence[Leased], linked: Mapping[UUID, Letter | linking.NotDue]) -> list[Pointless]:
    """That those of `sends` need not leave for which there is no link."""
    its = ((send, linked.get(send.letter.send_id)) for send in sends)
    return [Pointless(send.letter.send_id, send.attempt, no.why) for send, no in its if isinstance(no, linking.NotDue)]


def _ready(sends: Sequence[Leased], linked: Mapping[UUID, Letter | linking.NotDue]) -> list[Leased]:
    """Those of `sends` whose letters are whole, with these letters."""
    letters = ((send, linked.get(send.letter.send_id)) for send in sends)
    return [msgspec.structs.replace(send, letter=its) for send, its in letters if isinstance(its, Letter)]


def _addressed(send: Leased, addresses: Mapping[Addressee, str | Nowhere]) -> Leased:
    its = addresses[send.to]
    if isinstance(its, Nowhere):
        return msgspec.structs.replace(send, nowhere=its)
    return msgspec.structs.replace(send, letter=msgspec.structs.replace(send.letter, address=its))
