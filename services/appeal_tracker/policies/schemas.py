"""Policies as callers see and assign them."""

from datetime import date
from typing import Literal, Self

from appeal_tracker.policies.policy import CallbackRule, ContactRule, Limit, Policy
from chassis.web.schemas import Body, Code, Day, Instant, View


class StepView(View):
    """A rung of the ladder: at which moment of the period which audiences are told."""

    at: str
    tell: list[str]
    mandatory: bool


class LimitView(View):
    """A deadline: what must be done, within which period, by which clause of which pack, and from when it runs."""

    milestone: str
    within: str
    clause: str
    stated_by: str
    starts: str
    holdable: bool
    ladder: list[StepView]

    @classmethod
    def of(cls, limit: Limit) -> Self:
        return cls(
            milestone=limit.milestone,
            within=str(limit.within),
            clause=limit.clause,
            stated_by=limit.stated_by,
            starts=limit.starts,
            holdable=limit.holdable,
            ladder=[StepView(at=s.moment.text, tell=list(s.tell), mandatory=s.mandatory) for s in limit.ladder],
        )


class ContactRuleView(View):
    """What stops a contact clock: an accepted result, or so many unanswered attempts, so many hours apart."""

    accepts: list[str]
    attempts: int
    hours_apart: int

    @classmethod
    def of(cls, rule: ContactRule) -> Self:
        return cls(accepts=sorted(rule.accepts), attempts=rule.attempts, hours_apart=rule.hours_apart)


class CallbackRuleView(View):
    """Which types of appeal are called back before they are closed, and by whom."""

    required_for: list[str]
    by: str
    clause: str

    @classmethod
    def of(cls, rule: CallbackRule) -> Self:
        return cls(required_for=sorted(rule.required_for), by=rule.by, clause=rule.clause)


class PolicySummary(View):
    """One version of a pack; `lineage` names the versions it inherits from, nearest first."""

    id: str
    version: int
    title: str
    lineage: list[str]
    effective_from: date | None
    calendar: str


class PolicyView(PolicySummary):
    """One version of a pack with all its rules, its own and the inherited."""

    contact: ContactRuleView
    callback: CallbackRuleView
    appeals: dict[str, list[LimitView]]
    visits: list[LimitView]

    @classmethod
    def of(cls, policy: Policy) -> Self:
        return cls(
            **PolicySummary.model_validate(policy).model_dump(),
            contact=ContactRuleView.of(policy.contact),
            callback=CallbackRuleView.of(policy.callback),
            appeals={each: [*map(LimitView.of, limits)] for each, limits in policy.appeals.items()},
            visits=[*map(LimitView.of, policy.visits)],
        )


class Policies(View):
    items: list[PolicySummary]


class PolicyVersions(View):
    """A pack: every published version of it, newest first."""

    id: str
    versions: list[PolicyView]


class OwnAssignment(View):
    """What a unit picked itself, from a civil day on."""

    policy: str
    effective_from: date
    assigned_by: str
    assigned_at: Instant


class AssignedPolicy(View):
    """The policy that counts for a unit today: its own choice, one inherited from `assigned_to`, or the default."""

    unit_code: str
    policy: str
    version: int
    origin: Literal["own", "inherited", "default"]
    assigned_to: str | None
    effective_from: date | None
    own: list[OwnAssignment]


class AssignPolicy(Body):
    """Takes effect at the beginning of `effective_from` in China, today where it is left out."""

    policy: Code
    effective_from: Day | None = None
