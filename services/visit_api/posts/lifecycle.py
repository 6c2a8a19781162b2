"""The life of a policy post, as data: nothing is published that somebody else has not approved (T/SDPEA §6.3.2.4)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class PostState(StrEnum):
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

    source: PostState
    target: PostState


CLAUSE = "6.3.2.4"
LIFE: Mapping[Act, Move] = {
    Act.SUBMIT: Move(PostState.DRAFT, PostState.SUBMITTED),
    Act.APPROVE: Move(PostState.SUBMITTED, PostState.APPROVED),
    Act.RETURN: Move(PostState.SUBMITTED, PostState.RETURNED),
    Act.PUBLISH: Move(PostState.APPROVED, PostState.PUBLISHED),
}
