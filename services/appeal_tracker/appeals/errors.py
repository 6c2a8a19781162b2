"""What a caller can be told has gone wrong about an appeal."""

from chassis.web.errors import Conflict, Forbidden, NotFound, Words


class AppealNotFound(NotFound):
    slug = "appeal-not-found"
    title = Words("诉求不存在", "No such appeal")


class AppealIsClosed(Conflict):
    slug = "appeal-closed"
    title = Words("诉求已办结", "The appeal is closed")
    detail = Words("已办结的诉求不再接受任何操作。", "A closed appeal takes no more acts.")


class AppealUnanswered(Conflict):
    slug = "appeal-unanswered"
    title = Words("诉求尚未答复", "The appeal is not answered yet")
    detail = Words(
        "回访、认定属实与否须在答复之后进行（000 §7.2.5.1）。",
        "A callback asks about an answer that was given, and a finding goes with one (000 §7.2.5.1).",
    )


class AppealNotClosed(Conflict):
    slug = "appeal-not-closed"
    title = Words("诉求尚未办结", "The appeal is not closed")
    detail = Words("只有已办结的诉求才能重新办理。", "Only a closed appeal can be reopened.")


class AppealIsHeld(Conflict):
    slug = "appeal-held"
    title = Words("诉求已暂停", "The appeal is held")
    detail = Words("已暂停的诉求须先恢复。", "A held appeal is resumed first.")


class AppealNotHeld(Conflict):
    slug = "appeal-not-held"
    title = Words("诉求未暂停", "The appeal is not held")


class AppealIsMerged(Conflict):
    """`into` is the appeal that it was merged into, about which this is done, where the caller sees that one too."""

    slug = "appeal-merged"
    title = Words("诉求已合并", "The appeal is merged into another")
    detail = Words(
        "已合并的子单随主单办理，请在主单上操作。", "What is done about it is done about the one it was merged into."
    )


class AppealNotMerged(Conflict):
    slug = "appeal-not-merged"
    title = Words("诉求未合并", "The appeal is not merged")


class MergedMeanwhile(Conflict):
    slug = "merged-meanwhile"
    title = Words("诉求刚被合并或拆分，请重试", "The appeal was merged or unmerged just now, please try again")
    headers = {"Retry-After": "1"}


class AppealIncomplete(Conflict):
    """`missing` lists what is not there, each with the clause that asks for it; of merged appeals that the caller does
    not see, `elsewhere` of how many."""

    slug = "appeal-incomplete"
    title = Words("办结条件不满足", "Something is missing before the appeal can be closed")
    detail = Words("办结前须补齐所列各项。", "What is listed must be there before it can be closed.")


class CallbackAskedFor(Conflict):
    """`task_id` is the callback that is still open, `asked_by` who asked for it."""

    slug = "callback-asked-for"
    title = Words("主管要求的回访尚未完成", "A supervisor asked for a callback that nobody made yet")
    detail = Words(
        "请先回访；只有主管可以不经回访而办结。",
        "The customer is called first; only a supervisor closes it without that.",
    )


class NothingToHold(Conflict):
    slug = "nothing-to-hold"
    title = Words("没有可暂停的时限", "There is nothing to hold")
    detail = Words(
        "策略 {policy} 允许暂停的时限中，当时没有正在计时的。",
        "Of what policy {policy} lets be held, nothing ran then.",
    )


class HeldAfterBreach(Conflict):
    """Recorded breaches stay: a hold cannot begin before one of what it holds."""

    slug = "held-after-breach"
    title = Words("该时限已记录超时", "A breach is recorded already")
    detail = Words(
        "{milestone} 已于 {due_at} 超时，暂停不得早于该时间。",
        "{milestone} was breached at {due_at}; it cannot have been held before.",
    )


class NotMergeable(Conflict):
    """Why the two cannot be merged; `rule` says it as a code."""

    slug = "not-mergeable"
    title = Words("不能合并", "The appeals cannot be merged")


class MergedIntoItself(NotMergeable):
    slug = "merged-into-itself"
    detail = Words("诉求不能并入自身。", "An appeal is not merged into itself.")


class ConfidentialNotMerged(NotMergeable):
    slug = "confidential-not-merged"
    detail = Words(
        "保密、匿名诉求不合并，以免泄露诉求人（002 §6.4.5.5）。",
        "A confidential or anonymous appeal is not merged: that would tell whose it is (002 §6.4.5.5).",
    )


class AnotherCustomer(NotMergeable):
    slug = "another-customer"
    detail = Words(
        "只有同一客户的诉求才能合并：每位客户都须联系并答复。",
        "Only appeals of one customer are merged: each customer is to be contacted and answered.",
    )


class LeaderNotOpen(NotMergeable):
    """`state` is that of the appeal to merge into; `merged` if it is merged into another one itself."""

    slug = "leader-not-open"
    detail = Words(
        "主单须在办理中，且未暂停、未并入其他诉求。",
        "The appeal to merge into is neither closed nor held, nor merged into another one itself.",
    )


class LeadsOthers(NotMergeable):
    slug = "leads-others"
    detail = Words(
        "已有诉求并入该诉求，须先拆分。", "Others are merged into it; they are unmerged, or merged elsewhere, first."
    )


class OthersFollow(Conflict):
    slug = "others-follow"
    title = Words("有其他诉求并入该诉求", "Other appeals are merged into it")
    detail = Words(
        "须先拆分子单，再作废或改类。", "They are taken out of it before it is declared void or reclassified."
    )


class NotYoursToReturn(Forbidden):
    slug = "not-yours-to-return"
    title = Words("只有承办人可以退回", "Only whoever handles it can return it")
    detail = Words(
        "只有承办人、承办单位（未指定承办人时）或其上级主管可以退回。",
        "It is returned by its handler, by a handler of its unit while none is named, or by a supervisor.",
    )


class NothingToReturn(Conflict):
    slug = "nothing-to-return"
    title = Words("诉求未经派发，无处可退", "Nobody handed it on, so it cannot go back")


class SameType(Conflict):
    slug = "same-type"
    title = Words("诉求已是该类型", "The appeal is of that type already")


class ComplaintNotHidden(Forbidden):
    slug = "complaint-not-hidden"
    title = Words("投诉、举报须由主管改类", "Only a supervisor makes a complaint or a report something else")
    detail = Words(
        "不准隐瞒、隐匿投诉举报；保密或匿名的，由受理单位以外的主管改类（002 §6.4.5.6）。",
        "Complaints and reports are not to be concealed; of a hidden one it is a supervisor outside the unit that"
        " raised it (002 §6.4.5.6).",
    )


class NotYoursToWithdraw(Forbidden):
    slug = "not-yours-to-withdraw"
    title = Words("投诉、举报的撤销须由承办人或主管记录", "A complaint or a report is withdrawn by whoever handles it")
    detail = Words(
        "客户撤回由承办人、承办单位（未指定承办人时）或主管记录；"
        "保密或匿名的，只由承办人或受理单位以外的主管记录（002 §6.4.5.6）。",
        "That the customer took it back is recorded by its handler, by a handler of its unit while none is named, or by"
        " a supervisor; of a hidden one by its handler, or a supervisor outside the unit that raised it"
        " (002 §6.4.5.6).",
    )


class NotYoursToVoid(Forbidden):
    slug = "not-yours-to-void"
    title = Words("该诉求须由外部主管作废", "It is declared void by a supervisor outside")
    detail = Words(
        "保密或匿名的投诉、举报可能涉及受理单位，只有该单位以外的主管可以作废（002 §6.4.5.6）。",
        "A hidden complaint or report may be about the unit that raised it: a supervisor outside that unit declares it"
        " void (002 §6.4.5.6).",
    )


class ConcludedFromOutside(Forbidden):
    slug = "concluded-from-outside"
    title = Words("该投诉、举报须由外部认定、回访和办结", "It is judged, called back about and closed from outside")
    detail = Words(
        "保密或匿名的投诉、举报可能涉及受理单位：由外部指派的承办人或该单位以外的人员认定、回访和办结"
        "（002 §6.4.5.5、6.4.5.6）。",
        "A hidden complaint or report may be about the unit that raised it: its handler, who is named from outside, or"
        " somebody outside that unit says whether it is true, calls back, and closes it (002 §6.4.5.5, 6.4.5.6).",
    )


class ReopenedSince(Conflict):
    slug = "reopened-since"
    title = Words("已重新办理的诉求不再更正提出时间", "It was reopened since; when it was received is past correcting")


class AfterWhatWasDone(Conflict):
    """`done_at` is the earliest act that would come before the appeal."""

    slug = "after-what-was-done"
    title = Words("提出时间晚于已记录的办理", "It would have been received after something that was done about it")


class SourceNumberTaken(Conflict):
    """Says no more: the appeal that has the number may be another unit's."""

    slug = "source-number-taken"
    title = Words("来源系统编号已被使用", "The source system's number is in use")
    detail = Words(
        "来源 {source} 的编号 {source_no} 已用于内容不同的诉求。",
        "The number {source_no} of {source} was used for an appeal with other content.",
    )
