"""Statistics as callers see them."""

import datetime as dt
from typing import Annotated

from pydantic import Field

from appeal_tracker.statistics.service import Figures
from chassis.web.schemas import Instant, View

_Took = Annotated[
    float | None, Field(description="seconds from its start to its true stop, in time or not; null where none stopped")
]


class FiguresView(View):
    """The figures of one group: a unit with those below it, a type or all of them, a day, week (from Monday) or month,
    or the whole period.

    An appeal belongs to the unit that raised it and to the civil day in China on which it was received, whatever
    happened when. Deadlines are those of its clocks, of every round; what became of them is told as of now, by the true
    time of what was done, whenever that was recorded.
    """

    unit_code: str
    type: str | None
    period: Annotated[dt.date | None, Field(description="its first civil day")]
    received: Annotated[int, Field(description="appeals")]
    closed: Annotated[int, Field(description="appeals that are closed, whatever the outcome")]
    contact_deadlines: int
    contact_in_time: Annotated[int, Field(description="met, and never recorded as breached")]
    contact_corrected: Annotated[int, Field(description="met by its true time, recorded only after the breach was")]
    contact_breached: int
    contact_median_seconds: _Took
    contact_p90_seconds: _Took
    answer_deadlines: int
    answer_in_time: int
    answer_corrected: int
    answer_breached: int
    answer_median_seconds: _Took
    answer_p90_seconds: _Took
    breached: Annotated[int, Field(description="deadlines of any milestone, as are all that follow")]
    corrected: Annotated[int, Field(description="met by its true time, recorded only after the breach was")]
    late_arrivals: Annotated[
        int, Field(description="past already when the appeal, or what they run from, was heard of")
    ]
    cancelled: Annotated[int, Field(description="the appeal ended before them")]
    provisional: Annotated[int, Field(description="open, and resting on an estimated year: they may still move")]
    open_overdue: Annotated[int, Field(description="past, and still not done")]
    open_within_4h: Annotated[int, Field(description="open, with less than 4 hours left")]
    open_within_24h: Annotated[int, Field(description="with 4 hours left or more, and less than 24")]
    open_within_72h: int
    open_within_168h: int
    open_later: Annotated[int, Field(description="with 168 hours left or more")]
    open_held: Annotated[int, Field(description="standing still")]
    timers_fired: int
    lateness_p50_seconds: Annotated[
        float | None,
        Field(description="after its moment, or when that was set if later; to the next tenth"),
    ]
    lateness_p99_seconds: float | None


class ReachedView(View):
    """A target of a standard, and what was reached of it, by all that was received in the period: `reached` of
    `counted` appeals.

    `callback_rate`: of those answered, those called back; who declined or is anonymous is not counted. `satisfaction`
    and `complaint_satisfaction`: of those rated, those last rated 4 or 5. `nps`: the share of those who rated 5 less
    the share of those who rated 3 or lower, from -100 to 100; no standard names a figure for it, and the customer is
    asked about satisfaction, not about recommending.
    """

    name: str
    standard: Annotated[str, Field(description="the pack that states it")]
    clause: str
    at_least: float | None
    counted: int
    reached: int
    value: Annotated[float | None, Field(description="null where nothing was counted")]
    met: Annotated[bool | None, Field(description="null where nothing was counted, or no figure is named")]


class StatisticsView(View):
    """Figures of what was received from one civil day to another, both included, by what was known `as_of`. With
    `by=unit` each unit counts with those below it, so that the rows overlap."""

    first_day: Annotated[dt.date, Field(serialization_alias="from")]
    last_day: Annotated[dt.date, Field(serialization_alias="to")]
    as_of: Instant
    items: list[FiguresView]
    targets: list[ReachedView]


COLUMNS = Figures.__struct_fields__
