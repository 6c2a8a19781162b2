"""One worked example of every event: a complaint raised on a visit on 2026-10-09, told from the first unit to the end.

The examples go into the generated schemas, where tests validate them.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from contracts import absences, appeals, audit, customers, deadlines, directory, notifications, policies, visits
from contracts.envelope import Event

(
    UNIT,
    STAFF,
    CUSTOMER,
    VISIT,
    OTHER_VISIT,
    APPEAL,
    CONTACT_CLOCK,
    ANSWER_CLOCK,
    BREACH,
    DELIVERY,
    LOST_DELIVERY,
    SEND,
    OTHER_APPEAL,
    NEXT_CLOCK,
    LAST_CLOCK,
    WITHDRAWAL,
    TASK,
    ABSENCE,
    HAND_OVER,
    RECALCULATION,
    SURVEY_CLOCK,
) = (UUID(f"0199c6a0-0000-7000-8000-{number:012d}") for number in range(1, 22))


def _at(local: str) -> datetime:
    return datetime.fromisoformat(f"2026-{local}+08:00")


_here: dict[str, Any] = {"unit_code": "4101"}
_plan: dict[str, Any] = _here | {
    "visit_id": VISIT,
    "customer_id": CUSTOMER,
    "channel": "on_site",
    "direction": "outbound",
    "form": "ordinary",
    "visitors": ["S1001"],
}
_visit: dict[str, Any] = _here | {"visit_id": VISIT}
_other_visit: dict[str, Any] = _here | {"visit_id": OTHER_VISIT}
_act: dict[str, Any] = _visit | {"appeal_id": APPEAL, "round": 1, "by": "S1001"}
_at_work: dict[str, Any] = {"handling_unit_code": "4101", "owner": "S1001", "first_contact": "S1001"}
_clock: dict[str, Any] = _visit | {
    "subject_kind": "appeal",
    "subject_id": APPEAL,
    "handling_unit_code": "4101",
    "round": 1,
    "owner": "S1001",
    "first_contact": "S1001",
}
_contact: dict[str, Any] = _clock | {
    "clock_id": CONTACT_CLOCK,
    "milestone": "contact",
    "due_at": _at("10-10T09:30"),
}
_answer: dict[str, Any] = _clock | {"clock_id": ANSWER_CLOCK, "milestone": "answer", "due_at": _at("10-20T00:00")}
_survey: dict[str, Any] = _clock | {"clock_id": SURVEY_CLOCK, "milestone": "survey", "due_at": _at("10-15T00:00")}
_delivery: dict[str, Any] = _here | {
    "event_id": BREACH,
    "recipient": "S1001",
    "channel": "mailbox",
}

EXAMPLES: tuple[Event, ...] = (
    directory.UnitChanged(id=UNIT, unit_code="4101", parent_code="41", version=1),
    directory.StaffChanged(
        id=STAFF, staff_no="S1001", unit_code="4101", roles=["visitor", "handler"], active=True, version=1
    ),
    customers.CustomerChanged(id=CUSTOMER, customer_no="0012345678", kind="key_project", unit_code="4101", version=1),
    visits.VisitPlanned(**_plan, scheduled_at=_at("10-08T15:00")),
    visits.VisitReplanned(**_plan, scheduled_at=_at("10-09T09:00")),
    visits.VisitAppointed(**_visit, window_from=_at("10-09T09:00"), window_to=_at("10-09T10:00")),
    visits.VisitUnappointed(**_other_visit, at=_at("10-09T08:55")),
    directory.StaffHandedOver(**_here, hand_over_id=HAND_OVER, staff_no="S1003", to="S1001", by="S1090"),
    visits.VisitArrived(**_visit, at=_at("10-09T09:05")),
    visits.VisitStarted(**_visit, at=_at("10-09T09:10")),
    appeals.AppealRaised(
        **_visit,
        appeal_id=APPEAL,
        appeal_no="V00000001",
        customer_id=CUSTOMER,
        appeal_type="complaint",
        received_at=_at("10-09T09:30"),
        recorded_at=_at("10-09T09:30:02"),
        raised_by="S1001",
    ),
    appeals.AppealOpened(
        **_visit,
        appeal_id=APPEAL,
        appeal_no="V00000001",
        appeal_type="complaint",
        received_at=_at("10-09T09:30"),
        round=1,
        customer_id=CUSTOMER,
        source="visit",
        policy="t-sdpea@1",
        clocks=[
            appeals.ClockStarted(
                clock_id=CONTACT_CLOCK, milestone="contact", due_at=_at("10-10T09:30"), provisional=False
            ),
            appeals.ClockStarted(
                clock_id=ANSWER_CLOCK, milestone="answer", due_at=_at("10-20T00:00"), provisional=False
            ),
        ],
    ),
    visits.VisitCompleted(**_visit, at=_at("10-09T10:00")),
    appeals.AppealAccepted(**_act, at=_at("10-09T10:20")),
    deadlines.DeadlineWarned(
        **_contact, at=_at("10-09T21:30"), step="0.5", audience=["owner"], late=False, packs=["t-sdpea"]
    ),
    policies.PolicyWithdrawn(withdrawal_id=WITHDRAWAL, policy="own", unit_code="41", at=_at("10-09T22:00"), by="E009"),
    absences.AbsenceChanged(
        absence_id=ABSENCE,
        staff_no="S1001",
        unit_code="4101",
        since=_at("10-10T00:00"),
        until=_at("10-12T00:00"),
        substitute="S1002",
        at=_at("10-09T22:10"),
        by="S1001",
    ),
    deadlines.DeadlineBreached(**_contact, at=_at("10-10T09:30"), step="due", audience=["owner"], late=False),
    notifications.NotificationSent(**_delivery, delivery_id=DELIVERY, send_id=SEND, at=_at("10-10T09:30:01")),
    audit.InvariantFailed(
        invariant="breach_untold",
        subject_kind="appeal",
        subject_id=APPEAL,
        clock_id=CONTACT_CLOCK,
        milestone="contact",
        unit_code="4101",
        at=_at("10-10T09:35"),
    ),
    deadlines.DeadlineEscalated(
        **_contact, at=_at("10-10T13:30"), step="+4h", audience=["unit_supervisors"], late=False
    ),
    notifications.NotificationTextFailed(
        send_id=SEND,
        template="deadline.breached.mailbox@2",
        channel="mailbox",
        unit_code="4101",
        at=_at("10-10T09:30:01"),
    ),
    notifications.NotificationDead(
        **_delivery, delivery_id=LOST_DELIVERY, at=_at("10-10T14:00"), reason="attempts_exhausted"
    ),
    appeals.AppealContacted(**_act, at=_at("10-10T09:10"), result="reached"),
    deadlines.DeadlineCorrected(**_contact, at=_at("10-10T09:10"), recorded_at=_at("10-10T14:05"), actor="S1001"),
    deadlines.DeadlineRecalculated(
        **_answer,
        at=_at("10-14T18:00"),
        old_due_at=_at("10-17T00:00"),
        provisional=False,
        cause="calendar_version",
        actor="E009",
        recalculation_id=RECALCULATION,
        old_policy="t-sdpea@1",
        policy="t-sdpea@1",
        old_calendar="cn-statutory@1",
        calendar="cn-statutory@2",
    ),
    deadlines.DeadlineStarted(
        **_survey,
        at=_at("10-14T18:02"),
        started_at=_at("10-10T09:10"),
        provisional=False,
        policy="state-grid@1",
        calendar="cn-statutory@2",
        cause="policy_version",
        actor="E009",
        recalculation_id=RECALCULATION,
    ),
    deadlines.DeadlineCancelled(**_answer, at=_at("10-14T18:05")),
    appeals.AppealTransferred(**_act, at=_at("10-14T18:10"), handler="S1002", handling_unit_code="4101"),
    appeals.AppealDispatched(**_act, at=_at("10-14T18:12"), handler="S1002", handling_unit_code="4101"),
    appeals.AppealReturned(**_act, at=_at("10-14T18:14"), handler="S1001", handling_unit_code="4101"),
    appeals.AppealUrged(**_act, **_at_work, at=_at("10-14T18:16"), times=1),
    appeals.AppealSupervised(**_act, **_at_work, at=_at("10-14T18:18"), report_by=_at("10-15T12:00")),
    appeals.AppealHeld(**_act, at=_at("10-14T18:20"), milestones=["answer"]),
    appeals.AppealResumed(**_act, at=_at("10-15T09:00")),
    appeals.AppealMerged(**_act, at=_at("10-15T09:10"), into=OTHER_APPEAL),
    appeals.AppealUnmerged(**_act, at=_at("10-15T09:20"), out_of=OTHER_APPEAL),
    appeals.AppealCorrected(**_act, at=_at("10-15T10:00"), facts=["received_at"], received_at=_at("10-09T09:20")),
    appeals.AppealAnswered(**_act, at=_at("10-15T16:00"), finding="substantiated"),
    appeals.AppealJudged(**_act, at=_at("10-15T16:30"), finding="partly_substantiated"),
    deadlines.DeadlineMet(**_answer, at=_at("10-15T16:00")),
    appeals.AppealCallbackAsked(
        **_act,
        at=_at("10-15T16:00"),
        task_id=TASK,
        kind="callback",
        required=True,
        handling_unit_code="4101",
        person="S1001",
        due_at=_at("10-20T00:00"),
    ),
    appeals.AppealCallbackScheduled(
        **_act,
        at=_at("10-15T17:00"),
        task_id=TASK,
        scheduled_at=_at("10-16T10:00"),
        agreed=False,
        person="S1001",
        kind="callback",
    ),
    appeals.AppealConclusionAsked(**_act | {"visit_id": None}, at=_at("10-15T17:10"), asked_unit_code="41"),
    appeals.AppealFollowedUp(**_act, at=_at("10-16T10:20"), task_id=TASK),
    appeals.AppealCalledBack(**_act, at=_at("10-16T10:00"), result="completed", satisfaction="5"),
    appeals.AppealClosed(**_act, at=_at("10-16T10:30"), outcome="resolved"),
    visits.VisitArchived(**_visit, at=_at("10-16T11:00")),
    appeals.AppealReopened(
        **_act | {"round": 2},
        at=_at("10-21T09:00"),
        clocks=[
            appeals.ClockStarted(clock_id=NEXT_CLOCK, milestone="answer", due_at=_at("10-31T00:00"), provisional=False),
        ],
    ),
    appeals.AppealRepeated(**_act, at=_at("10-21T09:30"), repeats=OTHER_APPEAL, times=2),
    appeals.AppealRepeatedAgain(**_act, at=_at("10-21T09:30"), repeats=OTHER_APPEAL, times=2),
    appeals.AppealReclassified(
        **_act | {"round": 3},
        at=_at("10-21T10:00"),
        appeal_type="complaint",
        old_appeal_type="consultation",
        clocks=[
            appeals.ClockStarted(clock_id=LAST_CLOCK, milestone="answer", due_at=_at("10-31T00:00"), provisional=False),
        ],
    ),
    visits.VisitCancelled(**_other_visit, at=_at("10-08T12:00")),
    visits.VisitMissed(**_other_visit, at=_at("10-09T18:00")),
    customers.CustomerRemoved(id=CUSTOMER),
    directory.StaffRemoved(id=STAFF),
    directory.UnitRemoved(id=UNIT),
)
