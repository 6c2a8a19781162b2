"""What can go wrong when work is handed over."""

from chassis.web.errors import Conflict, FieldError, Words


class HandOverTaken(Conflict):
    slug = "hand-over-taken"
    title = Words("交接标识已被使用", "Hand-over id already in use")
    detail = Words("标识 {id} 已用于内容不同的交接。", "The id {id} was used for a hand-over with other content.")


TO_THEMSELVES = FieldError("/to_staff_no", "themselves", Words("不能交接给本人", "Nobody hands over to themselves"))
