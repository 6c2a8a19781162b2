"""A slice that stores nothing: routes with every kind of field, for what happens around an endpoint."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from chassis.outage import Outage
from chassis.web.auth import Asker, Caller, require
from chassis.web.errors import Conflict, Words
from chassis.web.etag import Match
from chassis.web.paging import Paging
from chassis.web.route import Router
from chassis.web.schemas import Body, Code, Day, Id, Instant, Text, View
from chassis.web.tokens import Principal
from chassis.web.work import Tx

router = Router(prefix="/v1/notes", tags=["notes"])


class Tag(Body):
    name: Annotated[str, Text(8)]


class NewNote(Body):
    title: Annotated[str, Text(20)]
    text: Annotated[str, Text(100, lines=True)] | None = None
    kind: Literal["short", "long"] = "short"
    at: Instant | None = None
    day: Day | None = None
    count: Annotated[int, Field(ge=0, le=10)] = 0
    weight: float = 0.0
    urgent: bool = False
    about: Id | None = None
    unit: Code | None = None
    tags: Annotated[list[Tag], Field(max_length=3)] = []


class Note(View):
    id: UUID
    title: str
    at: Instant


class NoteLocked(Conflict):
    slug = "note-locked"
    title = Words("便笺已锁定", "The note is locked")
    detail = Words("便笺 {note} 被 {holder} 锁定。", "Note {note} is locked by {holder}.")


@router.post("", status_code=201)
async def add_note(body: NewNote, caller: Caller) -> dict[str, Any]:
    return {"by": caller.sub, "note": body}


@router.get("")
async def list_notes(caller: Caller, page: Paging, tag: Annotated[list[str] | None, Query()] = None) -> dict[str, Any]:
    return {"limit": page.limit, "since": page.since, "tag": tag}


@router.get("/{id}", response_model=Note)
async def read_note(id: UUID, caller: Caller) -> dict[str, Any]:
    return {"id": id, "title": "标题", "at": "2026-10-09T08:00:00+08:00"}


@router.put("/{id}/title", response_model=Note)
async def entitle_note(id: UUID, body: NewNote, match: Match, caller: Caller) -> dict[str, Any]:
    note = {"id": id, "title": "标题", "at": "2026-10-09T08:00:00+08:00"}
    match.on(Note)(note)
    return {**note, "title": body.title}


@router.put("/{id}")
async def change_note(id: UUID, body: NewNote, match: Match, caller: Caller) -> str:
    match.on(Note)({"id": id, "title": "标题", "at": "2026-10-09T08:00:00+08:00"})
    return "changed"


@router.post("/import", max_body_size=3_000_000)
async def import_notes(body: list[NewNote], caller: Caller) -> int:
    return len(body)


@router.post("/counting")
async def count_notes(body: list[NewNote], caller: Asker) -> int:
    return len(body)


@router.post("/{id}/lock")
async def lock_note(id: UUID, caller: Annotated[Principal, Depends(require("supervisor", "handler"))]) -> None:
    raise NoteLocked(note=id, holder="张三{0}")


@router.get("/{id}/words")
async def read_words(id: UUID, caller: Annotated[Principal, Depends(require("service"))]) -> str:
    return f"for {caller.sub}"


@router.get("/fail/{how}")
async def fail(how: str, caller: Caller) -> None:
    if how == "outage":
        raise Outage("the database is away at 10.0.0.7")
    raise ValueError("the phone number 13912345678 is not a number")


@router.get("/needs/database")
async def needs_database(tx: Tx, caller: Caller) -> None:
    await tx.connection()
