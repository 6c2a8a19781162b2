"""The life of an appeal: raised by visit_api, from there on told by appeal_tracker. Its words never travel."""

from uuid import UUID

from contracts.envelope import Event, Record
from contracts.fields import (
    AppealType,
    CallbackChannel,
    CallbackKind,
    CallbackResult,
    Category,
    ContactResult,
    Fact,
    Finding,
    Milestone,
    Number,
    Outcome,
    PolicyVersion,
    Satisfaction,
    Source,
    StaffNo,
    Time,
    UnitCode,
)


class AppealRaised(Event, type="appeal.raised.v1", topic="visit.events", key="visit_id", subject="appeal_id"):
    """A customer raised an appeal; clocks run from `received_at`, when the customer spoke.

    A `hidden` appeal, confidential or anonymous, names neither visit nor customer (State Grid standard §6.4.5.5), and
    its record key is its own id. Building a confidential one that does raises ValueError; older anonymous ones may.
    """

    appeal_id: UUID
    appeal_no: Number
    visit_id: UUID | None
    customer_id: UUID | None
    unit_code: UnitCode
    appeal_type: AppealType
    received_at: Time
    recorded_at: Time
    raised_by: StaffNo
    confidential: bool = False
    anonymous: bool = False

    @property
    def hidden(self) -> bool:
        """Whether the customer is told to nobody who need not know."""
        return self.confidential or self.anonymous

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.confidential and (self.visit_id or self.customer_id):
            raise ValueError("a confidential appeal names neither visit nor customer")


class ClockStarted(Record):
    """A clock as it stood when its appeal was opened; `provisional` where a year of its calendar is an estimate."""

    clock_id: UUID
    milestone: Milestone
    due_at: Time
    provisional: bool


class AppealOpened(Event, type="appeal.opened.v1", topic="appeal.events", key="appeal_id"):
    """The tracker took the appeal on, whatever its source; an appeal of an unknown type has no clocks. A `hidden` one
    names neither visit nor customer."""

    appeal_id: UUID
    appeal_no: Number
    visit_id: UUID | None
    unit_code: UnitCode
    appeal_type: AppealType
    received_at: Time
    round: int
    policy: PolicyVersion
    clocks: list[ClockStarted]
    source: Source | None = None
    category: Category | None = None
    confidential: bool = False
    anonymous: bool = False
    customer_id: UUID | None = None
    first_contact: StaffNo | None = None

    @property
    def hidden(self) -> bool:
        """Whether the customer is told to nobody who need not know."""
        return self.confidential or self.anonymous


class AppealAct(Event):
    """An act on an appeal, at its true time; `by` is null where no member of staff acted."""

    appeal_id: UUID
    visit_id: UUID | None
    unit_code: UnitCode
    round: int
    at: Time
    by: StaffNo | None


class AppealAccepted(AppealAct, type="appeal.accepted.v1", topic="appeal.events", key="appeal_id"):
    """The appeal was accepted; that moves no clock."""


class AppealContacted(AppealAct, type="appeal.contacted.v1", topic="appeal.events", key="appeal_id"):
    """The customer was contacted, or an attempt was made: see `result`. It `counts` if somebody responsible made it."""

    result: ContactResult
    counts: bool = True


class AppealAnswered(AppealAct, type="appeal.answered.v1", topic="appeal.events", key="appeal_id"):
    """The customer was given an answer; `finding` where it was found already whether the facts bear the appeal out."""

    finding: Finding | None = None


class AppealJudged(AppealAct, type="appeal.judged.v1", topic="appeal.events", key="appeal_id"):
    """It was found whether the facts bear an answered complaint or report out, or found anew."""

    finding: Finding


class AppealCalledBack(AppealAct, type="appeal.called_back.v1", topic="appeal.events", key="appeal_id"):
    """The customer was called back, or an attempt was made: see `result`. It `counts` if it came after the answer."""

    result: CallbackResult
    satisfaction: Satisfaction | None
    channel: CallbackChannel | None = None
    counts: bool = True


class AppealCallbackAsked(AppealAct, type="appeal.callback_asked.v1", topic="appeal.events", key="appeal_id"):
    """Somebody is to call the customer: `required` by the policy, or because a supervisor asked for it. Whose it is:
    `person`, or with nobody named whoever may call of the unit `asked_unit_code`: the handling unit, where that is not
    said. A `follow_up` is owed to who was dissatisfied. Told again of a task that goes to somebody else."""

    task_id: UUID
    kind: CallbackKind
    required: bool
    handling_unit_code: UnitCode
    person: StaffNo | None
    due_at: Time | None
    asked_unit_code: UnitCode | None = None


class AppealCallbackScheduled(AppealAct, type="appeal.callback_scheduled.v1", topic="appeal.events", key="appeal_id"):
    """The customer is to be called at `scheduled_at`, by `person` if anybody is named, or by whoever was asked to; an
    earlier version did not say the `kind`."""

    task_id: UUID
    scheduled_at: Time
    agreed: bool
    person: StaffNo | None
    kind: CallbackKind | None = None
    asked_unit_code: UnitCode | None = None


class AppealConclusionAsked(AppealAct, type="appeal.conclusion_asked.v1", topic="appeal.events", key="appeal_id"):
    """Nothing is left to be done about a hidden complaint or report but to judge and close it, which nobody of the unit
    that it may be about does: those of `asked_unit_code` are to, for it has no handler who would."""

    asked_unit_code: UnitCode


class AppealFollowedUp(AppealAct, type="appeal.followed_up.v1", topic="appeal.events", key="appeal_id"):
    """A customer who was dissatisfied was followed up."""

    task_id: UUID


class AppealRepeated(AppealAct, type="appeal.repeated.v1", topic="appeal.events", key="appeal_id"):
    """The customer came back with the matter of an earlier appeal, for the n-th time: see `times`."""

    repeats: UUID
    times: int


class AppealRepeatedAgain(AppealAct, type="appeal.repeated_again.v1", topic="appeal.events", key="appeal_id"):
    """The same, told once of a matter: when it came back for the second time, and those above are to know."""

    repeats: UUID
    times: int


class AppealClosed(AppealAct, type="appeal.closed.v1", topic="appeal.events", key="appeal_id"):
    """The appeal came to its end, one of several: see `outcome`."""

    outcome: Outcome


class AppealReopened(AppealAct, type="appeal.reopened.v1", topic="appeal.events", key="appeal_id"):
    """A closed appeal is open again, in the round given; `clocks` are those that run now."""

    clocks: list[ClockStarted] = []


class AppealHeld(AppealAct, type="appeal.held.v1", topic="appeal.events", key="appeal_id"):
    """The clocks of some milestones stand still from `at` on."""

    milestones: list[Milestone]


class AppealResumed(AppealAct, type="appeal.resumed.v1", topic="appeal.events", key="appeal_id"):
    """What was held goes on, from `at` on; also because it was answered, called back or closed."""


class AppealDispatched(AppealAct, type="appeal.dispatched.v1", topic="appeal.events", key="appeal_id"):
    """The appeal was handed to whoever handles it from now on; its clocks go on as they were."""

    handler: StaffNo | None
    handling_unit_code: UnitCode


class AppealReturned(AppealAct, type="appeal.returned.v1", topic="appeal.events", key="appeal_id"):
    """It was given back to whoever handed it on, or to the unit it was raised in; its clocks go on as they were."""

    handler: StaffNo | None
    handling_unit_code: UnitCode


class AppealTransferred(AppealAct, type="appeal.transferred.v1", topic="appeal.events", key="appeal_id"):
    """Somebody else handles the appeal from now on; its clocks go on as they were."""

    handler: StaffNo | None
    handling_unit_code: UnitCode


class AppealMerged(AppealAct, type="appeal.merged.v1", topic="appeal.events", key="appeal_id"):
    """Another appeal of the same customer speaks for this one: what is done about that one is done about both."""

    into: UUID


class AppealUnmerged(AppealAct, type="appeal.unmerged.v1", topic="appeal.events", key="appeal_id"):
    """The appeal speaks for itself again."""

    out_of: UUID


class AppealPressed(AppealAct):
    """Whoever is at work on an appeal is told to see to it: `owner` is the handler, else the first-contact person; with
    neither, the unit's supervisors own it. No clock moves by that."""

    handling_unit_code: UnitCode
    owner: StaffNo | None
    first_contact: StaffNo | None


class AppealUrged(AppealPressed, type="appeal.urged.v1", topic="appeal.events", key="appeal_id"):
    """Somebody asked for it to be hurried, for the n-th time in this round: see `times`."""

    times: int


class AppealSupervised(AppealPressed, type="appeal.supervised.v1", topic="appeal.events", key="appeal_id"):
    """A supervisor watches over it from now on, and wants to hear of it by `report_by`, if that is given."""

    report_by: Time | None


class AppealReclassified(AppealAct, type="appeal.reclassified.v1", topic="appeal.events", key="appeal_id"):
    """It is an appeal of another type, and was from the beginning: its old clocks were cancelled; `clocks` are those
    that it has now, in the round given."""

    appeal_type: AppealType
    old_appeal_type: AppealType
    clocks: list[ClockStarted]


class AppealCorrected(AppealAct, type="appeal.corrected.v1", topic="appeal.events", key="appeal_id"):
    """What had been recorded wrongly was put right: which facts, and of these `received_at` as it is now. Deadlines
    that move by that are told of by events of their own."""

    facts: list[Fact]
    received_at: Time
