"""What can go wrong with appeals."""

from chassis.web.errors import Conflict, FieldError, Words
from visit_api.directory.errors import unknown_staff


class AppealTaken(Conflict):
    """Says no more: the appeal that has the id may be another unit's."""

    slug = "appeal-taken"
    title = Words("诉求标识已被使用", "Appeal id already in use")
    detail = Words("标识 {id} 已用于内容不同的诉求。", "The id {id} was used for an appeal with other content.")


NO_REASON = FieldError(
    "/reason_not_answered",
    "reason_required",
    Words("不能当即答复的咨询须说明原因（规范 7.2.3）", "A consultation not answered at once says why (clause 7.2.3)"),
)
UNKNOWN_HEARER = unknown_staff("/heard_by")
