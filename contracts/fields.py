"""The kinds of field an event may have: ids, codes, numbers and times, never a name or a sentence."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta


def known(description: str, *values: str) -> Meta:
    """Describe a text with known values; a hearer keeps a value it does not know as text."""
    return Meta(description=f"{description}; other values may follow and are kept as text", examples=list(values))


Time = Annotated[datetime, Meta(tz=True, description="an instant, RFC 3339 in UTC")]

UnitCode = Annotated[str, Meta(description="code of the unit that the fact belongs to or names")]
StaffNo = Annotated[str, Meta(description="staff number, the `sub` of the person's token")]
Number = Annotated[str, Meta(description="a human number beside the id; text, leading zeros count")]
Step = Annotated[str, Meta(description='point on the ladder: a fraction, "-4h", "due", "+1wd"')]
PolicyVersion = Annotated[str, Meta(description='policy and its version, "t-sdpea@1"')]
Pack = Annotated[str, Meta(description='policy without its version, "t-sdpea"')]
CalendarVersion = Annotated[
    str, Meta(description='calendar and its version, "cn-statutory@2"; with a "+" before each that it lies over')
]
TemplateVersion = Annotated[str, Meta(description='text and its version, "deadline.breached.sms@2"')]
Satisfaction = Annotated[str, known("satisfaction, a code as text", "1", "2", "3", "4", "5", "not_rated")]

Role = Annotated[str, known("role", "visitor", "handler", "callback", "supervisor", "admin", "integration", "auditor")]
CustomerKind = Annotated[
    str,
    known(
        "customer kind, every `other.*` as `other`",
        "government",
        "key_project",
        "partner.energy_body",
        "partner.source_grid_load_storage",
        "partner.academia",
        "other",
    ),
]
VisitChannel = Annotated[str, known("channel of the visit", "on_site", "phone", "online")]
Direction = Annotated[str, known("who sought whom", "outbound", "inbound")]
VisitForm = Annotated[str, known("form of the visit", "ordinary", "directed", "special")]
AppealType = Annotated[str, known("appeal type", "complaint", "report", "opinion", "suggestion", "consultation")]
Source = Annotated[str, known("where the appeal came from, a code", "visit", "95598", "12398", "marketing")]
Category = Annotated[
    str,
    known("what it is about, a code", "attitude", "efficiency", "content", "policy_explanation", "other"),
]
Outcome = Annotated[str, known("how the appeal ended", "resolved", "withdrawn", "merged", "void")]
Finding = Annotated[
    str, known("whether the facts bear the appeal out", "substantiated", "partly_substantiated", "unsubstantiated")
]
Fact = Annotated[str, known("a fact that was recorded wrongly", "received_at", "category")]
ContactResult = Annotated[str, known("result of a contact", "reached", "refused", "no_answer")]
CallbackResult = Annotated[str, known("result of a callback", "completed", "unreachable", "refused")]
CallbackKind = Annotated[str, known("what the call is for", "callback", "follow_up")]
CallbackChannel = Annotated[str, known("how the customer was asked", "phone", "on_site", "online", "link")]
Milestone = Annotated[str, known("what the clock waits for", "contact", "answer", "callback", "arrival", "archive")]
Invariant = Annotated[
    str,
    known(
        "what does not hold",
        "clock_missing",
        "timer_unfired",
        "deadline_wrong",
        "breach_untold",
        "step_fired_twice",
        "canary_silent",
        "recalculation_failing",
    ),
]
SubjectKind = Annotated[str, known("what the clock is on", "appeal", "visit", "canary")]
RecalculationCause = Annotated[
    str,
    known(
        "why a deadline was calculated anew",
        "calendar_version",
        "policy_version",
        "assignment",
        "hold",
        "resume",
        "merge",
        "unmerge",
        "correction",
    ),
]
Audience = Annotated[str, known("whom to tell", "owner", "unit_supervisors", "parent_unit_supervisors")]
Recipient = Annotated[str, Meta(description="whom the message is for: a staff number or an id, never an address")]
Channel = Annotated[str, known("channel of the message", "mailbox", "sms", "email", "wecom", "dingtalk", "webhook")]
DeathReason = Annotated[
    str,
    known(
        "why it was given up, as a code", "attempts_exhausted", "refused_by_provider", "no_address", "nobody_to_tell"
    ),
]
