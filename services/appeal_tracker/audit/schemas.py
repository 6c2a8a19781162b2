"""Invariants as callers see them. Times are real ones, also where domain time is scaled."""

from typing import Self
from uuid import UUID

from appeal_tracker.audit.invariants import MEANINGS
from appeal_tracker.audit.service import Report
from chassis.web.schemas import Body, Instant, View


class Meaning(View):
    zh: str
    en: str


class FindingView(View):
    """Something that does not hold; `place` tells it from what else was found of the same subject."""

    subject_kind: str
    subject_id: UUID
    clock_id: UUID | None
    unit_code: str | None
    place: str
    found_at: Instant


class InvariantView(View):
    """What must always hold, how often it does not, and the first findings of units that you see."""

    name: str
    meaning: Meaning
    failures: int
    findings: list[FindingView]


class Invariants(View):
    """`last_run` is when the audit last looked; `complete_since`: everything there is was looked at since then."""

    last_run: Instant | None
    complete_since: Instant | None
    items: list[InvariantView]

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(
            last_run=report.last_look,
            complete_since=report.came_round,
            items=[
                InvariantView(
                    name=each.invariant,
                    meaning=Meaning.model_validate(MEANINGS[each.invariant]),
                    failures=each.failures,
                    findings=[*map(FindingView.model_validate, each.first)],
                )
                for each in report.standings
            ],
        )


class LookNow(Body):
    """Nothing needs saying."""
