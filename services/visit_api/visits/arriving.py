"""Arriving at a customer (T/SDPEA §6.1.3.1): when, and with consent where. The place is sealed, and told to nobody."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import trail
from chassis.runtime import Runtime
from chassis.vault import Place
from chassis.web.errors import NotFound, Unprocessable
from chassis.web.tokens import Principal
from visit_api.directory.units import top_unit
from visit_api.visits import service
from visit_api.visits.correcting import correct
from visit_api.visits.errors import NO_CONSENT
from visit_api.visits.lifecycle import Act
from visit_api.visits.models import Visit
from visit_api.visits.schemas import Arrival, ArrivalView, Position


async def arrive(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, arrival: Arrival) -> Visit:
    """Records the arrival, once. Raises `NotFound`, `ActRefused`, `AlreadyArrived`, `Unprocessable`."""
    if arrival.place is not None and not arrival.consented:
        raise Unprocessable(NO_CONSENT)
    visit = await service.arrive(tx, runtime, caller, id, arrival.at)
    visit.arrival_place = await _sealed(tx, runtime, visit, arrival.place)
    return visit


async def correct_arrival(
    tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, at: datetime, place: Position | None
) -> Visit:
    """Has the arrival be another one, with its place or without. Raises `NotFound`, `ActRefused`."""
    visit = await correct(tx, runtime, caller, id, Act.ARRIVE, at)
    visit.arrival_place = await _sealed(tx, runtime, visit, place)
    return visit


async def place_of_arrival(tx: AsyncSession, runtime: Runtime, visit_id: UUID) -> dict[str, Any] | None:
    """Where the visitors arrived, to be sealed again elsewhere: nobody is shown it."""
    sealed = await tx.scalar(select(Visit.arrival_place).where(Visit.id == visit_id))
    if sealed is None:
        return None
    place: dict[str, Any] = json.loads(await runtime.vault.open(tx, _place(visit_id), sealed))
    return place


async def show_arrival(tx: AsyncSession, runtime: Runtime, caller: Principal, id: UUID, reason: str) -> ArrivalView:
    """When the visitors arrived, and where, with a line in the trail. Raises `NotFound`."""
    visit = await service.get_visit(tx, caller, id)
    if visit.arrived_at is None:
        raise NotFound
    place = None
    if visit.arrival_place is not None:
        opened = await runtime.vault.open(tx, _place(visit.id), visit.arrival_place)
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


async def _sealed(tx: AsyncSession, runtime: Runtime, visit: Visit, place: Position | None) -> bytes | None:
    if place is None:
        return None
    owner = await top_unit(tx, visit.unit_code)
    return await runtime.vault.seal(tx, owner, _place(visit.id), place.model_dump_json())


def _place(visit_id: UUID) -> Place:
    return Place("visits", "arrival_place", visit_id)
