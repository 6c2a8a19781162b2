"""The life of a visit, as data: which act is possible in which state, where it leads, and what must be there first.

Preparation, appointment and arrival are recorded facts, not states (T/SDPEA §7.1, §7.2.1).
"""

from collections.abc import Collection, Container, Mapping
from enum import StrEnum
from typing import NamedTuple

from visit_api.codes import Form as Form
from visit_api.visits.kit import KIT


class VisitState(StrEnum):
    """Where a visit stands."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"
    MISSED = "missed"


class Act(StrEnum):
    """What can be done with a visit."""

    REPLAN = "replan"
    PREPARE = "prepare"
    APPOINT = "appoint"
    HAND_OVER = "hand_over"
    ARRIVE = "arrive"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"
    MISS = "miss"
    ARCHIVE = "archive"
    ANSWER = "answer"
    RECORD = "record"


class Step(NamedTuple):
    """An act's place in the life: the states it is possible in, the one it leads to (None: none other), the clause."""

    sources: frozenset[VisitState]
    target: VisitState | None
    clause: str


class Unmet(NamedTuple):
    """Something a clause asks for that is not there."""

    clause: str
    what: str


class Course(NamedTuple):
    """What of a visit decides whether it may start: how it is made, the documents and answers of its preparation, and
    whether the customer agreed to a time."""

    form: Form
    direction: str
    channel: str
    documents: Container[str]
    answered: Collection[str]
    appointed: bool


_PLANNED = frozenset({VisitState.PLANNED})
_IN_PROGRESS = frozenset({VisitState.IN_PROGRESS})

LIFE: Mapping[Act, Step] = {
    Act.REPLAN: Step(_PLANNED, None, "7.1"),
    Act.PREPARE: Step(_PLANNED, None, "7.2.1"),
    Act.APPOINT: Step(_PLANNED, None, "6.1.3.1"),
    Act.HAND_OVER: Step(_PLANNED | _IN_PROGRESS, None, "7.1"),
    Act.ARRIVE: Step(_PLANNED | _IN_PROGRESS, None, "6.1.3.1"),
    Act.START: Step(_PLANNED, VisitState.IN_PROGRESS, "7.1"),
    Act.COMPLETE: Step(_IN_PROGRESS, VisitState.COMPLETED, "7.1"),
    Act.CANCEL: Step(_PLANNED, VisitState.CANCELLED, "7.1"),
    Act.MISS: Step(_PLANNED, VisitState.MISSED, "7.1"),
    Act.ARCHIVE: Step(frozenset({VisitState.COMPLETED}), VisitState.ARCHIVED, "7.2.6"),
    # Checklists and steps: what was done is recorded until the archive; steps are taken on the visit itself.
    Act.ANSWER: Step(_PLANNED | _IN_PROGRESS | frozenset({VisitState.COMPLETED}), None, "7.1"),
    Act.RECORD: Step(_IN_PROGRESS | frozenset({VisitState.COMPLETED}), None, "7.1"),
}

# The documents that a visit of a form has; an ordinary one has none.
PREPARATION: Mapping[Form, tuple[Unmet, ...]] = {
    Form.ORDINARY: (),
    Form.DIRECTED: (Unmet("7.2.1", "usage_analysis"), Unmet("7.2.1", "solution_proposal")),
    Form.SPECIAL: (Unmet("7.2.1", "plan_document"),),
}


def unprepared(form: Form, prepared: Container[str]) -> list[Unmet]:
    """The documents that a visit of `form` must have before it starts, and has not."""
    return [unmet for unmet in PREPARATION[form] if unmet.what not in prepared]


def wanting(course: Course) -> list[Unmet]:
    """All that the clauses ask for before a visit, and that is not there. A customer's own call (§6.2.1) comes without
    a kit and without an appointment."""
    missing = unprepared(course.form, course.documents)
    if course.direction == "inbound":
        return missing
    if course.answered:
        missing += [Unmet(item.clause, item.name) for item in KIT[course.channel] if item.name not in course.answered]
    else:
        missing.append(Unmet("7.2.1", "kit"))
    if not course.appointed:
        missing.append(Unmet("6.1.3.1" if course.channel == "on_site" else "7.1", "appointment"))
    return missing


def keeps_from_starting(course: Course) -> list[Unmet]:
    """What a visit cannot start without: an ordinary one can without anything (its archive asks why), a directed or a
    special one without nothing that is asked for."""
    return [] if course.form is Form.ORDINARY else wanting(course)
