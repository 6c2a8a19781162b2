"""What can go wrong with visits."""

from chassis.web.errors import Conflict, FieldError, Words


class VisitTaken(Conflict):
    """Says no more: the visit that has the id may be another unit's."""

    slug = "visit-taken"
    title = Words("走访标识已被使用", "Visit id already in use")
    detail = Words("标识 {id} 已用于内容不同的走访。", "The id {id} was used for a visit with other content.")


class ActRefused(Conflict):
    """The act does not follow in this state; `clause` is the one that orders the life of a visit so."""

    slug = "visit-act-refused"
    title = Words("走访当前状态不允许此操作", "Not possible in the visit's present state")
    detail = Words(
        "走访处于 {state}，不能执行 {act}（规范 {clause}）。",
        "The visit is {state}, which does not allow to {act} it (clause {clause}).",
    )


class AlreadyArrived(Conflict):
    slug = "visit-already-arrived"
    title = Words("已记录到达", "The arrival is recorded already")


class PreparationMissing(Conflict):
    """A directed or special visit cannot start unprepared; `missing` lists what is asked for, by clause."""

    slug = "visit-preparation-missing"
    title = Words("走访准备不齐，不能开始", "The visit is not prepared")
    detail = Words(
        "{form} 走访开始前须完成准备（规范 7.2.1）。", "A visit of the form {form} is prepared first (clause 7.2.1)."
    )


def before_start(pointer: str) -> FieldError:
    """A visit that would end before it began."""
    return FieldError(pointer, "before_start", Words("早于走访开始时间", "Before the visit began"))
