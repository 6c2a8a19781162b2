"""What can be wrong with what a caller sends about an appeal, pointing to the field."""

from datetime import datetime

from chassis.web.errors import FieldError, Unprocessable, Words


class BeforeReceived(Unprocessable):
    """Or, in a later round, before it was reopened: what was done in a round that has ended stays as it is."""

    slug = "before-received"
    title = Words("时间早于诉求提出（或重新办理）的时间", "Before the appeal was received, or reopened")

    def __init__(self, received_at: datetime) -> None:
        super().__init__(FieldError("/at", "before_received", self.title), received_at=received_at.isoformat())


class UnknownHandlingUnit(Unprocessable):
    slug = "unknown-handling-unit"
    title = Words("未知的承办单位", "Unknown handling unit")

    def __init__(self) -> None:
        super().__init__(FieldError("/handling_unit_code", "unknown_unit", self.title))


class HandlingUnitMerged(Unprocessable):
    """It is closed, and takes nothing new."""

    slug = "handling-unit-merged"
    title = Words("承办单位已并入其他单位", "The handling unit was merged into another")
    detail = Words("请改派至 {into}。", "Name {into} instead.")

    def __init__(self, into: str) -> None:
        super().__init__(FieldError("/handling_unit_code", "merged_unit", self.title), into=into)


class NoSuchMilestone(Unprocessable):
    """The milestones of the standards have acts of their own."""

    slug = "no-such-milestone"
    title = Words("本诉求没有该自定义节点", "The appeal has no such milestone of its pack's own")
    detail = Words(
        "{milestone} 不是本诉求所用策略自定的节点；联系、答复、回访请分别记录。",
        "{milestone} is no milestone that its pack adds; contacts, answers and callbacks are recorded as such.",
    )

    def __init__(self, milestone: str) -> None:
        super().__init__(FieldError("/milestone", "no_such_milestone", self.title), milestone=milestone)


class HandlerLeft(Unprocessable):
    slug = "handler-left"
    title = Words("该人员已离职或停用，请指派他人", "That member of staff has left: name somebody else")

    def __init__(self, field: str = "handler") -> None:
        super().__init__(FieldError(f"/{field}", "has_left", self.title))


class HandlerInside(Unprocessable):
    """Said of anybody whom the directory does not know elsewhere."""

    slug = "handler-inside"
    title = Words("保密、匿名诉求须由外部指派", "A hidden appeal is given to its handler from outside")
    detail = Words(
        "保密或匿名诉求可能涉及受理单位：该单位人员不得指派给自己或本单位人员，"
        "请指明其他单位的人员，或由上级指派（002 §6.4.5.5）。",
        "It may be about the unit that raised it: whoever is of that unit gives it neither to themselves nor to others"
        " of it; name somebody of another unit, or let a unit above do so (002 §6.4.5.5).",
    )

    def __init__(self) -> None:
        super().__init__(FieldError("/handler", "inside", self.title))


class NobodyNamed(Unprocessable):
    slug = "nobody-named"
    title = Words("须指明承办人或承办单位", "Name a handler, a handling unit, or both")


class NotHoldable(Unprocessable):
    """A milestone that may not wait: by which policy, and by which clause of which pack it is timed."""

    slug = "not-holdable"
    title = Words("该时限不得暂停", "This milestone may not be held")
    detail = Words(
        "按策略 {policy}，{milestone} 不得暂停（依据第 {clause} 条）。",
        "By policy {policy} the milestone {milestone} may not be held (its clause: {clause}).",
    )

    def __init__(self, **context: str) -> None:
        super().__init__(FieldError("/milestones", "not_holdable", self.title), **context)


class BeforeTheHold(Unprocessable):
    slug = "before-the-hold"
    title = Words("时间早于暂停时间", "Before the hold began")

    def __init__(self, since: datetime) -> None:
        super().__init__(FieldError("/at", "before_the_hold", self.title), since=since.isoformat())


class UnknownAppeal(Unprocessable):
    slug = "unknown-appeal"
    title = Words("主单不存在", "No such appeal to merge into")

    def __init__(self) -> None:
        super().__init__(FieldError("/into", "unknown_appeal", self.title))


class ReportTooEarly(Unprocessable):
    slug = "report-too-early"
    title = Words("反馈时限须晚于当前时间", "The report is due in the past")

    def __init__(self) -> None:
        super().__init__(FieldError("/report_by", "report_too_early", self.title))


class NothingToJudge(Unprocessable):
    slug = "nothing-to-judge"
    title = Words("只有投诉和举报须认定属实与否", "Only complaints and reports are found true or not")

    def __init__(self, **context: str) -> None:
        super().__init__(FieldError("/finding", "nothing_to_judge", self.title), **context)


class NothingToCorrect(Unprocessable):
    slug = "nothing-to-correct"
    title = Words("没有须更正的内容", "Nothing differs from what is recorded")


class NotCategorised(Unprocessable):
    slug = "not-categorised"
    title = Words("只有投诉分类（004 §6.4）", "Only complaints have a category (004 §6.4)")

    def __init__(self, **context: str) -> None:
        super().__init__(FieldError("/category", "not_categorised", self.title), **context)


class SourceReserved(Unprocessable):
    slug = "source-reserved"
    title = Words("visit 为走访保留，须填来源系统", "`visit` is kept for visits: name the system that took the appeal")

    def __init__(self) -> None:
        super().__init__(FieldError("/source", "reserved", self.title))


class SourceNotSaid(Unprocessable):
    slug = "source-not-said"
    title = Words("按来源编号查询须同时给出 source", "Whose number it is says `source`")

    def __init__(self) -> None:
        super().__init__(FieldError("/source", "source_required", self.title))


class TypeNotSaid(Unprocessable):
    slug = "type-not-said"
    title = Words("须给出 type 或 type_code 之一", "Give either type or type_code")

    def __init__(self) -> None:
        super().__init__(FieldError("/type", "type_not_said", self.title))


class ReasonNotSaid(Unprocessable):
    slug = "reason-not-said"
    title = Words(
        "不能当即答复的咨询须说明原因（规范 7.2.3）", "A consultation not answered at once says why (clause 7.2.3)"
    )

    def __init__(self) -> None:
        super().__init__(FieldError("/reason_not_answered", "reason_required", self.title), clause="7.2.3")


class UnknownRaisingUnit(Unprocessable):
    slug = "unknown-raising-unit"
    title = Words("未知的单位", "Unknown unit")

    def __init__(self) -> None:
        super().__init__(FieldError("/unit_code", "unknown_unit", self.title))


class ConfidentialNamesNobody(Unprocessable):
    slug = "confidential-names-nobody"
    title = Words("保密诉求不记录客户（002 §6.4.5.5）", "A confidential appeal names no customer (002 §6.4.5.5)")

    def __init__(self) -> None:
        super().__init__(FieldError("/customer_id", "confidential_names_nobody", self.title))
