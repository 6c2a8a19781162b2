"""A channel whose providers are accounts: data of a unit, good for it and the units below it that have none nearer."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.vault import Place
from notifier.channels import metrics
from notifier.channels.limits import Limit
from notifier.channels.outward import Outward
from notifier.channels.port import Adapter, CannotTell, Code, Letter, Receipt, Refused, Terms
from notifier.channels.providers import PROVIDERS, bounds, reach
from notifier.channels.secret import SECRET_UNREADABLE, UNREADABLE

log = logging.getLogger(__name__)

_COLUMNS = """a.id, a.provider, a.settings, a.secrets, a.limits, a.codes, a.version, a.problem,
    extract(epoch FROM a.paused_until - clock_timestamp())::float AS paused"""
_NEAREST = text(f"""
WITH RECURSIVE line (unit, code, height) AS (
    SELECT DISTINCT its, its, 0 FROM unnest(CAST(:units AS text[])) AS its
    UNION SELECT line.unit, units.parent_code, line.height + 1 FROM line JOIN units ON units.code = line.code
    WHERE units.parent_code IS NOT NULL AND line.height < 32
)
SELECT DISTINCT ON (line.unit) line.unit, {_COLUMNS}
FROM line JOIN accounts a ON a.unit_code = line.code AND a.channel = :channel AND a.active
ORDER BY line.unit, line.height
""")  # noqa: S608 - nothing of a caller's is in it
_ONE = text(f"SELECT {_COLUMNS} FROM accounts a WHERE a.id = :id")  # noqa: S608
_PAUSE = text("""
UPDATE accounts SET paused_until = greatest(paused_until, now() + make_interval(secs => :seconds)), updated_at = :now,
    changed_xid = pg_current_xact_id()::text::bigint WHERE id = :id
""")
_PROBLEM = text("""
UPDATE accounts SET problem = :problem, updated_at = :now, changed_xid = pg_current_xact_id()::text::bigint
WHERE id = :id
""")
UNUSABLE = "settings_unusable"  # of another release than this one
LOOK_AGAIN = 60.0  # seconds, after an account could not be used


class Accounts(Adapter):
    """All accounts of one channel; each letter goes out by the one it names. One that cannot be used is told of, and
    holds up nothing but what is to go by it."""

    def __init__(self, runtime: Runtime, channel: str, outward: Outward) -> None:
        self._db, self._vault, self._channel, self._outward = runtime.db, runtime.vault, channel, outward
        self._clock = runtime.clock
        self.reaches = reach(channel)  # type: ignore[misc]
        self._ready: dict[UUID, tuple[int, Adapter]] = {}

    async def terms(self, tx: AsyncSession, units: Collection[str]) -> Mapping[str, Terms | None]:
        found: Sequence[Any] = (await tx.execute(_NEAREST, {"units": list(units), "channel": self._channel})).all()
        its = {row.id: await self._terms(tx, row) for row in {row.id: row for row in found}.values()}
        return {**dict.fromkeys(units), **{row.unit: its[row.id] for row in found}}

    async def send(self, letter: Letter) -> Receipt:
        return await (await self._adapter(letter)).send(letter)

    async def find(self, letter: Letter) -> Receipt | None:
        try:
            adapter = await self._adapter(letter, anew=True)
        except Refused as error:
            raise CannotTell(error.reason, ask_again=error.retry_after or None) from error
        return await adapter.find(letter)

    def takes_once(self, letter: Letter) -> bool:
        ready = self._ready.get(letter.account) if letter.account else None
        return ready is not None and ready[1].takes_once(letter)

    async def close(self) -> None:
        await self._outward.close()

    async def _adapter(self, letter: Letter, *, anew: bool = False) -> Adapter:
        if letter.account is None:
            raise Refused("no_account", permanent=True)
        if anew or letter.account not in self._ready:
            async with self._db.transaction() as tx:
                row = (await tx.execute(_ONE, {"id": letter.account})).one_or_none()
                if row is None:
                    raise Refused("no_account", permanent=True)
                problem = (await self._terms(tx, row)).problem
            if problem is not None:
                raise Refused(problem, retry_after=LOOK_AGAIN)
        return self._ready[letter.account][1]

    async def _terms(self, tx: AsyncSession, row: Any) -> Terms:
        """The terms of an account; why nothing can be sent by it is noted on it."""
        terms, problem = Terms(account=row.id), None
        try:
            await self._make(tx, row)
            terms = _terms(row)
        except (*UNREADABLE, KeyError, msgspec.MsgspecError) as error:
            problem = SECRET_UNREADABLE if isinstance(error, UNREADABLE) else UNUSABLE
            self._ready.pop(row.id, None)
            metrics.problems.labels(self._channel, problem).inc()
            log.error("nothing can be sent by an account", extra={"account": str(row.id), "error": str(error)})
        if problem != row.problem:
            await tx.execute(_PROBLEM, {"id": row.id, "problem": problem, "now": self._clock.now()})
        return msgspec.structs.replace(terms, problem=problem)

    async def _make(self, tx: AsyncSession, row: Any) -> None:
        if self._ready.get(row.id, (None,))[0] == row.version:
            return
        secrets = msgspec.json.decode(await self._vault.open(tx, secrets_place(row.id), row.secrets))
        self._ready[row.id] = row.version, PROVIDERS[row.provider].make(row.settings, secrets, self._outward)


def secrets_place(account: UUID, column: str = "secrets") -> Place:
    """Where the secrets of an account are sealed for."""
    return Place("accounts", column, account)


async def pause(tx: AsyncSession, account: UUID, seconds: float, now: datetime) -> None:
    """Nothing goes out by an account for a while, because its provider said so."""
    await tx.execute(_PAUSE, {"id": account, "seconds": seconds, "now": now})


def _terms(row: Any) -> Terms:
    its = bounds(row.provider)
    limits = its.limits if row.limits is None else tuple(msgspec.convert(row.limits, list[Limit]))
    provider, codes = PROVIDERS[row.provider], msgspec.convert(row.codes, list[Code])
    return Terms(
        account=row.id,
        bytes=its.bytes,
        limits=limits,
        calls=provider.calls,
        paused=max(0.0, row.paused or 0.0),
        codes={code.event_type: code for code in codes},
        worded=not provider.coded,
        coded=provider.coded and not row.settings.get("template"),
    )
