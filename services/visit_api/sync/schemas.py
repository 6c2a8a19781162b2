"""Sync at the edge: what a device brings and is answered, what it is given, and what people decide."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Body, Code, Id, Instant, Text, View
from visit_api.sync.items import MOST, Unread
from visit_api.sync.models import Keep

Why = Annotated[str, Text(500, lines=True)]


class Push(Body):
    """What a device brings: `device` is its own name, `sent_at` what its clock shows as it sends."""

    device: Code
    sent_at: Instant
    items: Annotated[list[Unread], Field(min_length=1, max_length=MOST)]


class AnswerView(View):
    """What became of an item: `stored`; `same`, where it was stored before; `conflict`, where the record says otherwise
    and a person decides; `refused`, and `problem` says why and where. `at` is the time it was taken to be done at, and
    `clock` how: `as_said`, `corrected` by the measured offset, `untrusted` (then it is the time of the push).
    `thing_id` is what it is on record as. `notes`: `not_the_visitor`, where the visit is another's to make;
    `visit_moved`, where it is of a unit by now that its visitor, or who was until it was handed over, does not see; of
    a visit, what was not there any more when it came: `customer_moved` (it stands with the visitor's unit),
    `customer_removed`, `visitor_left`, `plan_item_dropped`; of a step or an answer, `before_start`, where the visit
    began more than a day later."""

    place: int
    id: UUID | None = None
    kind: str | None = None
    outcome: Literal["stored", "same", "conflict", "refused"] = "stored"
    at: Instant | None = None
    clock: str | None = None
    thing_id: UUID | None = None
    conflict_id: UUID | None = None
    problem: dict[str, Any] | None = None
    notes: list[str] = []


class PushView(View):
    """The answer to each item, in the order of the push; and how far the device's clock is off."""

    received_at: Instant
    offset_ms: int
    clock_is_wrong: bool
    items: list[AnswerView]


class BroughtView(View):
    """An item that was brought: what the device's clock showed, and what that was taken for."""

    id: UUID
    item_id: UUID
    kind: str
    visit_id: UUID
    unit_code: str
    device: str
    brought_by: str
    outcome: str
    device_at: Instant
    device_sent_at: Instant
    offset_ms: int
    at: Instant
    clock: str
    recorded_at: Instant
    updated_at: Instant


class DeviceView(View):
    """A device in somebody's hands; `wrong_since` is when its clock was first found wrong, null while it is right."""

    id: UUID
    device: str
    staff_no: str
    unit_code: str
    first_seen_at: Instant
    seen_at: Instant
    offset_ms: int
    wrong_since: Instant | None
    updated_at: Instant


class ConflictView(View):
    """Something that a device brought and that the record says otherwise, and what was decided. `problem` is the kind
    of contradiction; `made_id` what the device's version is on record as, where it was kept as a thing of its own."""

    id: UUID
    item_id: UUID
    kind: str
    visit_id: UUID
    unit_code: str
    device: str
    brought_by: str
    at: Instant
    clock: str
    problem: str
    state: str
    recorded_at: Instant
    keep: str | None
    made_id: UUID | None
    reason: str | None
    resolved_at: Instant | None
    resolved_by: str | None
    updated_at: Instant


class BothVersions(ConflictView):
    """The same with both versions: what the device brought, and the record as it is, or as it was when somebody
    decided."""

    device_version: dict[str, Any]
    server_version: dict[str, Any]


class Resolution(Body):
    """Which version holds, and why."""

    keep: Keep
    reason: Why | None = None


class SuspicionView(View):
    """Two visits that may be one; `kept` is the one that counts, where somebody said that they are."""

    id: UUID
    first_id: UUID
    second_id: UUID
    customer_id: UUID
    channel: str
    day: date
    unit_code: str
    state: str
    kept: UUID | None
    reason: str | None
    recorded_at: Instant
    decided_at: Instant | None
    decided_by: str | None
    updated_at: Instant


class Merging(Body):
    """Which of the two visits counts, and why."""

    kept: Id
    reason: Why | None = None


class Difference(Body):
    """Why they are two."""

    reason: Why | None = None


class PulledView(View):
    """Something for a device's copy: its `value` as it is now, or that it is `gone` from it."""

    kind: Literal["unit", "material", "standard", "customer", "visit", "answer"]
    id: str
    gone: bool = False
    value: dict[str, Any] | None = None


class PullView(View):
    """What changed since the cursor, or all where there was none. `more`: ask again with `next` at once; otherwise
    whenever there is a line."""

    items: list[PulledView]
    next: str
    more: bool
