"""Checklists at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.web.schemas import Body, Instant, OneOf, Text, View
from visit_api.checklists.models import Answer
from visit_api.standard.checklists import ITEMS
from visit_api.standard.schemas import WordsView

Note = Annotated[str, Text(500, lines=True)]


class NewAnswer(Body):
    """What is answered to an item; a no says why."""

    item: Annotated[str, OneOf(ITEMS)]
    answer: Answer
    note: Note | None = None


class NewAnswers(Body):
    """Some items or all, and when they were answered; now, where nothing is said."""

    answers: Annotated[list[NewAnswer], Field(min_length=1, max_length=50)]
    at: Instant | None = None


class ChecklistLineView(View):
    """An item of a visit's checklist, and what is answered to it so far."""

    item: str
    clause: str
    words: WordsView
    answer: str | None
    note: str | None
    answered_by: str | None
    answered_at: Instant | None


class ChecklistView(View):
    """What is asked after a visit by its channel; `unanswered` items are still open."""

    visit_id: UUID
    unanswered: int
    items: list[ChecklistLineView]
