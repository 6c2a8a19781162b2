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


NO_CALLER = FieldError(
    "/customer_id",
    "no_caller",
    Words("须指明客户，或来电号码", "Say which customer called, or from which number"),
)
NO_VISIT_OF_NOBODY = FieldError(
    "/visit_id", "unknown_caller", Words("来电人未知，不能归入走访", "Of a caller whom nobody knows there is no visit")
)
UNIT_OF_THE_CUSTOMER = FieldError(
    "/unit_code",
    "unit_of_the_customer",
    Words("已指明客户的，单位随客户", "Where a customer is named, the unit is the customer's"),
)
NO_UNIT = FieldError("/unit_code", "missing", Words("须指明所拨打的单位", "Say which unit was called"))
CALLER_KNOWN = FieldError("/customer_id", "caller_known", Words("来电客户已知", "It is known which customer called"))


def before_the_call(pointer: str) -> FieldError:
    """A call that would be returned before it came."""
    return FieldError(pointer, "before_the_call", Words("早于来电时间", "Before the call came"))


def closes_first(pointer: str) -> FieldError:
    """An office that would close before it opens, or does only one of both."""
    return FieldError(
        pointer, "closes_first", Words("须晚于开始时间，并同时给出两者", "After `opens`, and both or neither")
    )
