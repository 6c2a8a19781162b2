"""What can go wrong with visits."""

from collections.abc import Sequence

from chassis.web.errors import Conflict, FieldError, Forbidden, Words
from visit_api.visits.lifecycle import Unmet


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
    detail = Words("到达只记录一次（规范 {clause}）。", "An arrival is recorded once (clause {clause}).")


class PreparationMissing(Conflict):
    """A directed or special visit starts neither unprepared nor without an appointment; `missing` lists what is asked
    for, by clause."""

    slug = "visit-preparation-missing"
    title = Words("走访准备不齐，不能开始", "The visit is not prepared")
    detail = Words(
        "{form} 走访开始前须完成准备和预约（规范 {clauses}）。",
        "A visit of the form {form} is prepared and appointed first (clause {clauses}).",
    )

    def __init__(self, form: str, missing: Sequence[Unmet]) -> None:
        clauses = ", ".join(dict.fromkeys(unmet.clause for unmet in missing))
        super().__init__(form=form, missing=[unmet._asdict() for unmet in missing], clauses=clauses)


class FormIsDecided(Forbidden):
    """In another form a directed or special visit would start without what that one is prepared with."""

    slug = "visit-form-decided"
    title = Words("走访形式只能由主管变更", "Only a supervisor changes the form of the visit")
    detail = Words("{form} 走访须按规范 {clause} 准备。", "A visit of the form {form} is prepared by clause {clause}.")


WHY_ANOTHER_FORM = FieldError("/reason", "missing", Words("变更形式须说明原因", "Why the form changes has to be said"))
NO_CONSENT = FieldError(
    "/consented", "consent_required", Words("记录到达位置须经同意", "A place is recorded with consent only")
)


def no_place(pointer: str) -> FieldError:
    """An appointment on site that does not say where, or one by another channel that would become such."""
    words = Words("现场走访的预约须说明地点（规范 6.1.3.1）", "On site, say where (clause 6.1.3.1)")
    return FieldError(pointer, "place_required", words)


def before_start(pointer: str) -> FieldError:
    """A visit that would end before it began."""
    return FieldError(pointer, "before_start", Words("早于走访开始时间", "Before the visit began"))


def long_before_start(pointer: str) -> FieldError:
    """Something that was done more than a day before the visit began."""
    words = Words("早于走访开始时间一天以上", "More than a day before the visit began")
    return FieldError(pointer, "before_start", words)


def unknown_visit(pointer: str) -> FieldError:
    """A visit that there is not, that is to another customer, or that is not the caller's to name."""
    return FieldError(pointer, "unknown_visit", Words("未知的走访", "No such visit"))


def unknown_item(pointer: str) -> FieldError:
    """A thing that is not in the kit of the visit's channel, or was answered already."""
    return FieldError(pointer, "unknown_item", Words("不在该渠道清单中，或重复", "Not in the channel's kit, or twice"))


def why_not(pointer: str) -> FieldError:
    """Something that is not ready, without a word why."""
    return FieldError(pointer, "note_required", Words("未备齐的须说明原因", "What is not ready says why"))
