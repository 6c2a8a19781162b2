"""The analysis over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from chassis.web.auth import Caller
from chassis.web.negotiation import wants
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Code, Day
from chassis.web.tables import MEDIA_TYPE, OR_TABLE, csv_response
from chassis.web.work import TheRuntime, Tx
from visit_api.analysis import service
from visit_api.analysis.figures import Name
from visit_api.analysis.schemas import COLUMNS, AnalysisView, RecordView

router = Router(prefix="/v1/analysis", tags=["analysis"])

_First = Annotated[
    Day | None, Query(alias="from", description="the first civil day; the first of the month where it is left out")
]
_Last = Annotated[Day | None, Query(alias="to", description="the last; today where it is left out")]
_Unit = Annotated[Code | None, Query(description="this unit and those below it, instead of your own")]


@router.get("", response_model=AnalysisView, responses=OR_TABLE)
async def show_analysis(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    request: Request,
    unit_code: _Unit = None,
    first_day: _First = None,
    last_day: _Last = None,
) -> AnalysisView | Response:
    """Visits by state, kind and mark of customer, channel, form and content, needs, appeals, satisfaction, and what
    became of plans; each figure with the list of what was counted. As data, or as a table for who asks for CSV."""
    found = await service.analyse(tx, runtime, caller, unit_code, first_day, last_day)
    if wants(request, MEDIA_TYPE):
        rows = [[getattr(each, name) for name in COLUMNS] for each in found.items]
        return csv_response(f"analysis-{found.first_day}-{found.last_day}", COLUMNS, rows)
    return found


@router.get("/records", response_model=Page[RecordView])
async def list_records(
    caller: Caller,
    tx: Tx,
    runtime: TheRuntime,
    window: Paging,
    figure: Annotated[Name, Query()] = "visits_by_channel",
    of: Annotated[Code | None, Query(description="the group; all of them where it is left out")] = None,
    unit_code: _Unit = None,
    first_day: _First = None,
    last_day: _Last = None,
) -> Listing[RecordView]:
    """What was counted in a figure: exactly these."""
    return await service.list_records(tx, runtime, caller, window, figure, of, unit_code, first_day, last_day)
