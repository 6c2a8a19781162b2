"""SQL of the policies."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from appeal_tracker.policies.models import Assignment, PolicyVersion, Withdrawal
from appeal_tracker.policies.pack import Pack
from chassis.db import driver

# What is published, the newest of each pack first; beside it the choices: of each unit asked about the nearest one up
# the tree first, and of that its newest. UNION, not UNION ALL, and a floor to the depth: a tree that was heard in part
# may hold a cycle for a while, and then what is above is not known.
_ON_SHELF = """
WITH RECURSIVE line (asked, code, height) AS (
    SELECT asked, asked, 0 FROM unnest($1::text[]) AS asked
    UNION
    SELECT line.asked, units.parent_code, line.height + 1 FROM line JOIN units ON units.code = line.code
    WHERE units.parent_code IS NOT NULL AND line.height < 32)
SELECT published.labels, withdrawn.packs, withdrawn.since, open_ended.units, line.asked, a.unit_code, a.policy,
       a.effective_from, a.calendar,
       (SELECT max(coalesce(u.merged_at, now())) FROM units u
        WHERE u.code = a.unit_code AND u.merged_into IS NOT NULL) AS until
FROM (SELECT array_agg(id || '@' || version ORDER BY id, version DESC) AS labels FROM policies) AS published,
     (SELECT array_agg(policy) AS packs, array_agg(withdrawn_at) AS since FROM policy_withdrawals) AS withdrawn,
     (SELECT array_agg(asked) AS units FROM line
      WHERE height = 32 OR NOT EXISTS (SELECT FROM units u WHERE u.code = line.code)) AS open_ended
     LEFT JOIN (line JOIN policy_assignments a ON a.unit_code = line.code) ON true
ORDER BY line.asked, line.height, a.effective_from DESC
"""


_STANDING = """
SELECT (SELECT array_agg(policy ORDER BY policy) FROM policy_withdrawals), count(*), max(xmin::text::bigint)
FROM policy_assignments
"""


class Standing(NamedTuple):
    """How packs stand: which were withdrawn, how many choices units made, and the transaction that made the last."""

    withdrawn: list[str] | None
    choices: int
    chosen: int | None


class Choice(NamedTuple):
    """A unit's choice: the unit that made it, the pack, since when, and the calendar if not the pack's own; `until` the
    instant at which that unit merged into another, whose choice counts from then on."""

    unit: str
    policy: str
    since: date
    calendar: str | None
    until: datetime | None = None

    def counts(self, at: datetime, today: date) -> bool:
        """Whether it does for what comes at an instant, of the civil day `today`."""
        return self.since <= today and (self.until is None or at < self.until)


# By pack and calendar, the units that picked both.
PickedCalendars = Mapping[str, Mapping[str, list[str]]]


class OnShelf(NamedTuple):
    """The names of every published version, `t-sdpea@1`, by pack, the newest first; the packs that were withdrawn, and
    when; for each unit asked about the choices made there and above, the nearest first, of one unit the newest first;
    and those of them above which a unit was not heard of yet, if not they themselves.
    """

    labels: Sequence[str]
    withdrawn: Mapping[str, datetime]
    choices: Mapping[str, Sequence[Choice]]
    open_ended: Collection[str] = ()


async def on_shelf(tx: AsyncSession, units: Collection[str]) -> OnShelf:
    """What is published, and the choices that count for `units`, in one round trip."""
    rows = await (await driver(tx)).fetch(_ON_SHELF, list(units))
    choices: dict[str, list[Choice]] = {}
    for _, _, _, _, asked, *choice in rows:
        if asked is not None:
            choices.setdefault(asked, []).append(Choice(*choice))
    labels, packs, since, open_ended, *_ = rows[0]
    withdrawn = dict(zip(packs or (), since or (), strict=True))
    return OnShelf(labels or [], withdrawn, choices, frozenset(open_ended or ()))


async def lock(tx: AsyncSession, *, shared: bool = False) -> None:
    """Makes others who would publish, withdraw or pick a pack wait: a version is judged by those it extends, on the
    calendars that were picked for it. Those who `shared` it do not wait for each other."""
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    await tx.execute(select(lock(func.hashtext("policies"))))


def listed() -> Select[Any]:
    """The newest version of every pack."""
    newer = aliased(PolicyVersion)
    superseded = exists().where(newer.id == PolicyVersion.id, newer.version > PolicyVersion.version)
    return select(PolicyVersion).where(~superseded)


async def withdrawals(tx: AsyncSession, packs: Collection[str]) -> dict[str, Withdrawal]:
    """Those of `packs` that were withdrawn."""
    found = await tx.scalars(select(Withdrawal).where(Withdrawal.policy.in_(packs)))
    return {withdrawal.policy: withdrawal for withdrawal in found}


async def standing(tx: AsyncSession) -> Standing:
    """How packs stand, in one look."""
    return Standing(*await (await driver(tx)).fetchrow(_STANDING))


async def withdraw(tx: AsyncSession, withdrawal: Withdrawal) -> None:
    """Stores that a pack was withdrawn, and marks it as changed."""
    tx.add(withdrawal)
    newest = select(func.max(PolicyVersion.version)).where(PolicyVersion.id == withdrawal.policy).scalar_subquery()
    changed = update(PolicyVersion).where(PolicyVersion.id == withdrawal.policy, PolicyVersion.version == newest)
    await tx.execute(
        changed.values(updated_at=withdrawal.withdrawn_at), execution_options={"synchronize_session": False}
    )


async def picked_calendars(tx: AsyncSession, today: date) -> PickedCalendars:
    """Who picked a calendar beside the pack, now or for later."""
    newer = aliased(Assignment)
    superseded = exists().where(
        newer.unit_code == Assignment.unit_code,
        newer.effective_from > Assignment.effective_from,
        newer.effective_from <= today,
    )
    query = select(Assignment.policy, Assignment.calendar, Assignment.unit_code).distinct()
    query = query.where(Assignment.calendar.is_not(None), ~superseded).order_by(Assignment.unit_code)
    found: dict[str, dict[str, list[str]]] = {}
    for policy, calendar, unit in await tx.execute(query):
        found.setdefault(policy, {}).setdefault(str(calendar), []).append(unit)
    return found


async def versions(tx: AsyncSession) -> Sequence[PolicyVersion]:
    """Every published version, with its pack."""
    return (await tx.scalars(select(PolicyVersion))).all()


async def own_assignments(tx: AsyncSession, unit: str) -> Sequence[Assignment]:
    """What a unit picked itself, the newest first."""
    query = select(Assignment).where(Assignment.unit_code == unit).order_by(Assignment.effective_from.desc())
    return (await tx.scalars(query, execution_options={"populate_existing": True})).all()


async def assign(tx: AsyncSession, choice: Choice, by: str, at: datetime) -> None:
    """Stores an assignment; one that begins on the same day gives way to it."""
    row = {"policy": choice.policy, "calendar": choice.calendar, "assigned_by": by, "assigned_at": at}
    statement = insert(Assignment).values(unit_code=choice.unit, effective_from=choice.since, **row)
    await tx.execute(statement.on_conflict_do_update(index_elements=["unit_code", "effective_from"], set_=row))


async def add(tx: AsyncSession, pack: Pack, extends_version: int, by: str, at: datetime) -> None:
    """Stores a new version of a pack."""
    tx.add(PolicyVersion(**_row(pack, extends_version), published_by=by, published_at=at, updated_at=at))
    await tx.flush()


def publish(connection: Connection, pack: Pack, extends_version: int | None) -> None:
    """Stores a pack unless its version is published already; a published version never changes."""
    connection.execute(insert(PolicyVersion).values(**_row(pack, extends_version)).on_conflict_do_nothing())


def _row(pack: Pack, extends_version: int | None) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "effective_from": pack.effective_from,
        "extends": pack.extends,
        "extends_version": extends_version,
        "body": msgspec.to_builtins(pack),
    }
