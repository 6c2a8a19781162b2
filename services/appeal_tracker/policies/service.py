"""Policies as published, and which of them counts for a unit at an instant.

A version never changes, so what is built from the tables is kept by the process, for each database its own.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars.civil import date_of, day_number
from appeal_tracker.directory import service as directory
from appeal_tracker.policies import repository
from appeal_tracker.policies.errors import AssignmentInThePast, PolicyNotFound, PolicyNotInForce, UnknownPolicy
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.loader import FLOOR, packaged_packs
from appeal_tracker.policies.models import Assignment, PolicyVersion
from appeal_tracker.policies.pack import parse_pack
from appeal_tracker.policies.policy import Policy, in_force
from chassis.web.errors import NotFound
from chassis.web.tokens import Principal

_built: WeakKeyDictionary[Any, dict[str, Policy]] = WeakKeyDictionary()  # by database, then by label


class Assigned(msgspec.Struct, frozen=True):
    """Which policy counts for a unit today, why, and what the unit itself picked, also for later."""

    unit_code: str
    policy: str
    version: int
    origin: str  # own, inherited or default
    assigned_to: str | None  # the unit whose choice it is
    effective_from: date | None
    own: Sequence[Assignment]


class Shelf:
    """Every published policy, and the choices of some units: answers without asking the database again."""

    def __init__(self, policies: Sequence[Policy], choices: Mapping[str, Sequence[tuple[str, str, date]]]) -> None:
        self._versions: dict[str, list[Policy]] = {}
        for policy in policies:
            self._versions.setdefault(policy.id, []).append(policy)
        self._labelled = {policy.label: policy for policy in policies}
        self._choices = choices

    def __iter__(self) -> Iterator[list[Policy]]:
        """The versions of each pack, newest first."""
        return iter(self._versions.values())

    def labelled(self, label: str) -> Policy:
        """The policy as a clock names it, `t-sdpea@1`."""
        return self._labelled[label]

    def versions(self, id: str) -> list[Policy]:
        """The versions of a pack, newest first. Raises `PolicyNotFound`."""
        if id not in self._versions:
            raise PolicyNotFound
        return self._versions[id]

    def named(self, id: str, at: datetime) -> Policy:
        """The version of a pack in force at an instant. Raises `UnknownPolicy`, `PolicyNotInForce`."""
        if id not in self._versions:
            raise UnknownPolicy(policy=id)
        policy = in_force(self._versions[id], at)
        if policy is None:
            raise PolicyNotInForce(policy=id)
        return policy

    def chosen(self, unit: str, at: datetime) -> tuple[Policy, str | None, date | None]:
        """The policy for an appeal raised in `unit` at an instant, the unit that picked it, and since when.

        The nearest choice up the unit's line counts; one whose pack had no version in force then is passed over, and
        where nothing is left it is the floor.
        """
        today = date_of(day_number(at))
        passed: set[str] = set()
        for assigned_to, pack, since in self._choices.get(unit, ()):
            if since <= today and assigned_to not in passed:
                passed.add(assigned_to)
                if policy := in_force(self._versions[pack], at):
                    return policy, assigned_to, since
        return self.named(FLOOR, at), None, None


def publish_packaged(connection: Connection) -> None:
    """Publishes the packs that come with the package, where they are not published yet."""
    packs = packaged_packs()
    for pack in packs.values():
        repository.publish(connection, pack, packs[pack.extends].version if pack.extends else None)


async def shelf(tx: AsyncSession, units: Collection[str] = ()) -> Shelf:
    """Every published policy, with the choices that count for `units`; one round trip, however many units."""
    labels, choices = await repository.on_shelf(tx, units)
    built = _built.setdefault(tx.bind, {})
    if not built.keys() >= {*labels}:
        rows = {(row.id, row.version): row for row in await repository.versions(tx)}
        built.update({f"{row.id}@{row.version}": _build(row, rows) for row in rows.values()})
    return Shelf([built[label] for label in labels], choices)


def _build(row: PolicyVersion, rows: Mapping[tuple[str, int], PolicyVersion]) -> Policy:
    packs, above = {}, row
    while above.extends is not None and above.extends_version is not None:
        above = rows[above.extends, above.extends_version]
        packs[above.id] = parse_pack(above.body)
    return resolve(parse_pack(row.body), packs)


async def assigned(tx: AsyncSession, caller: Principal, unit: str, at: datetime) -> Assigned:
    """Which policy counts for a unit at an instant. Raises `NotFound` for a unit the caller does not see."""
    if not await directory.may_see_unit(tx, unit, caller.unit):
        raise NotFound
    policy, assigned_to, since = (await shelf(tx, [unit])).chosen(unit, at)
    origin = "default" if assigned_to is None else "own" if assigned_to == unit else "inherited"
    own = await repository.own_assignments(tx, unit)
    return Assigned(unit, policy.id, policy.version, origin, assigned_to, since, own)


async def assign(
    tx: AsyncSession,
    caller: Principal,
    unit: str,
    policy: str,
    since: date | None,
    at: datetime,
    unchanged: Callable[[object], None],
) -> Assigned:
    """Has a unit pick a pack from a civil day on, today where none is named; appeals that are open keep theirs.

    Raises `NotFound`, `PreconditionFailed`, `UnknownPolicy`, `AssignmentInThePast`.
    """
    if not await directory.lock_unit(tx, unit, caller.unit):
        raise NotFound
    unchanged(await assigned(tx, caller, unit, at))
    today = date_of(day_number(at))
    if since is not None and since < today:
        raise AssignmentInThePast(today=today)
    (await shelf(tx)).named(policy, at)
    await repository.assign(tx, unit, policy, since or today, caller.sub, at)
    return await assigned(tx, caller, unit, at)
