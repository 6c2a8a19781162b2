"""Arriving at a customer (T/SDPEA §6.1.3.1): when, and with consent where. The place is sealed, and told to nobody."""

import json
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.tokens import Principal
from visit_api.directory.service import top_unit
from visit_api.visits import service
from visit_api.visits.errors import NO_CONSENT
from visit_api.visits.models import Visit
from visit_api.visits.schemas import Arrival, ArrivalView, Position


async def arrive(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, arrival: Arrival) -> Visit:
    """Records the arrival, once. Raises `NotFound`, `ActRefused`, `AlreadyArrived`, `Unprocessable`."""
    if arrival.place is not None and not arrival.consented:
        raise Unprocessable(NO_CONSENT)
    visit = await service.arrive(tx, runtime, caller, id, arrival.at)
    if arrival.place is not None:
        words, owner = arrival.place.model_dump_json(), await top_unit(tx, visit.unit_code)
        visit.arrival_place = await runtime.vault.seal(tx, owner, _place(visit), words)
    return visit


async def show_arrival(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str) -> ArrivalView:
    """When the visitors arrived, and where, with a line in the trail. Raises `NotFound`."""
    visit = await service.get_visit(tx, caller, id)
    if visit.arrived_at is None:
        raise NotFound
    place = None
    if visit.arrival_place is not None:
        opened = await runtime.vault.open(tx, _place(visit), visit.arrival_place)
        place = Position.model_validate(json.loads(opened))
        await trail.note(
            tx,
            runtime,
            caller,
            act="arrival.opened",
            thing="visit",
            thing_id=visit.id,
            unit_code=visit.unit_code,
            reason=reason,
        )
    return ArrivalView(visit_id=visit.id, arrived_at=visit.arrived_at, place=place)


def _place(visit: Visit) -> Place:
    return Place("visits", "arrival_place", visit.id)
