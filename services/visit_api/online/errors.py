"""What can go wrong with online service."""

from chassis.web.errors import Conflict, FieldError, Words


class AccountTaken(Conflict):
    """Says no more: who has the id or the handle may be another unit's."""

    slug = "online-account-taken"
    title = Words("账号或标识已登记", "Account or id already registered")
    detail = Words(
        "{platform} 账号 {handle} 或所带标识已登记。", "{handle} on {platform}, or the id, is registered already."
    )


class AccountClosed(Conflict):
    slug = "online-account-closed"
    title = Words("账号已停用", "The account is out of use")


class GroupTaken(Conflict):
    """Says no more: the group that has the id may be another unit's."""

    slug = "group-taken"
    title = Words("群标识已被使用", "Group id already in use")
    detail = Words("标识 {id} 已用于内容不同的群。", "The id {id} was used for a group with other content.")


class InquiryTaken(Conflict):
    """Says no more: the inquiry that has the id may be another unit's."""

    slug = "inquiry-taken"
    title = Words("询问标识已被使用", "Inquiry id already in use")
    detail = Words("标识 {id} 已用于内容不同的询问。", "The id {id} was used for an inquiry with other content.")


class InquiryAnswered(Conflict):
    slug = "inquiry-answered"
    title = Words("该询问已答复", "It was answered before")


NOT_A_MEMBER = FieldError("/account_id", "not_a_member", Words("该账号不在群内", "The account is not in the group"))
UNKNOWN_ACCOUNT = FieldError("/account_id", "unknown_account", Words("未知的账号", "No such account"))
OTHER_PLATFORM = FieldError(
    "/account_id", "other_platform", Words("账号与群不在同一平台", "It is on another platform than the group")
)
OTHER_CUSTOMER = FieldError(
    "/customer_id", "other_customer", Words("并非该次走访的对象", "It is not the customer of the visit")
)
OTHER_UNIT = FieldError(
    "/visit_id",
    "other_unit",
    Words("走访单位与群所属单位不在同一上下级", "It was made neither by the group's unit nor by one above or below it"),
)
ONE_CUSTOMER = FieldError(
    "/customer_ids", "one_customer", Words("单独联系的线路只服务一个客户", "A direct line is the line to one customer")
)
TOO_EARLY = Words("早于提问或加入时间", "Before what it ends")


def before_its_beginning(pointer: str) -> FieldError:
    """Answered before it was asked, or left before it was joined."""
    return FieldError(pointer, "before_its_beginning", TOO_EARLY)
