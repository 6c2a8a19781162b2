"""The analysis at the edge."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Instant, View


class FigureView(View):
    """How many things fall to a group of a figure, and where they are listed, exactly these."""

    figure: str
    of: Annotated[str, Field(description="the code of the group, or from 1 to 5 how satisfied the customer was")]
    count: int
    records: Annotated[str, Field(description="the path of the list")]


class AnalysisView(View):
    """What was counted of a unit and those below it (§9.2), from one civil day to another, both included, by what was
    known `as_of`. A visit counts by the day it is planned for, by each mark that its customer bears, and in each
    content that it had: the kinds of its steps, and `appeals` (`consultation`, where it was a question) where something
    was raised on it that is not hidden; a need is a step in which one of its category was heard; an appeal counts by
    the day it was received, as the type that it is of now, and what a plan wants by the day it is due by: `made` is a
    visit by its channel, and in its form."""

    unit_code: str | None
    first_day: Annotated[dt.date, Field(serialization_alias="from")]
    last_day: Annotated[dt.date, Field(serialization_alias="to")]
    as_of: Instant
    items: list[FigureView]


class RecordView(View):
    """A thing that was counted. `visit_id` is null for what a plan wants, and for what was said in confidence where the
    caller may not know on which visit."""

    thing: Annotated[str, Field(description="visit, step, appeal or plan_item")]
    id: UUID
    unit_code: str
    visit_id: UUID | None
    updated_at: Instant


COLUMNS = tuple(FigureView.model_fields)
