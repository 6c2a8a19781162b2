"""What can be wrong with a route."""

from chassis.web.errors import FieldError, Unprocessable, Words


def unknown(pointer: str) -> Unprocessable:
    """What a field names is not there, or not to be seen."""
    return Unprocessable(FieldError(pointer, "unknown", Words("不存在", "There is no such thing")))


LADDER_NAMES = FieldError(
    "/audience",
    "ladder_names_it",
    Words("时限事件通知谁由时限阶梯决定，路由不能另定", "Of deadlines the ladder names the audience, not a route"),
)
NOT_FOR_CUSTOMERS = FieldError(
    "/channels",
    "not_for_customers",
    Words("客户没有站内信箱，也不在员工群内", "A customer has no mailbox, and is in no staff group"),
)
COMMON_GROUP = FieldError(
    "/audience",
    "common_group",
    Words("公共路由不能指定某单位的群组", "A common route does not name the group of one unit"),
)
CUSTOMERS_SLEEP = FieldError(
    "/passes", "customers_sleep", Words("客户不得在免打扰时段被打扰", "No customer is disturbed in quiet hours")
)
