"""What can go wrong with appointments."""

from chassis.web.errors import Conflict, FieldError, Words


class AppointmentTaken(Conflict):
    """Says no more: the appointment that has the id may be another unit's."""

    slug = "appointment-taken"
    title = Words("预约标识已被使用", "Appointment id already in use")
    detail = Words("标识 {id} 已用于内容不同的预约。", "The id {id} was used for an appointment with other content.")


class AppointedSince(Conflict):
    """Something was said to, or by, the customer after what is brought late; `last` is the id of the last word."""

    slug = "appointed-since"
    title = Words("此后已另有预约记录", "The customer was spoken to again since")
    detail = Words(
        "{at} 已另有预约记录（规范 {clause}）。", "There is a later word with the customer, of {at} (clause {clause})."
    )


class NoAppointmentStands(Conflict):
    slug = "no-appointment"
    title = Words("没有可取消的预约", "There is no appointment to cancel")
    detail = Words("走访没有有效的预约（规范 {clause}）。", "No appointment of the visit stands (clause {clause}).")


ENDS_BEFORE_IT_BEGINS = FieldError(
    "/window_to", "before_window_from", Words("须晚于 window_from", "Not after window_from")
)
