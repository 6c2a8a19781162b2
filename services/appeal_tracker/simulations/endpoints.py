"""`/v1/simulations`: the past, judged by another policy or calendar."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from appeal_tracker.simulations import service
from appeal_tracker.simulations.schemas import (
    COUNT_COLUMNS,
    DIFFERENCE_COLUMNS,
    DifferenceView,
    Simulate,
    SimulationResult,
    SimulationView,
    count_row,
    difference_row,
)
from chassis.runtime import Runtime
from chassis.web.auth import require
from chassis.web.negotiation import wants
from chassis.web.paging import Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Id
from chassis.web.tables import MEDIA_TYPE, OR_TABLE, csv_response, csv_stream
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx

router = Router(prefix="/v1/simulations", tags=["simulations"])
Supervisor = Annotated[Principal, Depends(require("supervisor"))]


@router.post("", status_code=201, response_model=SimulationResult)
async def request_simulation(body: Simulate, caller: Supervisor, tx: Tx, runtime: TheRuntime) -> SimulationResult:
    """Ask which appeals would have breached what, had another policy or calendar counted; the clocks of visits, of
    arrival and archive, are not judged. It changes nothing but itself; several at once are worked at one after the
    other."""
    asked = {field: getattr(body, field) for field in Simulate.model_fields}
    return SimulationResult.of_result(await service.request(tx, runtime, caller, **asked))


@router.get("")
async def list_simulations(caller: Supervisor, tx: Tx, window: Paging) -> Page[SimulationView]:
    """The simulations that were asked for in your unit or below it."""
    found = await service.listing(tx, caller, window)
    return Page(items=[*map(SimulationView.of, found.items)], next=found.next)


@router.get("/{id}", response_model=SimulationResult, responses=OR_TABLE)
async def show_simulation(id: Id, caller: Supervisor, tx: Tx, request: Request) -> SimulationResult | Response:
    """A simulation with what came out so far, in all and by unit, type and milestone."""
    result = await service.show(tx, caller, id)
    if wants(request, MEDIA_TYPE):
        return csv_response(f"simulation-{id}", COUNT_COLUMNS, map(count_row, result.counts))
    return SimulationResult.of_result(result)


@router.get("/{id}/appeals", response_model=Page[DifferenceView], responses=OR_TABLE)
async def list_simulated_appeals(
    id: Id, caller: Supervisor, tx: Tx, window: Paging, runtime: TheRuntime, request: Request
) -> Page[DifferenceView] | Response:
    """The deadlines that would have come out otherwise, and the appeals they are of. A table has all of them."""
    found = await service.differences(tx, caller, id, window)
    if wants(request, MEDIA_TYPE):
        return csv_stream(f"simulation-{id}-appeals", DIFFERENCE_COLUMNS, _table(runtime, caller, id))
    return Page(items=[*map(DifferenceView.model_validate, found.items)], next=found.next)


async def _table(runtime: Runtime, caller: Principal, id: UUID) -> AsyncIterator[Sequence[list[object]]]:
    after: UUID | None = None
    while True:
        async with runtime.db.request() as tx:
            found = await service.differences_after(tx, caller, id, after)
        if not found:
            return
        yield [*map(difference_row, found)]
        after = found[-1].id
