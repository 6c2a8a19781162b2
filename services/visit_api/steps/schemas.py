"""Steps at the edge."""

from uuid import UUID

from chassis.web.schemas import Id, Instant, View
from visit_api.base import New
from visit_api.steps.contents import Content, ContentView


class NewStep(New):
    """What was done on a visit, and when; now, where nothing is said. `supersedes` names the step that it corrects."""

    content: Content
    at: Instant | None = None
    supersedes: Id | None = None


class StepView(View):
    """A step as recorded; one that is `superseded_by` another counts no more, and stays on record."""

    id: UUID
    visit_id: UUID
    unit_code: str
    kind: str
    content: ContentView
    at: Instant
    recorded_at: Instant
    recorded_by: str
    supersedes: UUID | None
    superseded_by: UUID | None
    appeal_id: UUID | None
    updated_at: Instant
