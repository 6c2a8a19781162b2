"""What is particular to each kind of customer (§4.1–4.4): which facts belong to it, and which belong together. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainSerializer, ValidationError, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from chassis.web.errors import FieldError, Words
from chassis.web.schemas import Body, Day, Text
from chassis.web.validation import field_error

SPECIAL_GROUP = "other.special_group"  # what is particular to it is personal

Level = Literal["province", "city", "county", "township"]
Percent = Annotated[float, Field(ge=0, le=100)]
Power = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Government(Body):
    """§4.1: party and government of four levels, and bodies with a function."""

    level: Level | None = None
    body_type: (
        Literal[
            "party_committee",
            "government",
            "power_administration",
            "power_regulator",
            "industrial_park",
            "subdistrict",
            "community",
            "village_committee",
        ]
        | None
    ) = None


class KeyProject(Body):
    """§4.2: an important or key project that a government develops."""

    project: Annotated[str, Text(200)] | None = None
    purpose: Literal["local_economy", "livelihood", "industry"] | None = None
    developed_by: Level | None = None
    begins_on: Day | None = None
    operates_from: Day | None = None
    demand_kva: Power | None = None

    @model_validator(mode="after")
    def _begins_first(self) -> Self:
        if self.begins_on and self.operates_from and self.operates_from < self.begins_on:
            zh = "投产日期早于开工日期"
            raise PydanticCustomError("operates_before_it_begins", "It operates before it begins", {"zh": zh})
        return self


class EnergyBody(Body):
    """§4.3.1: an organisation of local energy development, or of the power industry's chain."""

    link: (
        Literal[
            "energy_development",
            "fuel",
            "generation",
            "transmission",
            "distribution",
            "retail",
            "equipment",
            "engineering",
            "association",
            "other",
        ]
        | None
    ) = None


class SourceGridLoadStorage(Body):
    """§4.3.2: what part a company takes between source and load."""

    role: (
        Literal[
            "coal_generation",
            "renewable_generation",
            "market_customer",
            "peak_and_frequency",
            "load_aggregator",
            "virtual_power_plant",
            "other",
        ]
        | None
    ) = None
    capacity_kw: Power | None = None


class Academia(Body):
    """§4.3.3: a university or an institute, and what is done together."""

    institution: Literal["university", "research_institute"] | None = None
    cooperation: Annotated[list[Literal["talent_training", "research"]], Field(max_length=2)] = []


class Important(Body):
    """§4.4.1: the customer's share of consumption and its growth in a year; its importance is not here (§3.2)."""

    year: Annotated[int, Field(ge=2000, le=2100)] | None = None
    consumption_share_percent: Percent | None = None
    growth_percent: Annotated[float, Field(ge=-100, le=10_000)] | None = None


class ServiceRisk(Body):
    """§4.4.2: by which signs somebody took the customer for one at risk."""

    signals: Annotated[
        list[Literal["frequent_faults", "frequent_outages", "unresolved_appeals", "dissatisfied", "complained"]],
        Field(max_length=5),
    ] = []


class SpecialGroup(Body):
    """§4.4.3: to which group somebody belongs, and what is to be heeded. Personal, and sealed."""

    group: Literal["lonely_elderly", "vulnerable", "poor_household", "other"] | None = None
    heed: Annotated[str, Text(2000, lines=True)] | None = None


class Ordinary(Body):
    """Nothing is particular to a customer whom nobody marked."""


BY_KIND: Mapping[str, type[Body]] = {
    "government": Government,
    "key_project": KeyProject,
    "partner.energy_body": EnergyBody,
    "partner.source_grid_load_storage": SourceGridLoadStorage,
    "partner.academia": Academia,
    "other.important": Important,
    "other.service_risk": ServiceRisk,
    SPECIAL_GROUP: SpecialGroup,
    "other.ordinary": Ordinary,
}


def _as_sent(value: Any, handler: Any) -> dict[str, Any]:
    # Which of the forms is meant is said by the kind, beside it: `validated` looks.
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "Input should be an object", {"zh": "应为对象"})
    return dict(sorted(value.items()))  # the same however they are ordered


# Documented as one of the forms, taken as it was sent.
Particulars = Annotated[
    Government | KeyProject | EnergyBody | SourceGridLoadStorage | Academia | Important | ServiceRisk | SpecialGroup,
    WrapValidator(_as_sent),
    PlainSerializer(lambda value: value, return_type=dict[str, Any]),
]


def validated(kind: str, given: Mapping[str, Any]) -> dict[str, Any] | list[FieldError]:
    """The facts in `given`, as they are stored; or what of them does not belong to a customer of that kind."""
    try:
        its = BY_KIND[kind].model_validate(given)
    except ValidationError as refused:
        return [field_error({**error, "loc": ("body", "particulars", *error["loc"])}) for error in refused.errors()]
    return its.model_dump(mode="json", exclude_defaults=True)


OF_ANOTHER_KIND = FieldError(
    "/particulars",
    "particulars_of_another_kind",
    Words("类别改变时须一并给出新类别的专属信息", "With another kind its particulars must be given anew"),
)
