"""From what must be told to who is told, by which channels: for the planner, and for whoever asks beforehand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from notifier.deliveries.models import Notice
from notifier.directory import service as directory
from notifier.directory.audience import CUSTOMER, Found, Known, Matter, find
from notifier.routes import service as routes
from notifier.routes.events import LADDER, stem
from notifier.routes.rules import Facts, RouteTable, Way
from notifier.subjects import parties
from notifier.subjects import service as subjects
from notifier.subjects.models import Party, Subject

HANDED = frozenset(map(stem, parties.HANDED))
OWN_ACT, WITHHELD = "own_act", "customer_withheld"


class Outlook(msgspec.Struct, frozen=True):
    """All that a plan depends on, as it is at one moment."""

    table: RouteTable
    known: Known
    parties: Mapping[UUID, Party]
    subjects: Mapping[UUID, Subject]

    def matter(self, notice: Notice) -> Matter:
        """Who may be meant: whose the event says it is, unless it was said later that it is another's."""
        party = self.parties.get(notice.subject_id)
        if party is None:
            return whose(notice)
        customer = None if party.withheld or party.customer_id is None else str(party.customer_id)
        its = whose(
            notice,
            owned_said=party.owned_said,
            owner_now=party.owner,
            unit_now=party.handling_unit_code,
            first_contact=party.first_contact,
        )
        return msgspec.structs.replace(its, customer=customer, withheld=party.withheld)

    def facts(self, notice: Notice) -> Facts:
        """What the conditions of routes may ask of it."""
        subject, party = self.subjects.get(notice.subject_id), self.parties.get(notice.subject_id)
        unit = self.matter(notice).unit
        return Facts(
            event_type=notice.event_type,
            line=self.known.lines.get(unit, [unit]),
            appeal_type=subject.appeal_type if subject else None,
            milestone=notice.milestone,
            step=notice.step,
            policy=party.policy if party else None,
            source=party.source if party else None,
            late=notice.late,
            round=notice.round,
        )


def whose(
    notice: Any,
    *,
    owned_said: datetime | None = None,
    owner_now: str | None = None,
    unit_now: str | None = None,
    first_contact: str | None = None,
) -> Matter:
    """Whose that is of which `notice` tells, where it was said at `owned_said` that it is another's. Where those of a
    unit are asked, it is theirs, whoever handles the appeal."""
    owner, unit = notice.owner, notice.handling_unit_code
    later = owned_said is not None and _since(owned_said, notice.said_at)
    if owned_said is not None and (later or notice.event_type not in LADDER):
        owner = owner_now if owner is None or later else owner
        unit = unit_now or unit
    first = notice.first_contact or first_contact
    handed, asked = notice.event_type in HANDED, notice.asked_unit_code is not None
    unit = notice.asked_unit_code or unit
    return Matter(owner, first, unit, handed=handed, caller=notice.person, asked=asked)


class Planned(msgspec.Struct, frozen=True):
    """One person to be told, one way, as the first of those `audiences` that they are in; nobody: no recipient.
    `silent` is why they need not be."""

    recipient: str | None
    audience: str
    found: Found
    way: Way
    silent: str | None = None
    audiences: Sequence[str] = ()

    @property
    def because(self) -> str:
        """Why them, as a code."""
        if (person := self.found.instead_of.get(self.recipient or "")) is not None:
            return f"substitute_of:{person}"
        if self.found.on_duty:
            return "on_duty"
        return "named" if self.found.exact else "next_above"


async def outlook(
    tx: AsyncSession, notices: Sequence[Notice], now: datetime, imagined: tuple[Subject, Party] | None = None
) -> Outlook:
    """All that the plans of `notices` depend on; of a subject that is only `imagined`, that."""
    ids = {notice.subject_id for notice in notices}
    table = await routes.table(tx, {notice.event_type for notice in notices})
    if imagined is not None:
        subject, party = imagined
        its = Outlook(table, Known({}, {}), {party.subject_id: party}, {subject.id: subject})
    else:
        its = Outlook(table, Known({}, {}), await parties.of(tx, ids), await subjects.of(tx, ids))
    matters = [its.matter(notice) for notice in notices]
    known = await directory.known_of(tx, matters, table.named, now)
    return msgspec.structs.replace(its, known=known)


def addressed(
    notice: Notice, view: Outlook, settled: Collection[str] = (), lost: Collection[str] = ()
) -> dict[str, Found]:
    """The people of each audience, as the event names them, or the routes do; but for those that are `settled`. Of
    those that were `lost` and that no route names any more, as those of another unit may not: nobody."""
    audiences: Iterable[str] = notice.audience
    if notice.event_type not in LADDER:
        audiences = view.table.audiences(view.facts(notice))
    matter = view.matter(notice)
    found = {each: find(each, matter, view.known) for each in audiences if each not in settled}
    return dict.fromkeys(sorted({*lost} - found.keys()), Found([])) | found


def plan(notice: Notice, people: Mapping[str, Found], view: Outlook) -> list[Planned]:
    """One plan for each recipient and channel; who is in several audiences is told once, as the first of them."""
    facts, matter = view.facts(notice), view.matter(notice)
    plans: dict[tuple[str | None, str], Planned] = {}
    for audience, found in people.items():
        recipients: Sequence[str | None] = found.people or [None]
        for recipient in recipients:
            silent = OWN_ACT if recipient is not None and recipient == notice.by else None
            if recipient is None and audience == CUSTOMER and matter.withheld:
                silent = WITHHELD
            for way in view.table.ways(facts, audience):
                its = plans.setdefault((recipient, way.channel), Planned(recipient, audience, found, way, silent))
                every = (*its.audiences, audience)
                plans[recipient, way.channel] = msgspec.structs.replace(its, audiences=every)
    return list(plans.values())


def _since(said: datetime, other: Any) -> bool:
    return other is None or said > other
