"""What can go wrong with obligations."""

from chassis.web.errors import Conflict, FieldError, Words


class ObligationTaken(Conflict):
    """Says no more: the obligation that has the id may be another unit's."""

    slug = "obligation-taken"
    title = Words("待办标识已被使用", "Obligation id already in use")
    detail = Words("标识 {id} 已用于内容不同的待办。", "The id {id} was used for an obligation with other content.")


class AlreadyDischarged(Conflict):
    slug = "obligation-discharged"
    title = Words("该待办已办结", "It is discharged already")


NOT_TOLD = FieldError(
    "/told",
    "told_required",
    Words(
        "非工作时间来电须记录已如何告知（规范 6.2.2.4）", "Out of hours, say what the caller was told (clause 6.2.2.4)"
    ),
)


def before_the_call(pointer: str) -> FieldError:
    """A call that would be returned before it came."""
    return FieldError(pointer, "before_the_call", Words("早于来电时间", "Before the call came"))


def closes_first(pointer: str) -> FieldError:
    """An office that would close before it opens, or does only one of both."""
    return FieldError(
        pointer, "closes_first", Words("须晚于开始时间，并同时给出两者", "After `opens`, and both or neither")
    )
