"""The life of a policy post, as data: nothing is published that somebody else has not approved (T/SDPEA §6.3.2.4)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """Where a post stands; one that was `returned` is written anew."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    PUBLISHED = "published"


class Act(StrEnum):
    """What can be done with a post."""

    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"


class Move(NamedTuple):
    """The state in which an act is possible, and the one it leads to."""

    source: State
    target: State


CLAUSE = "6.3.2.4"
LIFE: Mapping[Act, Move] = {
    Act.SUBMIT: Move(State.DRAFT, State.SUBMITTED),
    Act.APPROVE: Move(State.SUBMITTED, State.APPROVED),
    Act.RETURN: Move(State.SUBMITTED, State.RETURNED),
    Act.PUBLISH: Move(State.APPROVED, State.PUBLISHED),
}
