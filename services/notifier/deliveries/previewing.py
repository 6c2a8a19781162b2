"""Who would be told of an event that might be, when, by what, and why: the planner's own answer, without the event."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.web.errors import FieldError, Unprocessable, Words
from chassis.web.tokens import Principal
from notifier.deliveries import planning, quieting
from notifier.deliveries.decision import Wait, decide
from notifier.deliveries.models import Notice
from notifier.deliveries.planning import Outlook, Planned
from notifier.deliveries.quiet import QuietHours, next_working
from notifier.deliveries.workdays import workdays
from notifier.directory import service as directory
from notifier.directory.audience import OWNER, PARENT, UNIT
from notifier.routes.errors import unknown
from notifier.routes.events import LADDER
from notifier.routes.schemas import Imagined, NotToldView, PreviewView, ToldView
from notifier.subjects.models import Party, Subject

_NO_LADDER = FieldError(
    "/audience", "ladder_only", Words("只有时限事件自带通知对象", "Only a deadline's event names its audience")
)


async def preview(tx: AsyncSession, caller: Principal, event: Imagined, now: datetime) -> PreviewView:
    """Who would be told, were it said now. Raises `Unprocessable` for another unit's."""
    for name in ("unit_code", "handling_unit_code", "asked_unit_code"):
        unit = getattr(event, name)
        if unit is not None and unit != caller.unit and await directory.unseen(tx, caller.unit, [unit]):
            raise unknown(f"/{name}")
    if event.audience is not None and event.event_type not in LADDER:
        raise Unprocessable(_NO_LADDER)
    notice = _imagined(event, now)
    view = await planning.outlook(tx, [notice], now, _about(event, notice.subject_id))
    view = await _as_seen(tx, caller, view, [name for name in (event.owner, event.first_contact, event.person) if name])
    people = planning.addressed(notice, view)
    hours = await quieting.in_force(tx)
    plans = planning.plan(notice, people, view)
    meant = [its for its in plans if its.silent is None]
    return PreviewView(
        told=[_told(its, view, hours, now) for its in meant if its.recipient is not None],
        not_told=[_not_told(its, its.silent) for its in plans if its.silent is not None],
        nobody=sorted({audience for its in meant if its.recipient is None for audience in its.audiences}),
    )


async def _as_seen(tx: AsyncSession, caller: Principal, view: Outlook, named: list[str]) -> Outlook:
    """`view` without what it knows of people whom the caller named and does not see: whether they have left, and who
    stands in for them."""
    hidden = await directory.unseen_people(tx, caller.unit, named)
    its = view.known
    away = {person: other for person, other in its.away.items() if person not in hidden}
    known = msgspec.structs.replace(its, gone={*its.gone} - hidden, away=away)
    return msgspec.structs.replace(view, known=known)


def _imagined(event: Imagined, now: datetime) -> Notice:
    return Notice(
        event_id=new_id(),
        said_at=now,
        event_type=event.event_type,
        step=event.step,
        audience=event.audience or ([OWNER, UNIT, PARENT] if event.event_type in LADDER else []),
        late=event.late,
        subject_kind="appeal",
        subject_id=new_id(),
        unit_code=event.unit_code,
        handling_unit_code=event.handling_unit_code or event.unit_code,
        milestone=event.milestone,
        round=event.round,
        at=now,
        owner=event.owner,
        first_contact=event.first_contact,
        person=event.person,
        asked_unit_code=event.asked_unit_code,
        by=event.by,
    )


def _about(event: Imagined, id: UUID) -> tuple[Subject, Party]:
    party = Party(
        subject_id=id,
        policy=event.policy,
        source=event.source,
        customer_id=event.customer_id,
        withheld=event.confidential or event.anonymous,
    )
    return Subject(id=id, appeal_type=event.appeal_type, round=event.round), party


def _not_told(its: Planned, why: str) -> NotToldView:
    return NotToldView(
        recipient=its.recipient,
        recipient_kind=its.found.kind,
        audiences=list(its.audiences),
        channel=its.way.channel,
        why=why,
    )


def _told(its: Planned, view: Outlook, hours: QuietHours, now: datetime) -> ToldView:
    assert its.recipient is not None, "somebody is told"
    window, way = hours.of(its.found.kind, its.way.channel), its.way
    on_duty = any(its.recipient in people for people in view.known.duty.values())
    decision = decide(
        recipient=its.recipient,
        recipient_gone=False,
        obsolete=None,
        now=now,
        channel=way.channel,
        window=window,
        working=next_working(now, window, workdays()) if way.working_days else None,
        passes=way.route if way.passes == "always" or (way.passes == "on_duty" and on_duty) else None,
    )
    return ToldView(
        recipient=its.recipient,
        recipient_kind=its.found.kind,
        audience=its.audience,
        audiences=list(its.audiences),
        audience_unit=its.found.unit,
        because=its.because,
        channel=way.channel,
        fallback=list(way.fallback),
        route=way.route,
        not_before=decision.until if isinstance(decision, Wait) else now,
        why=getattr(decision, "why", None),
    )
