"""What can go wrong with measures."""

from chassis.web.errors import Conflict, FieldError, Words


class MeasureTaken(Conflict):
    """Says no more: the measure that has the id may be another unit's."""

    slug = "measure-taken"
    title = Words("措施标识已被使用", "Measure id already in use")
    detail = Words("标识 {id} 已用于内容不同的措施。", "The id {id} was used for a measure with other content.")


class NotNow(Conflict):
    slug = "measure-not-now"
    title = Words("该措施当前状态不允许此操作", "Not possible in the state that the measure is in")
    detail = Words(
        "措施处于 {state}，不能执行 {act}（规范 {clause}）。",
        "The measure is {state}, and so cannot be {act} (clause {clause}).",
    )


class VerifiedByAnother(Conflict):
    slug = "verified-by-another"
    title = Words("须由责任人和办理人以外的人验证", "Verified by somebody other than its owner and who did it")
    detail = Words("是否见效由他人说明（规范 {clause}）。", "That it helped is somebody else's word (clause {clause}).")


FOUND_NOWHERE = FieldError(
    "/figure",
    "found_nowhere",
    Words("须注明来源：走访、诉求或分析指标", "Say where it was found: on a visit, in an appeal, or by a figure"),
)
UNKNOWN_VISIT = FieldError("/visit_id", "unknown_visit", Words("该单位没有此走访", "No such visit of that unit"))
UNKNOWN_APPEAL = FieldError("/appeal_id", "unknown_appeal", Words("该单位没有此诉求", "No such appeal of that unit"))
PAST_DAY = FieldError("/due_on", "past_day", Words("早于今天", "Before today"))
NOTHING_CHANGES = FieldError("/due_on", "nothing_changes", Words("须改变责任人或期限", "Say another owner or day"))
