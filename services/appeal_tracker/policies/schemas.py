"""Policies as callers see and assign them."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, WithJsonSchema

from appeal_tracker.calendars.civil import CHINA, instant_of
from appeal_tracker.calendars.pointers import schema_of
from appeal_tracker.policies.pack import Pack
from appeal_tracker.policies.policy import CallbackRule, ContactRule, Limit
from appeal_tracker.policies.publishing import Prepared
from appeal_tracker.policies.quiet import QuietHours
from appeal_tracker.policies.service import Published
from chassis.web.schemas import Body, Code, Day, Instant, View

# Read by `policies.pack`, as the packaged ones are.
PackDocument = Annotated[dict[str, Any], WithJsonSchema(schema_of(Pack))]


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
    """Which types of appeal are called back before they are closed, and by whom; so many unanswered calls, so many
    hours apart, are a callback that failed. `dissatisfied`: whether the lowest two ratings open a `follow_up` or a
    `new_round`."""

    required_for: list[str]
    by: str
    clause: str
    attempts: int
    hours_apart: int
    dissatisfied: str

    @classmethod
    def of(cls, rule: CallbackRule) -> Self:
        return cls(
            required_for=sorted(rule.required_for),
            by=rule.by,
            clause=rule.clause,
            attempts=rule.attempts,
            hours_apart=rule.hours_apart,
            dissatisfied=rule.dissatisfied,
        )


class QuietView(View):
    """The stretch of each night in which nobody is called, as times of day in China: from 21:00 to 08:00."""

    begins: Annotated[str, Field(serialization_alias="from")]
    ends: Annotated[str, Field(serialization_alias="to")]

    @classmethod
    def of(cls, quiet: QuietHours) -> Self:
        begins, ends = (f"{instant_of(ticks).astimezone(CHINA):%H:%M}" for ticks in (quiet.begins, quiet.ends))
        return cls(begins=begins, ends=ends)


class TargetView(View):
    """A share to reach, for statistics."""

    name: str
    at_least: float
    clause: str


class PlaceView(View):
    """One place where a policy is laxer than `than`, which it extends; with the first start that shows it, where a
    start does."""

    than: str
    pointer: str
    fault: str
    start: Instant | None
    own_due_at: Instant | None
    parent_due_at: Instant | None


class RelaxedView(View):
    """A policy that is laxer than what it extends on a calendar, which was published after it; `units` picked that
    calendar for themselves, and so many `elsewhere` that you do not see."""

    policy: str
    calendar: str
    units: list[str]
    elsewhere: int
    places: list[PlaceView]


class WithdrawalView(View):
    """A pack that nothing begins under any more."""

    withdrawn_at: Instant
    withdrawn_by: str
    reason: str


class PolicySummary(View):
    """A pack at its newest version; `lineage` names the versions it inherits from, nearest first."""

    id: str
    version: int
    title: str
    lineage: list[str]
    effective_from: date | None
    calendar: str
    published_at: Instant
    withdrawn_at: Instant | None


class PolicyView(View):
    """One version of a pack with all its rules, its own and the inherited; `reopen` says by type of appeal what is to
    be done again when one is reopened; `published_by` nobody: it came with the service. `laxer` where a calendar
    published since, its own or one that units picked for it, has left it laxer than what it extends."""

    id: str
    version: int
    title: str
    lineage: list[str]
    effective_from: date | None
    calendar: str
    published_at: Instant | None
    published_by: str | None
    reopen: dict[str, str]
    repeat_days: int
    quiet: QuietView | None
    contact: ContactRuleView
    callback: CallbackRuleView
    appeals: dict[str, list[LimitView]]
    visits: list[LimitView]

    laxer: list[RelaxedView]

    @classmethod
    def of(cls, shown: Published) -> Self:
        policy = shown.policy
        return cls(
            **{name: getattr(policy, name) for name in ("id", "version", "title", "effective_from", "calendar")},
            lineage=list(policy.lineage),
            published_at=shown.published_at,
            published_by=shown.published_by,
            reopen=dict(policy.reopen),
            repeat_days=policy.repeat_days,
            quiet=policy.quiet and QuietView.of(policy.quiet),
            contact=ContactRuleView.of(policy.contact),
            callback=CallbackRuleView.of(policy.callback),
            appeals={each: [*map(LimitView.of, limits)] for each, limits in policy.appeals.items()},
            visits=[*map(LimitView.of, policy.visits)],
            targets=[*map(TargetView.model_validate, policy.targets.values())],
            laxer=[*map(RelaxedView.model_validate, shown.laxer)],
        )


class PolicyVersions(View):
    """A pack: every published version of it, newest first, and that it was withdrawn if it was."""

    id: str
    withdrawal: WithdrawalView | None
    versions: list[PolicyView]


class PublishedPolicy(View):
    """A version as it was published, or as it would be; `laxer` names the packs built on older versions of it that it
    leaves laxer than itself; `without_effect` points at what the pack says and no deadline of it goes by: an hour of
    `close_of_business`, where each limit says `7 working days` and none `7 working days close of business`."""

    published: bool
    policy: PolicyView
    laxer: list[RelaxedView]
    without_effect: list[str]

    @classmethod
    def of(cls, prepared: Prepared, by: str, at: Instant, *, published: bool) -> Self:
        shown = Published(prepared.policy, at, by) if published else Published(prepared.policy)
        laxer = [*map(RelaxedView.model_validate, prepared.laxer)]
        return cls(
            published=published, policy=PolicyView.of(shown), laxer=laxer, without_effect=prepared.without_effect
        )


class OwnAssignment(View):
    """What a unit picked itself, from a civil day on; without a calendar it counts on the pack's."""

    policy: str
    calendar: str | None
    effective_from: date
    assigned_by: str
    assigned_at: Instant


class AssignedPolicy(View):
    """The policy that counts for a unit today, and the calendar it is counted on: the unit's own choice, one inherited
    from `assigned_to`, or the default. `laxer` where on that calendar, by a later version of it, the policy is laxer
    than what it extends."""

    unit_code: str
    policy: str
    version: int
    calendar: str
    origin: Literal["own", "inherited", "default"]
    assigned_to: str | None
    effective_from: date | None
    own: list[OwnAssignment]
    laxer: list[RelaxedView]


class AssignPolicy(Body):
    """Takes effect at the beginning of `effective_from` in China, today where it is left out. `calendar` is the pack's
    own, or one that lies over it; the pack's own where it is left out.

    `effective_from` may be a day gone by, of the last year, where the same pack counted since and `calendar` lies over
    the one that did: a stop of work reaches what was received before it. A recalculation with cause `assignment` brings
    what is open to it."""

    policy: Code
    calendar: Code | None = None
    effective_from: Day | None = None
