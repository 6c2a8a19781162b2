"""Visits at the edge."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, Strict, with_config
from typing_extensions import TypedDict

from chassis.web.schemas import Body, Id, Instant, Text, View
from visit_api.base import New
from visit_api.visits.lifecycle import Form, VisitState
from visit_api.visits.models import Channel, Direction

Visitors = Annotated[list[Annotated[str, Text(64)]], Field(max_length=50)]
FormCode = Annotated[Form, Strict(False)]
Document = Annotated[str, Text(20_000, lines=True)]
Reason = Annotated[str, Text(500, lines=True)]


class NewVisit(New):
    """A visit to plan, for any time; `visitor_ids` are staff numbers or ids. A customer's own call is `inbound`.
    `plan_item_id`: what of a plan it is made for."""

    customer_id: Id
    channel: Channel
    scheduled_at: Instant
    direction: Direction = "outbound"
    form: FormCode = Form.ORDINARY
    visitor_ids: Visitors = []
    plan_item_id: Id | None = None


@with_config(extra="forbid", strict=True)
class VisitChange(TypedDict, total=False):
    """What of a plan is to change. That a directed or special visit is made in another form a supervisor decides, and
    `reason` says why."""

    channel: Channel
    scheduled_at: Instant
    form: FormCode
    visitor_ids: Visitors
    reason: Reason


class Moment(Body):
    """When it happened; now, where nothing is said."""

    at: Instant | None = None


class Position(Body):
    """A point on the earth, in degrees (WGS 84), and how many metres it may be off."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy: Annotated[float, Field(ge=0, le=100_000)] | None = None


class Arrival(Moment):
    """When the visitors arrived, and with the consent of those concerned, where."""

    place: Position | None = None
    consented: bool = False


class ArrivalView(View):
    """When the visitors arrived, and where, if that was recorded."""

    visit_id: UUID
    arrived_at: Instant
    place: Position | None


class Dropped(Moment):
    """Why the visit does not, or did not, take place."""

    reason: Reason | None = None


class Nothing(Body):
    """An act that needs no words."""


class HandingOver(Moment):
    """Who makes the visit from now on, and why not those who were to."""

    visitor_ids: Annotated[list[Annotated[str, Text(64)]], Field(min_length=1, max_length=50)]
    reason: Reason


class KitAnswer(Body):
    """What is answered of a thing of the kit: whether it is ready, and of a device whether it works; `no` says why."""

    item: Annotated[str, Text(64)]
    ready: Literal["yes", "no", "not_applicable"]
    note: Reason | None = None


class Preparation(Body):
    """What was prepared: a directed visit needs the analysis and the proposal, a special one its plan (§7.2.1); and of
    each thing of the kit whether it is ready."""

    usage_analysis: Document | None = None
    solution_proposal: Document | None = None
    plan_document: Document | None = None
    kit: Annotated[list[KitAnswer], Field(max_length=20)] = []


class VisitView(View):
    """A visit as its unit, and those above it, see it; `visitor_ids` are staff numbers. One that is `double_of` another
    is a second record of that visit."""

    id: UUID
    customer_id: UUID
    unit_code: str
    channel: str
    direction: str
    form: Form
    state: VisitState
    scheduled_at: Instant
    visitor_ids: list[str]
    plan_item_id: UUID | None
    window_from: Instant | None
    window_to: Instant | None
    arrived_at: Instant | None
    started_at: Instant | None
    completed_at: Instant | None
    cancelled_at: Instant | None
    missed_at: Instant | None
    archived_at: Instant | None
    reason: str | None
    double_of: UUID | None
    version: int
    updated_at: Instant


class KitView(View):
    """A thing of the kit: the clause that asks for it, and what was answered; null while nothing was."""

    item: str
    title: str
    clause: str
    device: bool
    ready: str | None
    note: str | None


class PreparationView(View):
    """What was prepared for a visit so far, by whom, and the whole kit of its channel."""

    usage_analysis: str | None = None
    solution_proposal: str | None = None
    plan_document: str | None = None
    kit: list[KitView]
    prepared_at: Instant | None
    prepared_by: str | None


class HandOverView(View):
    """Who made a visit until then, and who from then on."""

    id: UUID
    visit_id: UUID
    from_visitors: list[str]
    to_visitors: list[str]
    reason: str
    at: Instant
    recorded_at: Instant
    recorded_by: str
