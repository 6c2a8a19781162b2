"""What is counted of visits and their appeals (T/SDPEA §9.2), each figure once: how many things fall to each of its
groups, and which they are, come from the same query."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Text, case, cast, column, exists, func, select, true, union_all
from sqlalchemy.dialects.postgresql import JSONB

from visit_api.appeals.models import Appeal
from visit_api.customers.models import Customer
from visit_api.plans.models import Item
from visit_api.steps.models import Step
from visit_api.visits.fulfilling import fulfils
from visit_api.visits.models import Visit

Name = Literal[
    "visits_by_state",
    "visits_by_kind",
    "visits_by_mark",
    "visits_by_channel",
    "visits_by_form",
    "visits_by_content",
    "needs_by_category",
    "appeals_by_type",
    "appeals_by_outcome",
    "satisfaction",
    "plan_completion",
]


class Figure(NamedTuple):
    """What is counted, by which day it falls into a period, and into which group; of which rows beside its own."""

    thing: Any
    at: Any
    group: ColumnElement[str] | Any
    joins: Sequence[tuple[Any, ColumnElement[bool]]] = ()
    where: Sequence[ColumnElement[bool]] = ()


def figures(today: date) -> Mapping[Name, Figure]:
    """All of them. A visit falls into a period by the day it is planned for, a need with its visit, an appeal by the
    day on which it was received, and what a plan wants by the day it is due by."""
    counts = Step.superseded_by.is_(None)
    need = func.jsonb_array_elements(Step.content["needs"]).table_valued(column("value", JSONB), name="need")
    mark = func.unnest(Customer.marks).table_valued(column("mark", Text), name="mark")
    once = Visit.double_of.is_(None)  # of two records of one visit, one counts
    # A question that waits is a consultation, as its step is. That something hidden was raised is told of no visit.
    type_now = func.coalesce(Appeal.reclassified_to, Appeal.type)
    heard = cast(case((type_now == "consultation", "consultation"), else_="appeals"), Text)
    # One table to the server: of two of other types, or each with conditions of its own, it reads all there is.
    content = union_all(
        select(Step.visit_id, Step.kind, counts.label("counts")), select(Appeal.visit_id, heard, ~Appeal.hidden)
    ).subquery("content")
    completion = case((exists().where(fulfils()), "made"), (Item.due_by < today, "missed"), else_="open")
    return {
        "visits_by_state": Figure(Visit, Visit.scheduled_at, Visit.state, (), [once]),
        "visits_by_kind": Figure(
            Visit, Visit.scheduled_at, Customer.kind, [(Customer, Customer.id == Visit.customer_id)], [once]
        ),
        "visits_by_mark": Figure(
            Visit,
            Visit.scheduled_at,
            mark.c.mark,
            [(Customer, Customer.id == Visit.customer_id), (mark, true())],
            [once],
        ),
        "visits_by_channel": Figure(Visit, Visit.scheduled_at, Visit.channel, (), [once]),
        "visits_by_form": Figure(Visit, Visit.scheduled_at, Visit.form, (), [once]),
        "visits_by_content": Figure(
            Visit,
            Visit.scheduled_at,
            content.c.kind,
            [(content, content.c.visit_id == Visit.id)],
            [content.c.counts, once],
        ),
        "needs_by_category": Figure(
            Step,
            Visit.scheduled_at,
            need.c.value["category"].astext,
            [(Visit, Visit.id == Step.visit_id), (need, true())],
            [Step.kind == "needs", counts, once],
        ),
        "appeals_by_type": Figure(Appeal, Appeal.received_at, type_now),
        "appeals_by_outcome": Figure(Appeal, Appeal.received_at, func.coalesce(Appeal.outcome, Appeal.state)),
        "satisfaction": Figure(Appeal, Appeal.received_at, Appeal.satisfaction, (), [Appeal.satisfaction.is_not(None)]),
        "plan_completion": Figure(Item, Item.due_by, completion, (), [Item.dropped.is_(False)]),
    }
