"""What an appeal still lacks before it can be closed. Pure."""

import msgspec

from appeal_tracker.appeals.lifecycle import State
from appeal_tracker.policies.policy import Policy

# "The result is replied as prescribed", said of every appeal; where a pack gives a number its own clause is named.
REPLY = "5.5"
# Complaints and reports say that somebody did wrong: they are dealt with by the facts, so what these were is asked for.
JUDGED = ("complaint", "report")
FINDING = "002 6.4.5.3"


class Missing(msgspec.Struct, frozen=True):
    """Something that is not there, and the clause that asks for it."""

    what: str
    clause: str


def missing(state: State, appeal_type: str, policy: Policy, *, anonymous: bool) -> list[Missing]:
    """What closing lacks: an answer, and a callback where the policy requires one.

    A callback that was refused is one, and one that failed often enough: the reasons were recorded (000 §7.2.5.1).
    """
    lacks = []
    if state in (State.OPEN, State.CONTACTED, State.HELD):
        clause = next((x.clause for x in policy.limits(appeal_type) if x.milestone == "answer"), REPLY)
        lacks.append(Missing("answer", clause))
    if state is not State.CALLED_BACK and policy.callback.is_required(appeal_type, anonymous=anonymous):
        lacks.append(Missing("callback", policy.callback.clause))
    return lacks


def asked(progress: State, appeal_type: str, finding: str | None) -> list[Missing]:
    """What is asked for once an appeal was answered, and never demanded: what was found out about a charge."""
    answered = progress in (State.ANSWERED, State.CALLED_BACK, State.CLOSED)
    return [Missing("finding", FINDING)] if answered and finding is None and appeal_type in JUDGED else []
