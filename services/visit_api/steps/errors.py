"""What can go wrong with steps."""

from uuid import UUID

from chassis.web.errors import Conflict, FieldError, Words


class StepTaken(Conflict):
    """Says no more: the step that has the id may be another unit's."""

    slug = "step-taken"
    title = Words("步骤标识已被使用", "Step id already in use")
    detail = Words("标识 {id} 已用于内容不同的步骤。", "The id {id} was used for a step with other content.")


class StepSuperseded(Conflict):
    """A step is corrected once; what corrects the correction supersedes that."""

    slug = "step-superseded"
    title = Words("该步骤已被更正", "The step was corrected before")
    detail = Words("请更正 {superseded_by}。", "Supersede {superseded_by} instead.")


UNKNOWN_STEP = FieldError("/supersedes", "unknown_step", Words("本次走访无此步骤", "The visit has no such step"))
OTHER_KIND = FieldError(
    "/supersedes", "step_of_another_kind", Words("只能更正同类步骤", "It corrects a step of another kind")
)
NEITHER = FieldError(
    "/content/reason_not_answered",
    "reason_required",
    Words("不能当即答复的咨询须说明原因（规范 7.2.3）", "A consultation not answered at once says why (clause 7.2.3)"),
)
BOTH = FieldError(
    "/content/reason_not_answered",
    "answered_at_once",
    Words("已当即答复的，不填未答复原因", "It was answered at once, so there is no reason why not"),
)


def unknown_appeal(place: int) -> FieldError:
    """An appeal that was not raised on the visit, or that the caller may not know of."""
    words = Words("本次走访无此诉求", "No such appeal was raised on the visit")
    return FieldError(f"/content/appeal_ids/{place}", "unknown_appeal", words)


def hidden_appeal(place: int) -> FieldError:
    """A step is read by more people than may know of what was said in confidence, or without a name."""
    words = Words(
        "保密或匿名诉求不得写入走访步骤（规范 8.1.4）",
        "Said in confidence or without a name, so no step names it (clause 8.1.4)",
    )
    return FieldError(f"/content/appeal_ids/{place}", "confidential_appeal", words)


def not_their_strategy(pointer: str, visit_id: UUID) -> FieldError:
    """Somebody who may not own what was proposed on a visit, for they are not of its unit, nor above or below it."""
    words = Words(
        f"该人员不能承接走访 {visit_id} 的解决对策（规范 7.2.4）",
        f"No active member of staff who may see to what was proposed on visit {visit_id} (clause 7.2.4)",
    )
    return FieldError(pointer, "unknown_staff", words)
