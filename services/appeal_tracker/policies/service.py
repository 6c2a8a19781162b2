"""Policies as published, and which of them counts for a unit at an instant.

A version never changes, so what is built from the tables is kept by the process, for each database its own.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
from prometheus_client import Gauge
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.calendars import service as calendars
from appeal_tracker.calendars.calendar import Calendar
from appeal_tracker.calendars.civil import date_of, day_number
from appeal_tracker.policies import relaxing, repository
from appeal_tracker.policies.errors import PolicyNotFound, PolicyNotInForce, UnknownPolicy
from appeal_tracker.policies.inheritance import resolve
from appeal_tracker.policies.loader import FLOOR, packaged_packs
from appeal_tracker.policies.models import PolicyVersion, Withdrawal
from appeal_tracker.policies.pack import Pack, PolicyError
from appeal_tracker.policies.policy import Policy, in_force, muted, usable
from appeal_tracker.policies.relaxing import Relaxed
from appeal_tracker.policies.repository import OnShelf
from appeal_tracker.policies.stored import stored_pack
from chassis.web.paging import Listing, Window

log = logging.getLogger(__name__)

_unread = Gauge("policies_unread", "Published packs that this version does not know how to read, and passes by")
_built: WeakKeyDictionary[Any, dict[str, Policy | None]] = WeakKeyDictionary()  # by database, then by label


class Chosen(NamedTuple):
    """The policy that counts, on the calendar that counts; the unit that picked it, and since when, if one did, and on
    which calendar, if it named one."""

    policy: Policy
    assigned_to: str | None = None
    since: date | None = None
    calendar: str | None = None

    def calls_for(self, target: Policy, newest: Mapping[str, Calendar]) -> Policy:
        """Another policy, on the calendar that counts: the one that was picked, for all versions of the same pack; for
        another pack where it is that pack's or lies over it, so that a stop of work in one place counts on."""
        if self.calendar is None:
            return target
        fits = self.policy.id == target.id or newest[self.calendar].lies_over(target.calendar)
        return _on(target, self.calendar) if fits else target


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A pack at its newest version."""

    id: str
    version: int
    title: str
    effective_from: date | None
    calendar: str
    lineage: Sequence[str]
    published_at: datetime
    withdrawn_at: datetime | None


class Published(msgspec.Struct, frozen=True):
    """A version as it was published, when, by whom (nobody: it came with the service), and where it is laxer now."""

    policy: Policy
    published_at: datetime | None = None
    published_by: str | None = None
    laxer: Sequence[Relaxed] = ()


class Shelf:
    """Every published policy, and the choices of some units: answers without asking the database again.

    It gives a withdrawn pack for what runs by it already, muted; for anything else that asks it is not there any more.
    A version that cannot be read, for a newer tracker wrote it, is not there at all.
    """

    def __init__(self, policies: Sequence[Policy], on_shelf: OnShelf) -> None:
        self._versions: dict[str, list[Policy]] = {}
        for policy in policies:
            self._versions.setdefault(policy.id, []).append(policy)
        self._written = {policy.label: policy for policy in policies}
        self._in_force: dict[tuple[str, int], Policy | None] = {}  # by pack and civil day
        self._muted = {policy.label: muted(policy) for policy in policies if policy.id in on_shelf.withdrawn}
        self.withdrawn, self._choices, self._open_ended = on_shelf.withdrawn, on_shelf.choices, on_shelf.open_ended

    def __iter__(self) -> Iterator[list[Policy]]:
        """The versions of each pack, newest first."""
        return iter(self._versions.values())

    def written(self, label: str) -> Policy:
        """The policy called so, `t-sdpea@1`, as it was published."""
        return self._written[label]

    def published(self, label: str) -> Policy | None:
        """The same, or None where there never was one called so."""
        return self._written.get(label)

    def extended(self, policy: Policy, since: date, until: date) -> list[Policy]:
        """All that a policy extends, nearest first: the versions it was made of, and those in force on some day while
        something can begin under it, for what a newer version demands is demanded of what was made of an older one
        too."""
        made_of = [each for label in policy.lineage[1:] if (each := self.published(label)) is not None]
        of_each = ([*usable(self.find(parent.id), since, until), parent] for parent in made_of)
        return list({each.label: each for versions in of_each for each in versions}.values())

    def labelled(self, label: str) -> Policy:
        """The policy as a clock names it, `t-sdpea@1`, for the clock to run by."""
        return self._running(self.written(label))

    def kept(self, label: str, unit: str, received_at: datetime, calendar: str | None) -> Policy:
        """The policy that an appeal of `unit` keeps, on the calendar that it keeps; where that is not known, on the one
        that counted for the unit."""
        policy = self.labelled(label)
        if calendar is not None:
            return _on(policy, calendar)
        its = (self.chosen(unit, received_at, anew=anew).policy for anew in (False, True))
        return next((_on(policy, each.calendar) for each in its if each.label == label), policy)

    def versions(self, id: str) -> list[Policy]:
        """The versions of a pack, newest first. Raises `PolicyNotFound`."""
        if id not in self._versions:
            raise PolicyNotFound
        return self._versions[id]

    def find(self, id: str) -> Sequence[Policy]:
        """The versions of a pack, newest first; none where there is no such pack."""
        return self._versions.get(id, ())

    def named(self, id: str, at: datetime) -> Policy:
        """The version of a pack in force at an instant. Raises `UnknownPolicy`, `PolicyNotInForce`."""
        if id not in self._versions:
            raise UnknownPolicy(policy=id)
        policy = self._on_day(id, at)
        if policy is None:
            raise PolicyNotInForce(policy=id)
        return policy

    def _on_day(self, id: str, at: datetime) -> Policy | None:
        day = id, day_number(at)
        if day not in self._in_force:
            self._in_force[day] = in_force(self.find(id), at)
        return self._in_force[day]

    def chosen(self, unit: str, at: datetime, *, anew: bool = False) -> Chosen:
        """The policy for an appeal raised in `unit` at an instant, on the calendar that counts there.

        The nearest choice up the unit's line counts; one whose pack had no version in force then, or was withdrawn, is
        passed over, with `anew` also one that was withdrawn since; where nothing is left it is the floor. What the same
        unit had picked before was replaced, and does not come back: the choice above counts then, be it the laxer.
        """
        today = date_of(day_number(at))
        passed: set[str] = set()
        for choice in self._choices.get(unit, ()):
            if choice.counts(at, today) and choice.unit not in passed:
                passed.add(choice.unit)
                policy = self._on_day(choice.policy, at)
                gone = choice.policy in self.withdrawn if anew else self._is_withdrawn(choice.policy, at)
                if policy and not gone:
                    running = self._running(policy)
                    return Chosen(
                        _on(running, choice.calendar or policy.calendar), choice.unit, choice.since, choice.calendar
                    )
        return Chosen(self.named(FLOOR, at))

    def assumes(self, unit: str, at: datetime, *, anew: bool = False) -> bool:
        """Whether it may turn out that another policy counts than the one that is chosen: no choice is known, and not
        every unit up the line."""
        return unit in self._open_ended and self.chosen(unit, at, anew=anew).assigned_to is None

    def may_assume(self, units: Collection[str]) -> bool:
        """Whether it may for some of these units: not every unit up the line is known."""
        return any(unit in self._open_ended for unit in units)

    def _running(self, policy: Policy) -> Policy:
        return self._muted.get(policy.label, policy)

    def _is_withdrawn(self, id: str, at: datetime) -> bool:
        return id in self.withdrawn and self.withdrawn[id] <= at


def _on(policy: Policy, calendar: str) -> Policy:
    return policy if policy.calendar == calendar else msgspec.structs.replace(policy, calendar=calendar)


def publish_packaged(connection: Connection) -> None:
    """Publishes the packs that come with the package, where they are not published yet."""
    packs = packaged_packs()
    for pack in packs.values():
        repository.publish(connection, pack, packs[pack.extends].version if pack.extends else None)


async def shelf(tx: AsyncSession, units: Collection[str] = ()) -> Shelf:
    """Every published policy, with the choices that count for `units`; one round trip, however many units."""
    on_shelf = await repository.on_shelf(tx, units)
    built = _built.setdefault(tx.bind, {})
    if not built.keys() >= {*on_shelf.labels}:
        rows = {(row.id, row.version): row for row in await repository.versions(tx)}
        built.update({f"{row.id}@{row.version}": _read(row, rows) for row in rows.values()})
        _unread.set(sum(policy is None for policy in built.values()))
    return Shelf([policy for label in on_shelf.labels if (policy := built[label]) is not None], on_shelf)


async def hold_packs(tx: AsyncSession) -> None:
    """Lets no pack be published, withdrawn or picked until the transaction ends: for what must not miss one."""
    await repository.lock(tx, shared=True)


async def listed(tx: AsyncSession, window: Window) -> Listing[Summary]:
    """Every pack at its newest version, by id; as a feed, those that were published or withdrawn since."""
    page = await window.fetch(tx, repository.listed(), PolicyVersion)
    its = await shelf(tx)
    known = [row for row in page.items if its.published(f"{row.id}@{row.version}") is not None]
    return Listing([_summary(row, its) for row in known], page.next)


def _summary(row: PolicyVersion, its: Shelf) -> Summary:
    policy = its.written(f"{row.id}@{row.version}")
    fields = {name: getattr(policy, name) for name in ("id", "version", "title", "effective_from", "calendar")}
    return Summary(
        **fields, lineage=policy.lineage, published_at=row.published_at, withdrawn_at=its.withdrawn.get(row.id)
    )


async def history(
    tx: AsyncSession, id: str, at: datetime, unit: str | None
) -> tuple[Withdrawal | None, list[Published]]:
    """That a pack was withdrawn, if it was, and its versions, newest first, to a caller of `unit`: where one is laxer,
    no other units are named than they see. Raises `PolicyNotFound`."""
    its, newest = await shelf(tx), await calendars.newest(tx)
    policies = its.versions(id)
    rows = {f"{row.id}@{row.version}": row for row in await repository.versions(tx)}
    today = date_of(day_number(at))
    picked = await repository.picked_calendars(tx, today)
    questions = [
        question
        for each in usable(policies, today)  # nothing begins under the others any more
        for question in relaxing.questions(each, its.extended(each, today, today), newest, picked)
    ]
    laxer = await relaxing.shown(tx, await relaxing.found(questions), unit)
    shown = [
        Published(each, row.published_at, row.published_by, [its for its in laxer if its.policy == each.label])
        for each in policies
        for row in [rows[each.label]]
    ]
    return (await repository.withdrawals(tx, [id])).get(id), shown


async def line(tx: AsyncSession, policy: Policy) -> dict[str, Pack]:
    """The packs, by id, that a policy was made of."""
    rows = {f"{row.id}@{row.version}": row for row in await repository.versions(tx)}
    return {rows[label].id: stored_pack(rows[label].body) for label in policy.lineage}


def _read(row: PolicyVersion, rows: Mapping[tuple[str, int], PolicyVersion]) -> Policy | None:
    """The policy of a pack; None where a newer version of this service wrote it, and knows rules that we do not."""
    try:
        return _build(row, rows)
    except PolicyError as error:
        what = {"policy": f"{row.id}@{row.version}", "why": str(error)}
        log.error("a pack cannot be read, and is passed by", extra=what)
        return None


def _build(row: PolicyVersion, rows: Mapping[tuple[str, int], PolicyVersion]) -> Policy:
    packs, above = {}, row
    while above.extends is not None and above.extends_version is not None:
        above = rows[above.extends, above.extends_version]
        packs[above.id] = stored_pack(above.body)
    return resolve(stored_pack(row.body), packs)
