"""The trail over HTTP, for those who audit; `chassis.trail` writes it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy import BigInteger, select
from sqlalchemy.orm import Mapped, Synonym, declared_attr, mapped_column, synonym

from chassis.scope import within
from chassis.web.auth import require
from chassis.web.paging import Listing, Page, Paging
from chassis.web.route import Router
from chassis.web.schemas import Instant, Text, View
from chassis.web.tokens import Principal
from chassis.web.work import Tx

Auditor = Annotated[Principal, Depends(require("auditor"))]
Name = Annotated[str, Text(255)]


class TrailLine:
    """That somebody read or did something with what is personal; never changed. A service maps it on its own base."""

    __tablename__ = "trail"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    unit_code: Mapped[str | None]
    act: Mapped[str]
    thing: Mapped[str]
    thing_id: Mapped[str]
    reason: Mapped[str | None]
    changed_xid: Mapped[int] = mapped_column(BigInteger)

    @declared_attr
    def updated_at(cls) -> Synonym[datetime]:  # noqa: N805 - a mixin's way to name a property of the class
        return synonym("at")


class TrailLineView(View):
    """Who did what with which thing of which unit, when and why."""

    id: UUID
    at: Instant
    by: str
    unit_code: str | None
    act: str
    thing: str
    thing_id: str
    reason: str | None


def trail_of(line: type[TrailLine], unit: Any) -> APIRouter:
    """`GET /v1/trail` of a service: its lines, in the scope that its units give."""
    router = Router(tags=["trail"])
    model: Any = line

    @router.get("/v1/trail", response_model=Page[TrailLineView])
    async def list_trail(
        caller: Auditor,
        tx: Tx,
        window: Paging,
        thing: Annotated[Name | None, Query(description="a kind of thing, as the lines name it")] = None,
        thing_id: Annotated[Name | None, Query()] = None,
        by: Annotated[Name | None, Query(description="a staff number, or a service")] = None,
    ) -> Listing[TrailLine]:
        """Who read or did what with what is personal, of the caller's unit and those below it, oldest first."""
        query = select(model).where(within(unit, caller.unit, model.unit_code))
        for column, asked in ((model.thing, thing), (model.thing_id, thing_id), (model.by, by)):
            if asked is not None:
                query = query.where(column == asked)
        return await window.fetch(tx, query, line)

    return router
