"""What a step holds, by its kind: the contents of a visit (T/SDPEA §5) and the strategy that follows (§7.2.4)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

from chassis.web.schemas import Body, Day, Id, OneOf, Text, View
from visit_api.standard.contents import INTEREST, NEEDS, SERVICES, TOPICS

Note = Annotated[str, Text(500, lines=True)]
Said = Annotated[str, Text(2000, lines=True)]


class Publicise(Body):
    """Which editions of policy materials were publicised (§5.2, §7.2.2), and to whom; nobody named: the customer."""

    kind: Literal["publicise"]
    materials: Annotated[list[Id], Field(min_length=1, max_length=20)]
    to: Annotated[str, Text(200)] | None = None


class Need(Body):
    """What is needed, in one of the six fields."""

    category: Annotated[str, OneOf(NEEDS)]
    description: Said


class Needs(Body):
    """The needs that were heard (§5.1); none, where somebody asked and there were none."""

    kind: Literal["needs"]
    needs: Annotated[list[Need], Field(max_length=20)]


class Promoted(Body):
    """One of the seven services, and how interested the customer is."""

    service: Annotated[str, OneOf(SERVICES)]
    interest: Annotated[str, OneOf(INTEREST)]
    note: Note | None = None


class Promotion(Body):
    """The services that were promoted (§5.3)."""

    kind: Literal["promotion"]
    services: Annotated[list[Promoted], Field(min_length=1, max_length=20)]


class Consultation(Body):
    """A question on one of the twelve topics (§5.4): with its answer, or, not answered at once, with the reason; it is
    then raised as an appeal (§7.2.3)."""

    kind: Literal["consultation"]
    topic: Annotated[str, OneOf(TOPICS)]
    question: Said
    answer: Said | None = None
    reason_not_answered: Note | None = None


class AppealsHeard(Body):
    """The appeals that were raised on the visit (§5.5), by their ids; none, where somebody asked and there were none.
    What was said in confidence, or without a name, is not named."""

    kind: Literal["appeals"]
    appeal_ids: Annotated[list[Id], Field(max_length=50)]


class Outcome(Body):
    """What became of a proposal."""

    result: Literal["done", "partly_done", "not_done"]
    on: Day
    note: Note | None = None


class Strategy(Body):
    """What is proposed for what was justly asked (§7.2.4), who sees to it, and by when: the archive asks for the day,
    where it is not said, and for the outcome once that is past. It may come later, also after the archive: by a step
    that supersedes this one."""

    kind: Literal["strategy"]
    proposal: Annotated[str, Text(4000, lines=True)]
    owner: Annotated[str, Text(64)]
    due_on: Day | None = None
    outcome: Outcome | None = None


KINDS: dict[str, type[Body]] = {
    "publicise": Publicise,
    "needs": Needs,
    "promotion": Promotion,
    "consultation": Consultation,
    "appeals": AppealsHeard,
    "strategy": Strategy,
}


class _OfAKind(BaseModel):
    model_config = ConfigDict(strict=True)

    kind: Annotated[str, OneOf(KINDS)]


def _read(value: Any, _: ValidatorFunctionWrapHandler) -> Body:
    # Not left to pydantic, whose pointers into a union name the kind too: `/content/needs/needs/0`.
    return KINDS[_OfAKind.model_validate(value).kind].model_validate(value)


_ByKind = Field(discriminator="kind")
Content = Annotated[
    Publicise | Needs | Promotion | Consultation | AppealsHeard | Strategy,
    WrapValidator(
        _read,
        json_schema_input_type=Annotated[
            Publicise | Needs | Promotion | Consultation | AppealsHeard | Strategy, _ByKind
        ],
    ),
]


class Publicised(View):
    """An edition as it was when it was publicised."""

    id: Id
    series_id: Id
    version: int
    title: str
    topic: str


class PubliciseView(View):
    """Which editions were publicised, and to whom."""

    kind: Literal["publicise"]
    materials: list[Publicised]
    to: str | None


ContentView = Annotated[PubliciseView | Needs | Promotion | Consultation | AppealsHeard | Strategy, _ByKind]

# The fields in which people write, however deep in a content.
WORDS = frozenset({"to", "description", "note", "question", "answer", "reason_not_answered", "proposal"})


def coded(content: Any) -> Any:
    """What can be counted of a content, and tells nothing that anybody said."""
    if isinstance(content, dict):
        return {name: coded(its) for name, its in content.items() if name not in WORDS}
    return [coded(each) for each in content] if isinstance(content, list) else content
